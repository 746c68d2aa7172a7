import { useState } from 'react';
import type { Ticked } from '../../api/operator/wire/actions.ts';
import { ReasonDialog } from '../actions/ReasonDialog.tsx';
import { act, useSession } from '../api.ts';
import { countText } from '../format/number.ts';
import { announce, Button, Icon } from '../ui/index.ts';
import type { StageRow } from './types.ts';

const pathOf = (stage: StageRow, action: string): string =>
  `/operator/stages/${encodeURIComponent(stage.stage)}/${action}`;

/** Stops the work of a stage everywhere, or lets it go on. */
export function PauseButton({
  stage,
  large = false,
}: {
  readonly stage: StageRow;
  readonly large?: boolean;
}) {
  const { whyNot } = useSession();
  const [asking, setAsking] = useState(false);
  const pays = stage.payer_only;
  const verb =
    stage.paused === null ? (pays ? 'Stop payments' : 'Pause') : pays ? 'Resume payments' : 'Resume';
  const why = stage.paused !== null && pays ? whyNot('payer') : whyNot('operator');
  const isPausing = stage.paused === null;
  return (
    <>
      <Button
        small={!large}
        kind={isPausing && large ? 'danger' : 'plain'}
        whyNot={why}
        onClick={() => setAsking(true)}
        label={large ? verb : `${verb}: ${stage.title}`}
      >
        <Icon name={isPausing ? 'paused' : 'play'} size={12} />
        {verb}
      </Button>
      {asking ? (
        <ReasonDialog
          title={isPausing ? `${verb}${pays ? '' : ` “${stage.title}”`} everywhere?` : `${verb}?`}
          body={<p>{isPausing ? pauseText(pays) : resumeText(pays)}</p>}
          confirmLabel={verb}
          danger={isPausing && pays}
          onClose={() => setAsking(false)}
          onConfirm={async (reason) => {
            await act(pathOf(stage, isPausing ? 'pause' : 'resume'), { reason });
            announce(isPausing ? `${stage.title} is paused.` : `${stage.title} goes on.`);
          }}
        />
      ) : null}
    </>
  );
}

const pauseText = (pays: boolean): string =>
  pays
    ? 'Within a second no process sends payments to the bank any more. What the bank has accepted already is out. It stays so, over restarts too, until a payer resumes payments.'
    : 'Within a second no process does work of this stage any more. Work waits, over restarts too, until somebody resumes it.';

const resumeText = (pays: boolean): string =>
  pays
    ? 'Everything that has become due meanwhile will be paid at once.'
    : 'Everything that has become due meanwhile will be done at once.';

/** Runs the tick of a stage now, as if its time had come. */
export function TickButton({ stage }: { readonly stage: StageRow }) {
  const { whyNot } = useSession();
  const [asking, setAsking] = useState(false);
  const why = whyNot('operator') ?? (stage.paused === null ? null : 'Paused: resume it first.');
  return (
    <>
      <Button small whyNot={why} onClick={() => setAsking(true)} label={`Run now: ${stage.title}`}>
        Run now
      </Button>
      {asking ? (
        <ReasonDialog
          title={`Run the tick of “${stage.title}” now?`}
          body={<p>It takes up work that is due and work that was left hanging, as it does by itself.</p>}
          confirmLabel="Run now"
          onClose={() => setAsking(false)}
          onConfirm={async (reason) => {
            const { dispatched, stale } = await act<Ticked>(pathOf(stage, 'tick'), { reason });
            announce(`${countText(dispatched)} dispatched, ${countText(stale)} recovered.`);
          }}
        />
      ) : null}
    </>
  );
}
