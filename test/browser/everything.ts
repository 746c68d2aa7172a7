import type { CircuitView } from '../../src/connectors/circuit/circuit.ts';
import { processReport } from '../../src/telemetry/process-report.ts';
import { becomes } from '../support/becomes.ts';
import type { InKindPipeline, Located } from '../support/in-kind.ts';
import type { Disbursing, Program, Wanted } from '../support/pipeline.ts';
import {
  bankAccount,
  credit,
  dayOf,
  debit,
  type EnvelopeRow,
  reversal,
  statementText,
} from '../support/records.ts';
import { until } from '../support/wait.ts';
import { type BrowserWorld, LOOPBACK, openBrowserWorld } from './world.ts';

/** A world in which every page has something to show, and what there is in it. */
export interface Everything {
  readonly world: BrowserWorld;
  /** Digital cash that has been paid and is on the bank's statement. */
  readonly finished: Disbursing;
  /** Goods that everybody has been told of. */
  readonly goods: Disbursing;
  /** Its batch stands in ERROR at the bank. */
  readonly refused: Disbursing;
  readonly cancelled: Disbursing;
  /** Waits for payments to be resumed. */
  readonly held: Disbursing;
  /** Ids of records, one of each machine. */
  readonly ids: Readonly<Record<'envelope' | 'batch' | 'geo' | 'beneficiary' | 'statement', string>>;
  /** A statement with entries of every kind that does not fit. */
  readonly mixed: string;
}

/** The tests' systems are reached without circuits: what a process would tell of them. */
const CIRCUITS: ReadonlyMap<string, CircuitView> = new Map(
  ['bank:EXAMPLE-BANK', 'mapper', 'novu'].map((system, n) => [
    system,
    {
      state: n === 2 ? 'open' : 'closed',
      since: new Date(),
      failures: n === 2 ? 5 : 0,
      openings: n === 2 ? 1 : 0,
    },
  ]),
);

const DAY_MS = 86_400_000;
const BANK_REFUSES = [{ path: '/initiate_payment', kind: 'refuse', count: 3 }] as const;

/**
 * Starts a world and has everything happen in it that operators may come to see.
 *
 * @param operators settings of the operators' surface, besides those under which nobody need sign in
 * @param people in each of the larger batches
 */
export async function openEverything(
  operators: Readonly<Record<string, string>> = {},
  people = 6,
): Promise<Everything> {
  const world = await openBrowserWorld({
    withInKind: true,
    operators: { ...LOOPBACK, ...operators },
    system: { report: () => ({ ...processReport(CIRCUITS) }) },
    settings: { mt940_processor_max_attempts: '1', geo_resolution_max_attempts: '1' },
  });
  try {
    return await fill(world, people);
  } catch (error) {
    await world.close();
    throw error;
  }
}

async function fill(world: BrowserWorld, people: number): Promise<Everything> {
  const { inKind, pipeline } = world;
  if (inKind === null) throw new Error('Everything needs goods as well.');
  const cash = (program: Program, batches: readonly (readonly Wanted[])[], cycle: string, given = {}) =>
    pipeline.disburse(program, batches, { ...named('CASH', cycle), ...given });

  const [finished, { mixed }, goods] = await Promise.all([
    payAndReconcile(world, inKind, people),
    payWithSurprises(world, inKind),
    inKind.disburse('COMMODITY', [living(inKind, people), living(inKind, people)], {
      ...named('SEED', '2026-10'),
      measurement_unit: 'KG',
    }),
    inKind.disburse('CASH_PHYSICAL', [living(inKind, people)], named('RELIEF', '2026-10')),
    inKind.disburse('SERVICE', [[{ quantity: '1', zone: null }]], {
      ...named('VET', '2026-10'),
      measurement_unit: 'VISIT',
    }),
  ]);
  await notified(inKind, goods);

  await world.outside.bank.faults(BANK_REFUSES);
  const refused = await cash(await inKind.cashProgram(), [quantities(people)], '2026-10');
  await becomes(() => pipeline.batch(refused.batches[0]?.row.id), { sponsor_bank_dispatch_status: 'ERROR' });
  await world.outside.bank.faults([]);

  const tomorrow = dayOf(new Date(Date.now() + DAY_MS));
  const later = { disbursement_schedule_date: tomorrow, ...named('CASH', '2026-12') };
  await pipeline.announce(await inKind.cashProgram(), [quantities(people)], later);
  const cancelled = await pipeline.announce(await inKind.cashProgram(), [quantities(2)], {
    ...later,
    ...named('CASH', '2027-01'),
  });
  await act(world, `/operator/envelopes/${cancelled.envelope.id}/cancel`, 'Announced for the wrong cycle.');
  await act(world, '/operator/stages/check_funds_with_bank/tick', 'The ministry has just paid in.');
  await act(
    world,
    '/operator/stages/disburse_funds_from_bank/pause',
    'The bank asks us to hold payments until noon.',
  );
  const held = await cash(await inKind.cashProgram(), [quantities(people), quantities(people)], '2026-11');
  await becomes(() => pipeline.envelope(held.envelope.id), {
    funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS',
  });

  const [geo] = await inKind.geos(goods.batches[0]?.row.id);
  const [beneficiary] = await inKind.addresses(goods.batches[0]?.row.id);
  const ids = {
    envelope: finished.envelope.id,
    batch: refused.batches[0]?.row.id ?? '',
    geo: String(geo?.id),
    beneficiary: String(beneficiary?.id),
    statement: mixed,
  };
  return { world, finished, goods, refused, cancelled, held, ids, mixed };
}

/** An envelope that goes through without a hitch. */
async function payAndReconcile(
  { outside, pipeline }: BrowserWorld,
  inKind: InKindPipeline,
  people: number,
): Promise<Disbursing> {
  const program = await inKind.cashProgram();
  const batches = Array.from({ length: 3 }, () => quantities(people));
  const disbursing = await pipeline.disburse(program, batches, named('CASH', '2026-09'));
  await shipped(inKind, disbursing);
  await pipeline.upload(await outside.bank.statement(program.account));
  await becomes(() => pipeline.envelope(disbursing.envelope.id), {
    number_of_disbursements_reconciled: 3 * people,
  });
  return disbursing;
}

/** Payments of which the bank's statement says something else, and a statement of an account that nobody knows. */
async function payWithSurprises(
  { pipeline }: BrowserWorld,
  inKind: InKindPipeline,
): Promise<{ mixed: string }> {
  const program = await inKind.cashProgram();
  const disbursing = await pipeline.disburse(
    program,
    [['10.50', '20', '30', '40']],
    named('SCHOOL', '2026-09'),
  );
  await shipped(inKind, disbursing);
  const [a = '', b = '', c = '', d = ''] = disbursing.ids;
  const [mixed = ''] = await pipeline.upload(
    statementText(program.account, [
      debit(a, '10.50'),
      debit(a, '10.50'),
      debit(b, '21'),
      debit('nobody', '5'),
      debit(c, '30'),
      reversal(c, '30', 'ACCOUNT CLOSED'),
      reversal(d, '40', 'NO SUCH ACCOUNT'),
      credit('100'),
    ]),
  );
  await becomes(() => pipeline.statement(mixed), { statement_process_status: 'PROCESSED' });
  const [unknown] = await pipeline.upload(statementText('0000-1111', [debit(d, '40')]));
  await becomes(() => pipeline.statement(unknown), { statement_process_status: 'ERROR' });
  return { mixed };
}

const shipped = ({ pipeline }: InKindPipeline, { envelope, ids }: Disbursing) =>
  becomes(() => pipeline.envelope(envelope.id), { number_of_disbursements_shipped: ids.length });

async function notified(inKind: InKindPipeline, { batches }: Disbursing): Promise<void> {
  for (const { row } of batches) {
    await until('everybody has been told', async () => {
      const addresses = await inKind.addresses(row.id);
      return (
        addresses.length > 0 &&
        addresses.every((address) => address.beneficiary_notification_status === 'PROCESSED')
      );
    });
  }
}

/** What a programme is called, and the cycle that the envelope is of. */
const named = (code: string, cycle: string): Partial<EnvelopeRow> => ({
  benefit_program_mnemonic: 'SEEDS',
  benefit_code_mnemonic: code,
  cycle_code_mnemonic: cycle,
});

const quantities = (count: number): Wanted[] =>
  Array.from({ length: count }, (_, n) => ({
    quantity: `${100 + ((n * 37) % 60)}.50`,
    address: bankAccount(),
  }));

const living = (inKind: InKindPipeline, count: number): Located[] =>
  Array.from({ length: count }, (_, n) => inKind.living(n % 3, String((n % 5) + 1)));

async function act({ url }: BrowserWorld, path: string, reason: string): Promise<void> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason }),
  });
  if (!response.ok) throw new Error(`${path} was answered ${response.status} ${await response.text()}`);
}
