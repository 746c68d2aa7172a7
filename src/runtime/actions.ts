import type { Tx } from '../db/connection.ts';
import type { StageRegion } from './actor.ts';
import type { SnapshotView } from './codec.ts';
import { RuntimeError } from './errors.ts';
import { requireRunning } from './pause-rows.ts';
import { outcomeTransaction } from './recorder.ts';
import type { Stage } from './stage.ts';
import type { ActorStore } from './store.ts';
import type { ActorTransaction } from './transaction.ts';
import { requireWho, type Who } from './who.ts';

/** `retry` and `release` take work out of ERROR; `dispatch` begins work that waits, now. */
export type Action = 'retry' | 'release' | 'dispatch';

/** Pieces of work that one call acts on at most: one transaction locks them all. */
export const ACT_MAX = 500;

/** What became of an action, by the ids of the actors. */
export interface Acted {
  readonly accepted: string[];
  /** Those that could not do it, (any more): they are unchanged. */
  readonly refused: string[];
}

/** What an action may be told besides. */
export interface ActOptions {
  /** Leaves out those of which it says no, as they stand when they are locked. */
  readonly only?: (actor: SnapshotView) => boolean;
  /** What else is stored with it (an audit entry), in the same transaction; called even when all refused. */
  readonly also?: (sql: Tx, acted: Acted) => Promise<void>;
}

/**
 * An operator's action on a set of pieces of work of one stage, in one transaction.
 *
 * @throws RuntimeError `TOO_MANY` for more than 500, `WHO_MISSING`; PausedError for `dispatch` while the stage is paused;
 *   what `onRelease` or `also` throws: nothing is stored then
 */
export async function act(
  store: ActorStore,
  stage: Stage,
  action: Action,
  ids: readonly string[],
  who: Who,
  { only = () => true, also }: ActOptions = {},
): Promise<Acted> {
  const { by, reason } = requireWho(who);
  const wanted = [...new Set(ids)];
  if (wanted.length > ACT_MAX)
    throw new RuntimeError('TOO_MANY', `${wanted.length} records at once; ${ACT_MAX} are allowed.`);
  return store.transact(async (tx) => {
    if (action === 'dispatch') await requireRunning(store.storage, tx.sql, stage.name);
    await tx.load(stage.actor, wanted);
    const able = wanted.filter((id) => {
      const actor = tx.peek(stage.actor, id);
      return actor !== null && only(actor) && (action !== 'dispatch' || waits(stage, actor, tx.now));
    });
    const results = await tx.deliver(
      stage.actor,
      able.map((id) => {
        const job = action === 'dispatch' ? { job: store.jobs.newId() } : {};
        return { id, event: { type: `${stage.region}.${action}`, at: tx.now, by, reason, ...job } };
      }),
    );
    const accepted = new Set(results.filter((result) => result.accepted).map(({ id }) => id));
    const acted = {
      accepted: wanted.filter((id) => accepted.has(id)),
      refused: wanted.filter((id) => !accepted.has(id)),
    };
    if (action === 'release') await released(tx, stage, acted.accepted);
    await also?.(tx.sql, acted);
    return acted;
  });
}

/** What the stage writes about the parts that failed. */
export async function released(tx: ActorTransaction, stage: Stage, ids: readonly string[]): Promise<void> {
  for (const id of ids) await stage.onRelease?.(outcomeTransaction(tx), id);
}

/**
 * Whether work waits for nothing but time: it is due, or tried before and due again later. Work that waits for something
 * else (its funds), or for its appointed day, is not an operator's to begin.
 */
export function waits(stage: Stage, { value, context }: SnapshotView, now: Date): boolean {
  const region = stage.actor.stages.find((one) => one.region === stage.region);
  const data = context.stages[stage.region];
  if (!region || !data || !statesThatWait(region).includes(value[stage.region] ?? '')) return false;
  return data.dueAt !== null && (data.dueAt <= now || data.errorCode !== null);
}

const statesThatWait = ({ pending, askAgain }: StageRegion): string[] => [pending, ...askAgain];
