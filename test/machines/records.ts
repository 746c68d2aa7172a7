import {
  type AnyStateMachine,
  type EventFromLogic,
  initialTransition,
  type SnapshotFrom,
  transition,
} from 'xstate';
import {
  BATCH_REGIONS,
  type BatchContext,
  type BenefitType,
  batchMachine,
} from '../../src/machines/batch.ts';
import {
  BENEFICIARY_REGIONS,
  type BeneficiaryContext,
  beneficiaryMachine,
} from '../../src/machines/beneficiary.ts';
import {
  ENVELOPE_REGIONS,
  type EnvelopeContext,
  type EnvelopeFacts,
  envelopeMachine,
} from '../../src/machines/envelope.ts';
import { GEO_REGIONS, type GeoContext, geoMachine } from '../../src/machines/geo.ts';
import { NEW_STAGE, type StageData } from '../../src/machines/stage.ts';
import { type StatementContext, statementMachine } from '../../src/machines/statement.ts';

/** Records as they are before anything has happened to them, and the pure step that everything here is made of. */

export const START = new Date('2026-03-01T06:00:00.000Z');
/** Later than any walk gets to. */
export const SCHEDULED = new Date('2026-03-09T00:00:00.000Z');
const MINUTE_MS = 60_000;

export const later = (time: Date, minutes = 1): Date => new Date(time.getTime() + minutes * MINUTE_MS);

const forEach = <R extends string, T>(regions: readonly R[], value: T) =>
  Object.fromEntries(regions.map((region) => [region, value])) as Record<R, T>;

export const batchRecord = (benefitType: BenefitType, maxAttempts = 3, id = 'batch-1'): BatchContext => ({
  id,
  facts: { disbursement_envelope_id: 'envelope-1', benefit_type: benefitType },
  stages: forEach(BATCH_REGIONS, NEW_STAGE),
  maxAttempts: forEach(BATCH_REGIONS, maxAttempts),
});

export const envelopeRecord = (facts: Partial<EnvelopeFacts> = {}, maxAttempts = 3): EnvelopeContext => ({
  id: 'envelope-1',
  facts: {
    benefit_type: 'CASH_DIGITAL',
    number_of_disbursements: 2,
    total_disbursement_quantity: '0.3',
    number_of_disbursements_received: 0,
    total_disbursement_quantity_received: '0',
    funds_due_from: SCHEDULED,
    number_of_batches_ready: 0,
    funds_blocked_reference_number: null,
    funds_released_reference_number: null,
    number_of_disbursements_shipped: 0,
    number_of_disbursements_reconciled: 0,
    number_of_disbursements_reversed: 0,
    quantity_shipped: '0',
    quantity_reconciled: '0',
    quantity_reversed: '0',
    cancellation_timestamp: null,
    ...facts,
  },
  stages: forEach(ENVELOPE_REGIONS, NEW_STAGE),
  maxAttempts: forEach(ENVELOPE_REGIONS, maxAttempts),
});

export const statementRecord = (maxAttempts = 3): StatementContext => ({
  id: 'statement-1',
  facts: {},
  stages: { statement_process: NEW_STAGE },
  maxAttempts: { statement_process: maxAttempts },
});

export const geoRecord = (maxAttempts = 3, id = 'geo-1'): GeoContext => ({
  id,
  facts: {},
  stages: forEach(GEO_REGIONS, NEW_STAGE),
  maxAttempts: forEach(GEO_REGIONS, maxAttempts),
});

export const beneficiaryRecord = (maxAttempts = 3, id = 'beneficiary-1'): BeneficiaryContext => ({
  id,
  facts: {},
  stages: forEach(BENEFICIARY_REGIONS, NEW_STAGE),
  maxAttempts: forEach(BENEFICIARY_REGIONS, maxAttempts),
});

export const newBatch = (...record: Parameters<typeof batchRecord>) =>
  initialTransition(batchMachine, batchRecord(...record))[0];
export const newEnvelope = (...record: Parameters<typeof envelopeRecord>) =>
  initialTransition(envelopeMachine, envelopeRecord(...record))[0];
export const newStatement = (...record: Parameters<typeof statementRecord>) =>
  initialTransition(statementMachine, statementRecord(...record))[0];
export const newGeo = (...record: Parameters<typeof geoRecord>) =>
  initialTransition(geoMachine, geoRecord(...record))[0];
export const newBeneficiary = (...record: Parameters<typeof beneficiaryRecord>) =>
  initialTransition(beneficiaryMachine, beneficiaryRecord(...record))[0];

/** A message or a job that a machine asks for. */
export interface Effect {
  readonly type: string;
  readonly params: unknown;
}

export interface Stepped<M extends AnyStateMachine> {
  readonly snapshot: SnapshotFrom<M>;
  readonly effects: readonly Effect[];
}

/** One event, computed by XState's own pure function; what the machine asks for comes back as data. */
export function step<M extends AnyStateMachine>(
  machine: M,
  before: SnapshotFrom<M>,
  event: EventFromLogic<M>,
): Stepped<M> {
  const [snapshot, actions] = transition(machine, before, event);
  const effects = (actions as unknown as Effect[])
    .filter(({ type }) => !type.startsWith('xstate.'))
    .map(({ type, params }) => ({ type, params }));
  return { snapshot, effects };
}

/** Several events, one after the other. */
export function run<M extends AnyStateMachine>(
  machine: M,
  before: SnapshotFrom<M>,
  events: readonly EventFromLogic<M>[],
): Stepped<M> {
  let snapshot = before;
  const effects: Effect[] = [];
  for (const event of events) {
    const stepped = step(machine, snapshot, event);
    snapshot = stepped.snapshot;
    effects.push(...stepped.effects);
  }
  return { snapshot, effects };
}

/** What all durable machines' snapshots have in common. */
export interface Seen {
  readonly value: Readonly<Record<string, string>>;
  readonly context: {
    readonly facts: Readonly<Record<string, unknown>>;
    readonly stages: Readonly<Record<string, StageData>>;
    readonly maxAttempts: Readonly<Record<string, number>>;
  };
}

export const seen = (snapshot: unknown): Seen => snapshot as Seen;

/** The data of a stage that must exist. */
export function stageOf(snapshot: unknown, region: string): StageData {
  const stage = seen(snapshot).context.stages[region];
  if (!stage) throw new Error(`There is no region ${region}.`);
  return stage;
}
