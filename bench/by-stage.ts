import type { PgTable } from 'drizzle-orm/pg-core';
import { moneyDifferences, moneyOf } from '../src/cli/demo/money.ts';
import type { Submission } from '../src/cli/demo/submit.ts';
import {
  accountStatementLobs,
  accountStatements,
  disbursementBatchControl,
  disbursementEnvelopes,
  disbursementRecons,
  disbursementResolutionFinancialAddress,
  disbursements,
  envelopeBatchStatusForCash,
  envelopeControl,
} from '../src/db/schema/index.ts';
import { copyTables, type TableCopy } from './copy-baseline.ts';
import { growth, ratioOf, rounded } from './support/figures.ts';
import { cpuNow, sendLoad, untilCount } from './support/scale-run.ts';
import { type Kind, type ScaleWorld, startScaleWorld, withServers } from './support/scale-world.ts';

/** One part of the pipeline that has run while all others were paused. */
interface Step {
  readonly name: string;
  /** Stages that are resumed for it. */
  readonly resumes: readonly string[];
  /** Tables whose rows it writes, one row or more for each disbursement. */
  readonly writes: readonly PgTable[];
  /** Tables whose rows it carries to the outside, where it writes none for a disbursement. */
  readonly reads: readonly PgTable[];
  /** SQL that counts how many disbursements are through with it; `$1` is the envelope, `$2` its account. */
  readonly done: string;
}

const ofBatches = (condition: string): string => `
  select coalesce(sum(number_of_disbursements), 0)::int as n from disbursement_batch_control
  where disbursement_envelope_id = $1 and ${condition} and $2 <> ''`;

const STEPS: readonly Step[] = [
  {
    name: 'receive',
    resumes: [],
    writes: [
      disbursementEnvelopes,
      envelopeControl,
      envelopeBatchStatusForCash,
      disbursementBatchControl,
      disbursements,
    ],
    reads: [],
    done: ofBatches('true'),
  },
  {
    name: 'mapper_resolution',
    resumes: ['mapper_resolution'],
    writes: [disbursementResolutionFinancialAddress],
    reads: [],
    done: ofBatches("fa_resolution_status = 'PROCESSED'"),
  },
  {
    name: 'check and block funds',
    resumes: ['check_funds_with_bank', 'block_funds_with_bank'],
    writes: [],
    reads: [],
    done: `
      select e.number_of_disbursements as n from disbursement_envelopes e
      join envelope_batch_status_for_cash on disbursement_envelope_id = e.id
      where e.id = $1 and funds_blocked_with_bank = 'FUNDS_BLOCK_SUCCESS' and $2 <> ''`,
  },
  {
    name: 'disburse_funds_from_bank',
    resumes: ['disburse_funds_from_bank'],
    writes: [],
    reads: [disbursements, disbursementResolutionFinancialAddress],
    done: `
      select number_of_disbursements_shipped as n from envelope_batch_status_for_cash
      where disbursement_envelope_id = $1 and $2 <> ''`,
  },
  {
    name: 'statement uploaded',
    resumes: [],
    writes: [accountStatements, accountStatementLobs],
    reads: [],
    done: `
      select coalesce(sum(number_of_entries), 0)::int as n from account_statements
      where $1 <> '' and account_number = $2`,
  },
  {
    name: 'mt940_processor',
    resumes: ['mt940_processor'],
    writes: [disbursementRecons],
    reads: [],
    done: `
      select number_of_disbursements_reconciled as n from envelope_batch_status_for_cash
      where disbursement_envelope_id = $1 and $2 <> ''`,
  },
];

/** What one part of the pipeline took, alone. */
export interface StepFigures {
  readonly name: string;
  /** Rows that it wrote, or carried to the outside. */
  readonly rows: number;
  readonly elapsed_ms: number;
  /** CPU seconds by who used them; null where they cannot be measured. */
  readonly cpu_seconds: Readonly<Record<Kind | 'submitter', number>> | null;
  /** What COPY takes for the same rows; null where there are none. */
  readonly copy_ms: number | null;
  /** Whether COPY wrote the rows into another database, or only read them. */
  readonly copy: 'written' | 'read' | null;
  readonly times_copy: number | null;
}

export interface ByStageResult {
  readonly disbursements: number;
  readonly elapsed_ms: number;
  readonly steps: readonly StepFigures[];
  readonly ok: boolean;
}

/**
 * Digital cash with one part of the pipeline after the other: all stages are paused, and each is resumed when the one
 * before is through, so the time of each is its own. Beside each, in the same run on the same server, the time that COPY
 * needs for its rows. What the outside took is in the CPU of the simulators, which have a database server of their own.
 */
export function benchByStage(count: number, batchSize: number): Promise<ByStageResult> {
  return withServers(async (servers) => {
    const warmUp = Math.min(2_000, count);
    const world = await startScaleWorld(servers, ['all'], [warmUp, count]);
    try {
      const [first, load] = world.loads;
      if (!first || !load) throw new Error('A world has all of its loads.');
      const once = await pass(world, await world.prepare(first, Math.min(batchSize, warmUp)));
      const submission = await world.prepare(load, batchSize);
      const figures = await pass(world, submission);
      const copies = await copyTables(world.database.url, world.copyUrl, [
        ...new Set(STEPS.flatMap(({ writes }) => writes)),
      ]);
      const { database, bank } = world;
      const money = await moneyOf(database.sql, bank.url, submission, submission.program.account ?? '');
      const share = count / (count + warmUp);
      return {
        disbursements: count,
        elapsed_ms: figures.reduce((sum, { elapsed_ms: one }) => sum + one, 0),
        steps: figures.map((one, index) => besideCopy(one, STEPS[index], copies, share)),
        ok: once.length > 0 && moneyDifferences(money, submission).length === 0,
      };
    } finally {
      await world.stop();
    }
  });
}

type Measured = Pick<StepFigures, 'name' | 'elapsed_ms' | 'cpu_seconds'>;

/** Takes one envelope through all steps. */
async function pass(world: ScaleWorld, submission: Submission): Promise<Measured[]> {
  for (const stage of STEPS.flatMap(({ resumes }) => resumes)) await act(world, stage, 'pause');
  const figures: Measured[] = [];
  for (const step of STEPS) figures.push(await measured(world, submission, step));
  return figures;
}

async function measured(world: ScaleWorld, submission: Submission, step: Step): Promise<Measured> {
  const before = await cpuNow(world);
  const started = performance.now();
  await Promise.race([world.broken, through(world, submission, step)]);
  const elapsedMs = performance.now() - started;
  const after = await cpuNow(world);
  const cpu = before && after && growth(before, after);
  return {
    name: step.name,
    elapsed_ms: Math.round(elapsedMs),
    cpu_seconds: cpu && {
      bridge: rounded(cpu.bridge, 2),
      postgres: rounded(cpu.postgres, 2),
      outside: rounded(cpu.outside, 2),
      submitter: rounded(cpu.submitter, 2),
    },
  };
}

async function through(world: ScaleWorld, submission: Submission, step: Step): Promise<void> {
  const { signal } = new AbortController();
  if (step.name === 'receive') await sendLoad(world, submission, signal);
  for (const stage of step.resumes) await act(world, stage, 'resume');
  await untilCount(submission.disbursements, signal, async () => {
    const [row] = await world.database.sql.unsafe<{ n: number }[]>(step.done, [
      submission.id,
      submission.program.account ?? '',
    ]);
    return row?.n ?? 0;
  });
}

/** Pauses or resumes a stage as an operator does. */
async function act({ entries }: ScaleWorld, stage: string, action: 'pause' | 'resume'): Promise<void> {
  const answer = await fetch(`${entries[0]?.url}/operator/stages/${stage}/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'Each stage is measured alone.' }),
  });
  if (!answer.ok) throw new Error(`${stage} could not be told to ${action}: ${await answer.text()}`);
}

/** @param share of the rows copied that are of the run measured; the rest is of the one that warmed up */
function besideCopy(
  one: Measured,
  step: Step | undefined,
  copies: readonly TableCopy[],
  share: number,
): StepFigures {
  const of = (tables: readonly PgTable[] = []) => copies.filter(({ table }) => tables.includes(table));
  const sum = (tables: readonly TableCopy[], what: 'rows' | 'inMs' | 'outMs') =>
    tables.reduce((total, copy) => total + copy[what], 0) * share;
  const [written, read] = [of(step?.writes), of(step?.reads)];
  const copyMs = written.length > 0 ? sum(written, 'inMs') : sum(read, 'outMs');
  const hasRows = written.length + read.length > 0;
  return {
    ...one,
    rows: Math.round(sum([...written, ...read], 'rows')),
    copy_ms: hasRows ? Math.round(copyMs) : null,
    copy: hasRows ? (written.length > 0 ? 'written' : 'read') : null,
    times_copy: hasRows ? ratioOf(one.elapsed_ms, copyMs) : null,
  };
}

/** The lines that people read. */
export function byStageLines({
  disbursements: count,
  elapsed_ms: elapsedMs,
  steps,
  ok,
}: ByStageResult): string[] {
  const seconds = (ms: number | null) => (ms === null ? '–' : (ms / 1000).toFixed(2));
  const cpuOf = (step: StepFigures, kind: Kind | 'submitter') =>
    (step.cpu_seconds?.[kind].toFixed(2) ?? 'not measured').padStart(10);
  return [
    `${count.toLocaleString('en')} disbursements, one stage after the other: ${seconds(elapsedMs)} s`,
    '                               rows      s  COPY s   times    CPU s:  bridge  postgres simulators  submitter',
    ...steps.map(
      (step) =>
        `${step.name.padEnd(26)}${step.rows.toLocaleString('en').padStart(9)}` +
        `${seconds(step.elapsed_ms).padStart(7)}${seconds(step.copy_ms).padStart(8)}` +
        `${String(step.times_copy ?? '–').padStart(8)}${step.copy === 'read' ? '*' : ' '}      ` +
        (['bridge', 'postgres', 'outside', 'submitter'] as const).map((kind) => cpuOf(step, kind)).join(''),
    ),
    '* rows that COPY only reads: the stage carries them to the bank and writes one row for each batch',
    ok ? 'OK: every disbursement paid once and reconciled' : 'NOT OK',
  ];
}
