import type { ActorDetail } from '../../../api/operator/wire/actors.ts';
import { type StartAction, useActionDialog } from '../../actions/use-action-dialog.tsx';
import { ACTION_LABELS, roleFor } from '../../actions/words.ts';
import { useSession } from '../../api.ts';
import { nameText } from '../../text.ts';
import { Button, Card, StateBadge, Time } from '../../ui/index.ts';
import { JobButton } from './JobButton.tsx';

type Region = ActorDetail['regions'][number];

/** Each region as it stands, and what can be done about it now. */
export function RegionsNow({
  actor,
  idle,
}: {
  readonly actor: ActorDetail;
  readonly idle: ReadonlySet<string>;
}) {
  const { start, dialog } = useActionDialog();
  const taking = actor.regions.filter(({ region }) => !idle.has(region));
  return (
    <Card title="Now">
      <ul className="regions">
        {taking.map((region) => (
          <li key={region.region} className="region">
            <div className="region-what">
              <h3>{nameText(region.region)}</h3>
              <StateBadge state={region.state} />
            </div>
            <Facts region={region} />
            <Actions id={actor.id} region={region} onStart={start} />
            {region.error === null ? null : <ErrorText error={region.error} />}
          </li>
        ))}
      </ul>
      {taking.length === actor.regions.length ? null : (
        <p className="regions-idle muted">
          Nothing has happened in{' '}
          {actor.regions
            .filter(({ region }) => idle.has(region))
            .map(({ region }) => nameText(region))
            .join(', ')}
          .
        </p>
      )}
      {dialog}
    </Card>
  );
}

const Facts = ({
  region: { attempts, max_attempts, since, due_at, stage, job },
}: {
  readonly region: Region;
}) => (
  <p className="region-facts">
    {since === null ? null : (
      <span>
        since <Time at={since} />
      </span>
    )}
    {max_attempts === null ? null : (
      <span>
        attempts {attempts} of {max_attempts}
      </span>
    )}
    {due_at === null ? null : (
      <span>
        due <Time at={due_at} />
      </span>
    )}
    {stage === null || job === null ? null : (
      <span>
        job <JobButton stage={stage} id={job} />
      </span>
    )}
  </p>
);

/** An error in full: its code, and what it says. */
export const ErrorText = ({ error }: { readonly error: { code: string; message: string | null } }) => (
  <span className="error-text">
    <code>{error.code}</code>
    {error.message === null ? null : <span>{error.message}</span>}
  </span>
);

interface ActionsProps {
  readonly id: string;
  readonly region: Region;
  readonly onStart: StartAction;
}

function Actions({ id, region: { region, stage, actions, error }, onStart }: ActionsProps) {
  const { whyNot } = useSession();
  if (stage === null || actions.length === 0) return null;
  return (
    <span className="buttons">
      {actions.map((action) => (
        <Button
          key={action}
          small
          label={`${ACTION_LABELS[action]}: ${nameText(region)}`}
          whyNot={whyNot(roleFor(action, error?.code))}
          onClick={() =>
            onStart(action, {
              stage,
              ids: [id],
              ...(error === null || action === 'dispatch' ? {} : { code: error.code }),
            })
          }
        >
          {ACTION_LABELS[action]}
        </Button>
      ))}
    </span>
  );
}
