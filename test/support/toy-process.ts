import '../../src/quick-start.ts';
import { once } from 'node:events';
import { connect } from '../../src/db/connection.ts';
import type { Outcome, Work } from '../../src/runtime/stage.ts';
import { ActorSystem } from '../../src/runtime/system.ts';
import { documentActor, TOY_ACTORS, toyStages } from './toy.ts';

/**
 * A process of the print shop that does one thing until it is killed. Says each step on a line of stdout, so that the
 * test can kill it at the right moment.
 *
 * - `print`: prints like everybody else
 * - `hang`: begins to print and never ends
 * - `submit`: stores that a print is about to be sent, and never gets an answer
 * - `send`: the same, but takes the signal to break off
 * - `die-while-recording`: kills itself within the transaction that records the result
 * - `die-after-commit`: kills itself right after a commit that has stored a message, before the message is delivered
 */
const [url = '', behaviour = ''] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);
const forever = () => new Promise<never>(() => {});
const dieNow = () => process.kill(process.pid, 'SIGKILL');

async function print(work: Work): Promise<Outcome> {
  say(`performing ${work.id}`);
  if (behaviour === 'hang') await forever();
  if (behaviour === 'submit') {
    await work.submitting();
    say(`submitted ${work.id}`);
    await forever();
  }
  if (behaviour === 'send') {
    await work.submitting();
    say(`sending ${work.id}`);
    await once(work.signal, 'abort');
    say(`broke off ${work.id}`);
    work.signal.throwIfAborted();
  }
  return {
    kind: 'succeeded',
    async write({ sql }) {
      await sql`insert into toy_prints (document_id, note) values (${work.id}, ${`process ${process.pid}`})`;
      if (behaviour === 'die-while-recording') {
        dieNow();
        await forever();
      }
    },
  };
}

const system = new ActorSystem({
  database: connect(url, { max: 4 }),
  actors: TOY_ACTORS,
  stages: toyStages({ printing: print }),
  works: behaviour !== 'die-after-commit',
  backoff: { baseMs: 10, maxMs: 50 },
  lookForDeadMs: 500,
});
process.once('SIGTERM', () => void system.stop(500).then(() => process.exit(0)));
await system.start();
say('ready');
if (behaviour === 'die-after-commit') {
  // Called before anything else can happen after the commit.
  system.store.onCommit(dieNow);
  await system.transact(async (tx) => {
    await tx.sql`insert into toy_documents (id, order_id, pages) values ('of-the-dead', 'o1', 3)`;
    await tx.send(documentActor, [{ id: 'of-the-dead', event: { type: 'received', at: tx.now } }]);
    tx.tell({ machine: 'order', id: 'o1' }, { type: 'printed', pages: 3 } as { type: string });
  });
}
