import type { Tx } from '../../db/connection.ts';
import type { OperatorContext } from './context.ts';
import { type ErrorCount, errorCounts } from './error-counts.ts';
import type { MissingView } from './missing.ts';
import { type ProcessOnWire, processesOf, works } from './processes.ts';
import type { StageOverview } from './stage-overview.ts';
import { stageNamed } from './stages.ts';
import { PAYER_CODES } from './wire/actions.ts';
import type { Attention } from './wire/overview.ts';

/** What {@link attentionOf} needs to know besides what it reads. */
export interface Known {
  readonly now: Date;
  readonly stages: readonly StageOverview[];
  readonly missing: MissingView | null;
}

/** Nobody works through more of them in a morning. */
const SHOWN_MAX = 50;
const HOUR_MS = 3_600_000;
/** Statements are compared while they are new; nobody puts old ones right. */
const MISMATCH_DAYS = 7;
/** Entries that match nothing are counted up to here. */
const MISMATCHES_COUNTED_MAX = 10_000;

const SEVERITIES: readonly Attention['severity'][] = ['high', 'medium', 'low'];

/** What needs a person, the most pressing first: each with what it is and what to do. */
export async function attentionOf(context: OperatorContext, tx: Tx, known: Known): Promise<Attention[]> {
  const processes = await processesOf(tx);
  const all = [
    ...errorsNow(known.stages, await errorCounts(context.system, tx)),
    ...noWorker(processes),
    ...paused(context, known.stages),
    ...openCircuits(processes),
    ...stuck(context, known),
    ...withoutMoney(known.stages),
    ...(await parked(tx)),
    ...missing(context, known),
    ...(await mismatches(tx, known.now)),
  ];
  return all
    .toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
    .slice(0, SHOWN_MAX);
}

type Told = Omit<Attention, 'stage' | 'code' | 'since'> & Partial<Attention>;
const tell = (told: Told): Attention => ({ since: null, stage: null, code: null, ...told });

const times = (count: number, one: string, many: string): string =>
  count === 1 ? `One ${one}` : `${count.toLocaleString('en')} ${many}`;

function errorsNow(stages: readonly StageOverview[], errors: readonly ErrorCount[]): Attention[] {
  return errors.map(({ stage, code, submitted, count, since }) => {
    const title = stages.find((one) => one.stage === stage)?.title ?? stage;
    const unknown = submitted || PAYER_CODES.includes(code);
    const sentence = unknown
      ? `${times(count, 'batch has', 'batches have')} payments that the bank may or may not have taken (${code}): ` +
        'ask the bank, then release what it took or retry what it did not.'
      : `${times(count, 'record', 'records')} stopped at "${title}" with ${code}: ` +
        'see under Errors what is wrong, put it right, and retry.';
    return tell({
      kind: unknown ? 'outcome_unknown' : 'errors',
      severity: unknown ? 'high' : 'medium',
      sentence,
      count,
      since: since.toISOString(),
      stage,
      code,
    });
  });
}

function noWorker(processes: readonly ProcessOnWire[]): Attention[] {
  if (processes.some(works)) return [];
  const sentence = 'No process that does work is alive, so nothing moves: start a worker.';
  return [tell({ kind: 'no_worker', severity: 'high', sentence, count: 1 })];
}

function paused({ system }: OperatorContext, stages: readonly StageOverview[]): Attention[] {
  return stages.flatMap(({ stage, title, paused: pause, tally }) => {
    if (!pause) return [];
    const waits = tally.pending + tally.ask_again;
    return tell({
      kind: 'paused',
      severity: stageNamed(system, stage).payerOnly ? 'high' : 'medium',
      sentence:
        `"${title}" is paused by ${pause.by} (${pause.reason}) and ${times(waits, 'record waits', 'records wait')}: ` +
        'resume it under Operations when that is settled.',
      count: waits,
      since: pause.since,
      stage,
    });
  });
}

function openCircuits(processes: readonly ProcessOnWire[]): Attention[] {
  const open = processes
    .filter(({ alive }) => alive)
    .flatMap(({ report }) => (report?.circuits ?? []).filter(({ state }) => state !== 'closed'));
  return [...Map.groupBy(open, ({ system }) => system)].map(([system, some]) =>
    tell({
      kind: 'circuit_open',
      severity: 'high',
      sentence:
        `${system} does not answer ${times(some.length, 'process', 'processes').toLowerCase()}: its work waits and goes on by itself when it ` +
        'answers again; find out from whoever runs it.',
      count: some.length,
      since: some.map(({ since }) => since).toSorted()[0] ?? null,
    }),
  );
}

/**
 * Work that is due and that nothing takes up. Where ticks dispatch, and only so much at a time, a queue is no fault before
 * two of them have passed.
 */
function stuck({ system }: OperatorContext, { now, stages }: Known): Attention[] {
  const { mode } = system.store.registry;
  return stages.flatMap(({ stage, title, oldest_due_at: oldest, tally, paused: pause }) => {
    if (oldest === null || pause || tally.pending === 0) return [];
    const ticksMs = mode === 'tick' ? 2_000 * stageNamed(system, stage).policy.frequencySeconds : 0;
    if (now.getTime() - Date.parse(oldest) <= Math.max(HOUR_MS, ticksMs)) return [];
    return tell({
      kind: 'oldest_waiting',
      severity: 'medium',
      sentence:
        `Work at "${title}" has been due since ${oldest.slice(0, 16).replace('T', ' ')} UTC and nothing takes it up: ` +
        'look at the processes and ticks under Operations, or run a tick now.',
      count: tally.pending,
      since: oldest,
      stage,
    });
  });
}

/** The bank said that there is too little: only whoever pays into the account can change that. */
function withoutMoney(stages: readonly StageOverview[]): Attention[] {
  return stages.flatMap(({ stage, title, tally: { ask_again: count } }) => {
    if (count === 0) return [];
    const sentence =
      `${times(count, 'envelope waits', 'envelopes wait')} at "${title}" because the bank says no: have money paid into ` +
      'the account of the programme; the bank is asked again at every tick.';
    return tell({ kind: 'no_funds', severity: 'medium', sentence, count, stage });
  });
}

async function parked(tx: Tx): Promise<Attention[]> {
  const [row] = await tx<{ count: number; since: Date | null }[]>`
    select count(*)::int as count, min(parked_at) as since from actor_parked`;
  if (!row?.count) return [];
  const sentence =
    `${times(row.count, 'record', 'records')} cannot be read and ${row.count === 1 ? 'is' : 'are'} left alone: ` +
    'see the reasons under Operations and have the rows put right.';
  const since = row.since?.toISOString() ?? null;
  return [tell({ kind: 'parked', severity: 'medium', sentence, count: row.count, since })];
}

function missing({ config }: OperatorContext, { missing: view }: Known): Attention[] {
  if (!view?.count) return [];
  const sentence =
    `${times(view.count, 'payment was', 'payments were')} shipped more than ${config.reconciliation_overdue_days} days ago ` +
    'and on no statement since: upload the statements that are lacking, or ask the bank.';
  const since = view.since?.toISOString() ?? null;
  return [tell({ kind: 'missing_payments', severity: 'medium', sentence, count: view.count, since })];
}

async function mismatches(tx: Tx, now: Date): Promise<Attention[]> {
  const from = new Date(now.getTime() - MISMATCH_DAYS * 24 * HOUR_MS);
  const [row] = await tx<{ count: number; since: Date | null }[]>`
    select count(*)::int as count, min(at) as since from (
      select s.statement_upload_timestamp as at
      from account_statements s join disbursement_error_recons r on r.statement_id = s.statement_id
      where s.statement_upload_timestamp >= ${from} limit ${MISMATCHES_COUNTED_MAX}) entries`;
  if (!row?.count) return [];
  const sentence =
    `${times(row.count, 'entry', 'entries')} of statements of the last ${MISMATCH_DAYS} days ` +
    `${row.count === 1 ? 'matches' : 'match'} no payment: compare ${row.count === 1 ? 'it' : 'them'} under Statements.`;
  const since = row.since?.toISOString() ?? null;
  return [tell({ kind: 'mismatches', severity: 'low', sentence, count: row.count, since })];
}
