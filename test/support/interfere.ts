import type { StageName } from '../../src/config.ts';
import type { Outcome, Stage, Work } from '../../src/runtime/stage.ts';
import type { ProcessOptions } from './pipeline-system.ts';

/** What happens around each attempt of a stage, in whichever process; a test sets and takes away what it needs. */
export interface Interference {
  /** Before the stage performs. */
  before?: ((work: Work) => Promise<void>) | undefined;
  /** After it has performed and before that is recorded. */
  after?: ((work: Work, outcome: Outcome) => Promise<Outcome>) | undefined;
}

/** Puts an interference between one stage and the system. */
export function interfering(
  name: StageName,
  interference: Interference,
): NonNullable<ProcessOptions['between']> {
  return (stages: readonly Stage[]) =>
    stages.map((stage) => {
      if (stage.name !== name || !('perform' in stage)) return stage;
      const perform = async (work: Work): Promise<Outcome> => {
        await interference.before?.(work);
        const outcome = await stage.perform(work);
        return interference.after ? interference.after(work, outcome) : outcome;
      };
      return { ...stage, perform };
    });
}
