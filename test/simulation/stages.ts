import type { Outcome, Stage, Work } from '../../src/runtime/stage.ts';
import type { Bank } from './outside.ts';
import { tablesOf } from './rows.ts';
import { sessionOf } from './storage.ts';
import { itemActor, orderActor } from './toys.ts';
import { atOnce, fault } from './transaction.ts';
import type { Process } from './world.ts';

/** What stages are told besides. */
export interface Doing {
  readonly process: Process;
  readonly bank: Bank;
  /** Work fails now and then, while this says so. */
  readonly isRough: () => boolean;
  /** Told around every announcement of a payment. */
  readonly submitting: (work: Work) => Promise<{ readonly number: number; readonly maybeSent: boolean }>;
}

const policy = { maxAttempts: 3, frequencySeconds: 5, concurrency: 2 };

/** The work of the orders and items. */
export const stagesOf = (doing: Doing): Stage[] => [
  { ...policy, name: 'prepare', actor: orderActor, region: 'prepare', perform: () => plain(doing) },
  {
    ...policy,
    name: 'check',
    actor: itemActor,
    region: 'check',
    setSize: 2,
    performSet: (set) => Promise.all(set.map((work) => check(doing, work))),
  },
  { ...policy, name: 'pay', actor: itemActor, region: 'pay', perform: (work) => pay(doing, work) },
];

async function plain({ process, isRough }: Doing): Promise<Outcome> {
  const { world } = process;
  await process.timing.sleep(world.latency());
  if (!isRough() || world.chance(0.8)) return { kind: 'succeeded' };
  if (world.chance(0.3)) {
    const until = new Date(process.now().getTime() + 700);
    return { kind: 'postponed', until, code: 'AWAY', message: 'What it needs is away.' };
  }
  if (world.chance(0.3)) throw fault('THROWN', 'it threw');
  return { kind: 'failed', code: 'FAILED', message: 'It failed.' };
}

/** Writes a note with the next number, which only one may write at a time. */
async function check(doing: Doing, work: Work): Promise<Outcome> {
  const outcome = await plain(doing);
  if (outcome.kind !== 'succeeded') return outcome;
  return {
    ...outcome,
    exclusively: ['notes'],
    write: async ({ sql }) => {
      const session = sessionOf(sql);
      const { notes } = tablesOf(session.client.server);
      const number = await session.request(
        'countNotes',
        atOnce((t) => {
          return notes.select(t).length + 1;
        }),
      );
      const isNew = await session.request('writeNote', (t) =>
        notes.insert(t, number, { number, item: work.id }),
      );
      if (!isNew) throw fault('23505', `there is a note ${number} already`);
    },
  };
}

/** The rules of whoever moves money: announce, ask when in doubt, send once. */
async function pay({ process, bank, submitting }: Doing, work: Work): Promise<Outcome> {
  const { number, maybeSent } = await submitting(work);
  const key = `${work.id}-${number}`;
  if (maybeSent && !bank.knowsKeys)
    return { kind: 'failed', code: 'OUTCOME_UNKNOWN', message: `Was ${key} paid?`, final: true };
  const known = maybeSent ? await bank.ask(process, key, work.signal) : null;
  let answer = known;
  try {
    answer ??= await bank.pay(process, work.id, key, work.signal);
  } catch (error) {
    const { code, message } = error as Error & { code: string };
    // Surely not sent by this try; by an earlier one it may have been.
    if (code === 'UNREACHABLE') return { kind: 'failed', code, message, unsent: !maybeSent };
    return { kind: 'failed', code, message };
  }
  if (answer === 'paid') return { kind: 'succeeded' };
  return { kind: 'refused', code: 'REFUSED', message: `The bank refuses ${key}.` };
}
