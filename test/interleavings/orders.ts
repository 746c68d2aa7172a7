import { setTimeout as delay } from 'node:timers/promises';
import type { Sql } from '../../src/db/connection.ts';
import { type Statement, startWire, type Wire } from './wire.ts';

/** Whatever stands still for so long, while somebody could go on, hangs. */
const STANDSTILL_MS = 10_000;
const LOOK_AGAIN_MS = 2;
/** How often a party may be interrupted while it could go on; more finds more, and takes longer. */
const INTERRUPTIONS = Number(process.env.INTERLEAVINGS_INTERRUPTIONS ?? 0);
/** How long all orders of one pair may take. */
export const ORDERS_TIMEOUT_MS = INTERRUPTIONS === 0 ? 120_000 : 3_600_000;

/** One of those whose statements are put into every order. */
export interface Party {
  readonly wire: Wire;
  /** What it does; it must not throw unless that breaks a promise. */
  act(): Promise<unknown>;
}

/** An order that was run, for people. */
export interface Order {
  /** Whose statements came one after the other, `ABBA…`. */
  readonly turns: string;
  /** The statements themselves, as they were let go. */
  readonly statements: readonly string[];
}

export interface Pair<Scene> {
  /** Prepares records of its own for one order; statements pass meanwhile. */
  prepare(n: number): Promise<Scene>;
  parties(scene: Scene): readonly Party[];
  /** Throws when something does not hold that must hold in every order. */
  check(scene: Scene, order: Order): Promise<void>;
  /** Called whenever nobody goes on but when told to. */
  readonly between?: () => Promise<void>;
  /** Interruptions that are tried when no other number was asked for; one unless told otherwise. */
  readonly interruptions?: number;
}

/** Wires of a database, and what is needed to step their statements. */
export interface Stepping {
  /** @param isStepped as for {@link startWire}; left out: all statements of the runtime but those that only begin something */
  wire(isStepped?: (statement: Statement) => boolean): Promise<Wire>;
  /**
   * Runs what a pair does in every order of its statements in which no more than so many of them come from a party that
   * interrupts another. A party that waits for a lock is not interrupted when another goes on.
   *
   * @returns how many orders there were
   * @throws what broke, with the order that broke it
   */
  everyOrder<Scene>(pair: Pair<Scene>): Promise<number>;
  close(): Promise<void>;
}

/** Takes no snapshot and no lock, so its turn is that of what follows. */
const OPENS = /^\s*(begin|select 1$|savepoint|select set_config|show|listen|unlisten|rollback to)/i;
const RUNTIME = /^actor /;

/**
 * @param url of the database
 * @param sql a connection that is not stepped, to see who waits for a lock
 */
export function stepping(url: string, sql: Sql): Stepping {
  const wires: Wire[] = [];
  let changed = Promise.withResolvers<void>();
  const onChange = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const oneOfTheRuntime = ({ text, application }: Statement) =>
    RUNTIME.test(application) && !OPENS.test(text);

  /** Whether each of some server processes waits for a lock that another one holds. */
  const allWait = async (pids: readonly number[]): Promise<boolean> => {
    const [row] = await sql<{ all: boolean | null }[]>`
      select bool_and(pg_blocking_pids(pid) <> '{}') as all from unnest(${pids as number[]}::int[]) pid`;
    return row?.all ?? false;
  };

  /** Waits until each party has a statement held, or waits for a lock, or has ended, and one can go on unless all have. */
  async function standstill(parties: readonly Party[], ended: ReadonlySet<Party>): Promise<void> {
    const deadline = Date.now() + STANDSTILL_MS;
    for (;;) {
      const going = parties.filter((party) => !ended.has(party) && !party.wire.held);
      if (going.length === 0) return;
      if (Date.now() > deadline) throw new Error(`Nothing happened for ${STANDSTILL_MS} ms.`);
      const change = changed.promise;
      const quiet = await Promise.race([change.then(() => false), delay(LOOK_AGAIN_MS, true)]);
      if (!quiet || !parties.some(({ wire }) => wire.held)) continue;
      if (!going.every(({ wire }) => wire.busy.length > 0)) continue;
      const wait = await allWait(going.flatMap(({ wire }) => wire.busy));
      if (wait && change === changed.promise) return;
    }
  }

  /** @param choose which of some parties goes on; the first is the one that went on before, if it can */
  async function run(
    parties: readonly Party[],
    choose: (able: readonly Party[], stays: boolean) => Party,
    between: () => Promise<void> = async () => {},
  ) {
    const ended = new Set<Party>();
    const problems: unknown[] = [];
    const statements: string[] = [];
    let turns = '';
    let last: Party | undefined;
    for (const { wire } of parties) wire.hold();
    try {
      for (const party of parties) {
        void party
          .act()
          .catch((error: unknown) => problems.push(error))
          .finally(() => {
            ended.add(party);
            onChange();
          });
      }
      for (;;) {
        await standstill(parties, ended);
        await between();
        const able = parties.filter(({ wire }) => wire.held);
        if (able.length === 0) break;
        const stays = last !== undefined && able.includes(last);
        const next = choose(stays && last ? [last, ...able.filter((one) => one !== last)] : able, stays);
        const name = String.fromCharCode(65 + parties.indexOf(next));
        turns += name;
        statements.push(`${name}: ${inOneLine(next.wire.held?.text ?? '')}`);
        next.wire.step();
        last = next;
      }
    } catch (error) {
      problems.push(error);
    } finally {
      for (const { wire } of parties) wire.pass();
    }
    return { order: { turns, statements }, problems };
  }

  return {
    async wire(isStepped = oneOfTheRuntime) {
      const wire = await startWire(url, isStepped, onChange);
      wires.push(wire);
      return wire;
    },
    async everyOrder<Scene>(pair: Pair<Scene>) {
      const interruptionsMax = INTERRUPTIONS || (pair.interruptions ?? 1);
      let first: readonly number[] | null = [];
      let count = 0;
      for (; first; count += 1) {
        const scene = await pair.prepare(count);
        const parties = pair.parties(scene);
        const path = follow(first, interruptionsMax);
        const { order, problems } = await run(parties, path.choose, pair.between);
        try {
          if (problems.length > 0) throw problems[0];
          await pair.check(scene, order);
        } catch (error) {
          const lines = [`In the order ${order.turns}: ${error}`, ...order.statements];
          throw new Error(lines.join('\n'), { cause: error });
        }
        first = path.next();
      }
      return count;
    },
    async close() {
      await Promise.all(wires.map((wire) => wire.close()));
    },
  };
}

/**
 * One path through all the choices there are, beginning with some that were made before; always the first one after that.
 * Going through the paths that follow each other goes through all of them.
 */
function follow(first: readonly number[], interruptionsMax: number) {
  const made: { readonly picked: number; readonly of: number }[] = [];
  let interruptions = 0;
  return {
    choose(able: readonly Party[], stays: boolean): Party {
      const of = stays && interruptions === interruptionsMax ? 1 : able.length;
      const picked = Math.min(first[made.length] ?? 0, of - 1);
      if (stays && picked > 0) interruptions += 1;
      made.push({ picked, of });
      const next = able[picked];
      if (!next) throw new Error('Nobody can go on.');
      return next;
    },
    /** The choices that the next path begins with; null after the last one. */
    next(): readonly number[] | null {
      const at = made.findLastIndex(({ picked, of }) => picked + 1 < of);
      return at < 0 ? null : [...made.slice(0, at).map(({ picked }) => picked), (made[at]?.picked ?? 0) + 1];
    },
  };
}

const inOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim().slice(0, 160);
