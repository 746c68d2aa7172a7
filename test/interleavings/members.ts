import type { Job } from 'pg-boss';
import { connect, type Database } from '../../src/db/connection.ts';
import { type JobData, workerQueue } from '../../src/runtime/jobs.ts';
import { Mailbox } from '../../src/runtime/mailbox.ts';
import { Performer } from '../../src/runtime/performer.ts';
import { Processes } from '../../src/runtime/processes.ts';
import { Recorder } from '../../src/runtime/recorder.ts';
import type { Stage } from '../../src/runtime/stage.ts';
import { ActorSystem, type SystemOptions } from '../../src/runtime/system.ts';
import { openShop, type Shop } from '../support/shop.ts';
import { TOY_ACTORS, toyStages } from '../support/toy.ts';
import { type Stepping, stepping } from './orders.ts';
import type { Statement, Wire } from './wire.ts';

/** A process of the print shop that does nothing by itself: the test has its parts do what they are there for. */
export interface Member {
  readonly system: ActorSystem;
  readonly database: Database;
  readonly wire: Wire;
  readonly processes: Processes;
  readonly recorder: Recorder;
  readonly performer: Performer;
  /** Fetches the oldest job of a stage, as a worker does. */
  fetch(stage: Stage): Promise<Job<JobData>>;
  /** Delivers the mail that there is now, and no more. */
  deliverMail(): Promise<void>;
}

export interface MemberOptions extends Partial<SystemOptions> {
  readonly isStepped?: (statement: Statement) => boolean;
}

/** A print shop whose processes are stepped. */
export interface SteppedShop {
  readonly shop: Shop;
  readonly everyOrder: Stepping['everyOrder'];
  join(options?: MemberOptions): Promise<Member>;
  close(): Promise<void>;
}

/** The stage of the print shop that works on a region. */
export function stageOf(region: string): Stage {
  const stage = toyStages().find((one) => one.region === region);
  if (!stage) throw new Error(`The shop has no stage ${region}.`);
  return stage;
}

/** The others are looked for when the test says so. */
const NEVER_MS = 3_600_000;

export async function openSteppedShop(): Promise<SteppedShop> {
  const shop = await openShop();
  const { sql } = shop.database;
  // Whoever waits crosswise is to find out soon.
  await sql.unsafe(`alter database ${new URL(shop.url).pathname.slice(1)} set deadlock_timeout = '20ms'`);
  const steps = stepping(shop.url, sql);
  const ends: (() => Promise<unknown>)[] = [];
  return {
    shop,
    everyOrder: steps.everyOrder,
    async join({ isStepped, ...options } = {}) {
      const wire = await steps.wire(isStepped);
      const database = connect(wire.url, { max: 2 });
      const system = new ActorSystem({
        database,
        actors: TOY_ACTORS,
        stages: toyStages(),
        works: false,
        backoff: { baseMs: 10, maxMs: 50 },
        ...options,
      });
      const { store, pauses } = system;
      await store.jobs.start(store.registry.stages);
      const processes = new Processes(store, 'member', NEVER_MS, () => {});
      await processes.start();
      await pauses.look();
      ends.push(async () => {
        await processes.stop();
        await pauses.stop();
        await store.jobs.boss.stop({ graceful: false, close: true });
        await store.close();
        await database.close();
      });
      return {
        system,
        database,
        wire,
        processes,
        recorder: new Recorder(store),
        performer: new Performer(store, processes, pauses),
        async fetch(stage) {
          const [job] = await store.jobs.boss.fetch<JobData>(workerQueue(stage));
          if (!job) throw new Error(`No job waits for ${stage.name}.`);
          return { ...job, signal: new AbortController().signal };
        },
        async deliverMail() {
          const mailbox = new Mailbox(store);
          mailbox.start();
          await mailbox.stop();
        },
      };
    },
    async close() {
      await Promise.all(ends.map((end) => end()));
      await steps.close();
      await shop.close();
    },
  };
}
