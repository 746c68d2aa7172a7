import '../../src/quick-start.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { insertRows } from '../../src/db/bulk.ts';
import { connect } from '../../src/db/connection.ts';
import { accountStatements } from '../../src/db/schema/index.ts';
import { ActorSystem } from '../../src/runtime/system.ts';
import { ACTORS, statementActor } from '../../src/stages/actors.ts';
import { epochMs } from './figures.ts';

/**
 * A process that makes a steady number of transitions per second, in several transactions at a time, and then tells its
 * parent when each was committed: `feed-writer.ts URL TRANSITIONS_PER_SECOND SECONDS RUN`.
 */
const [url = '', perSecond = '', seconds = '', run = ''] = process.argv.slice(2);
/** Transactions at a time, which end in any order. */
const LANES = 4;
const ACTORS_PER_TRANSACTION = 5;

const database = connect(url, { max: 4 });
const system = new ActorSystem({ database, actors: ACTORS, stages: [], works: false, mode: 'tick' });
/** By {@link keyOf}, in the words of the journal. */
const committed: [string, number][] = [];
system.store.onCommit(({ transitions }) => {
  const at = epochMs();
  for (const one of transitions) committed.push([`${one.actor_id} ${one.at.getTime()} ${one.event}`, at]);
});
await system.start();

const lanes = Array.from({ length: LANES }, (_, lane) =>
  Array.from({ length: ACTORS_PER_TRANSACTION }, (__, n) => `${run}-${lane}-${n}`),
);
const at = new Date();
const rows = lanes.flat().map((id) => ({
  statement_id: id,
  statement_upload_timestamp: at,
  number_of_entries: 0,
  content_digest: id,
}));
await insertRows(database.sql, accountStatements, rows);
await system.transact((tx) =>
  tx.send(
    statementActor,
    lanes.flat().map((id) => ({ id, event: { type: 'uploaded', at } as const })),
  ),
);
process.send?.('ready');
await new Promise((resolve) => process.once('message', resolve));
committed.length = 0;
const began = performance.now();
await Promise.all(lanes.map(work));
await system.stop();
await database.close();
process.send?.(committed, () => process.disconnect());

/** Cancels and enables the actors of a lane in turns, each turn when its time has come. */
async function work(ids: readonly string[], lane: number): Promise<void> {
  const everyMs = (1_000 * LANES * ACTORS_PER_TRANSACTION) / Number(perSecond);
  const turns = Math.floor((Number(seconds) * 1_000) / everyMs);
  for (let turn = 0; turn < turns; turn += 1) {
    const dueMs = began + (turn + lane / LANES) * everyMs;
    await delay(Math.max(0, dueMs - performance.now()));
    await system.transact((tx) =>
      tx.send(
        statementActor,
        ids.map((id) => ({
          id,
          event:
            turn % 2 === 0
              ? ({ type: 'statement_process.cancel', at: tx.now } as const)
              : ({ type: 'statement_process.enable', dueAt: tx.now, at: tx.now } as const),
        })),
      ),
    );
  }
}
