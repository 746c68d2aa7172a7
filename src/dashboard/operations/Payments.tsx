import { Icon, Time } from '../ui/index.ts';
import { PauseButton } from './StageAction.tsx';
import type { StageRow } from './types.ts';

/** The emergency stop: whether payments go out, and the one button that changes it. */
export const Payments = ({ stage }: { readonly stage: StageRow }) => (
  <section className={`payments ${stage.paused === null ? '' : 'payments-stopped'}`} aria-label="Payments">
    <Icon name={stage.paused === null ? 'play' : 'paused'} size={20} />
    <div className="payments-text" role="status">
      {stage.paused === null ? (
        <>
          <p className="payments-state">Payments go out</p>
          <p className="muted">In an emergency, stop them everywhere within a second.</p>
        </>
      ) : (
        <>
          <p className="payments-state">Payments are stopped</p>
          <p>
            By {stage.paused.by}, <Time at={stage.paused.since} />: {stage.paused.reason}
          </p>
        </>
      )}
    </div>
    <PauseButton stage={stage} large />
  </section>
);
