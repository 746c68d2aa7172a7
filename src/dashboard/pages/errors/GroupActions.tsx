import type { StartAction } from '../../actions/use-action-dialog.tsx';
import { ACTION_LABELS } from '../../actions/words.ts';
import { useSession } from '../../api.ts';
import { Button } from '../../ui/index.ts';
import type { ErrorGroup } from './by-stage.ts';

interface Props {
  readonly group: Pick<ErrorGroup, 'stage' | 'code' | 'title' | 'actions' | 'payer_only'>;
  readonly envelope: string | null;
  /** One record; left out: all of the group. */
  readonly id?: string;
  readonly onStart: StartAction;
}

/** What can be done about errors: of a whole group, or of one record in it. */
export function GroupActions({ group, envelope, id, onStart }: Props) {
  const { whyNot } = useSession();
  const { stage, code, title, actions, payer_only } = group;
  const target = {
    stage,
    code,
    ...(id === undefined ? {} : { ids: [id] }),
    ...(envelope === null ? {} : { envelope }),
  };
  return (
    <span className="buttons">
      {actions.map((action) => (
        <Button
          key={action}
          small
          kind={id === undefined && action === 'retry' ? 'primary' : 'plain'}
          label={`${ACTION_LABELS[action]} ${id ?? `all: ${title}, ${code}`}`}
          whyNot={whyNot(payer_only.includes(action) ? 'payer' : 'operator')}
          onClick={() => onStart(action, target)}
        >
          {id === undefined ? `${ACTION_LABELS[action]} all` : ACTION_LABELS[action]}
        </Button>
      ))}
    </span>
  );
}
