import fc from 'fast-check';
import type { AnyStateMachine } from 'xstate';
import { BATCH_REGIONS, BENEFIT_TYPES, batchMachine } from '../../src/machines/batch.ts';
import { BENEFICIARY_REGIONS, beneficiaryMachine } from '../../src/machines/beneficiary.ts';
import { ENVELOPE_REGIONS, envelopeMachine } from '../../src/machines/envelope.ts';
import { GEO_REGIONS, geoMachine } from '../../src/machines/geo.ts';
import { statementMachine } from '../../src/machines/statement.ts';
import {
  later,
  newBatch,
  newBeneficiary,
  newEnvelope,
  newGeo,
  newStatement,
  SCHEDULED,
  START,
  type Stepped,
  seen,
  stageOf,
  step,
} from './records.ts';

/** Arbitrary sequences of events for any of the machines, most of them to the point, some out of place. */

export interface SentEvent {
  readonly type: string;
  readonly at: Date;
  readonly job?: string;
  readonly final?: boolean;
  readonly unsent?: boolean;
  readonly code?: string;
  readonly dueAt?: Date;
  readonly retryAt?: Date;
}

export interface Subject {
  readonly name: string;
  readonly machine: AnyStateMachine;
  readonly regions: readonly string[];
  /** Those of them that may begin anew. */
  readonly restartable: readonly string[];
  /** Events that belong to no stage. */
  readonly others: readonly Readonly<{ type: string; [field: string]: unknown }>[];
  start(maxAttempts: number, variant: number): unknown;
}

const benefitType = (variant: number) => BENEFIT_TYPES[variant % BENEFIT_TYPES.length] ?? 'SERVICE';

const allocated = (notify: boolean) => ({ type: 'allocated', notify, at: START }) as const;

export const GEO: Subject = {
  name: 'a geo record',
  machine: geoMachine,
  regions: GEO_REGIONS,
  restartable: [],
  others: [allocated(true), allocated(false), { type: 'cancel' }],
  start: (maxAttempts, variant) =>
    variant === 0 ? newGeo(maxAttempts) : step(geoMachine, newGeo(maxAttempts), allocated(true)).snapshot,
};

export const BENEFICIARY: Subject = {
  name: 'a beneficiary record',
  machine: beneficiaryMachine,
  regions: BENEFICIARY_REGIONS,
  restartable: [],
  others: [allocated(true), allocated(false), { type: 'cancel' }],
  start: (maxAttempts, variant) =>
    variant === 0
      ? newBeneficiary(maxAttempts)
      : step(beneficiaryMachine, newBeneficiary(maxAttempts), allocated(true)).snapshot,
};

export const SUBJECTS: readonly Subject[] = [
  {
    name: 'a batch',
    machine: batchMachine,
    regions: BATCH_REGIONS,
    restartable: BATCH_REGIONS.filter((region) => region !== 'sponsor_bank_dispatch'),
    others: [{ type: 'received' }, { type: 'cancel' }, { type: 'disbursements_cancelled' }],
    start: (maxAttempts, variant) => newBatch(benefitType(variant), maxAttempts),
  },
  {
    name: 'an envelope',
    machine: envelopeMachine,
    regions: ENVELOPE_REGIONS,
    restartable: ENVELOPE_REGIONS,
    others: [
      { type: 'created' },
      ...['0.1', '0.2'].map((quantity) => ({ type: 'batch_received', count: 1, quantity })),
      { type: 'batch_ready', batch: 'batch-1' },
      { type: 'cancel' },
      ...(['0.3', '0.30', '0.4'] as const).map((total_disbursement_quantity) => ({
        type: 'amend',
        number_of_disbursements: 2,
        total_disbursement_quantity,
        funds_due_from: SCHEDULED,
      })),
      { type: 'disbursements_cancelled', count: 1, quantity: '0.1' },
      { type: 'shipped', count: 1, quantity: '0.1' },
    ],
    start: (maxAttempts, variant) => newEnvelope({ benefit_type: benefitType(variant % 2) }, maxAttempts),
  },
  {
    name: 'a statement',
    machine: statementMachine,
    regions: ['statement_process'],
    restartable: [],
    others: [{ type: 'uploaded' }],
    start: (maxAttempts) => newStatement(maxAttempts),
  },
  GEO,
  BENEFICIARY,
];

export const PROCESSING: readonly string[] = ['PROCESSING', 'CHECK_IN_PROGRESS'];
export const PROCESSED: readonly string[] = ['PROCESSED', 'FUNDS_AVAILABLE', 'FUNDS_BLOCK_SUCCESS'];
export const WAITING: readonly string[] = [
  'PENDING',
  'PENDING_CHECK',
  'FUNDS_NOT_AVAILABLE',
  'FUNDS_BLOCK_FAILURE',
];

const KINDS = [
  'enable',
  'due',
  'dispatch',
  'submitting',
  'succeeded',
  'refused',
  'failed',
  'called off',
  'postponed',
  'stale',
  'retry',
  'release',
  'cancel',
  'skip',
  'restart',
  'reset',
];
/** What is to the point in a state; what ends things, or begins them anew, is rare. */
const IN_PLACE: readonly (readonly [readonly string[], readonly string[]])[] = [
  [['NOT_APPLICABLE'], ['enable']],
  [WAITING, ['dispatch', 'dispatch', 'dispatch', 'dispatch', 'dispatch', 'due', 'cancel']],
  [
    PROCESSING,
    [
      ...['succeeded', 'called off', 'restart', 'stale', 'postponed', 'postponed'],
      ...['refused', 'refused', 'failed', 'failed', 'failed', 'failed', 'submitting', 'submitting'],
    ],
  ],
  [['ERROR'], ['retry', 'retry', 'retry', 'retry', 'release', 'restart', 'reset']],
  [PROCESSED, ['retry', 'restart', 'reset']],
];

interface Choice {
  readonly what: 'in place' | 'foreign' | 'out of place' | 'other';
  readonly pick: number;
  readonly region: number;
  readonly final: boolean;
  readonly unsent: boolean;
}

const choice: fc.Arbitrary<Choice> = fc.record({
  what: fc.oneof(
    { weight: 6, arbitrary: fc.constant('in place' as const) },
    { weight: 1, arbitrary: fc.constant('foreign' as const) },
    { weight: 1, arbitrary: fc.constantFrom('out of place' as const, 'other' as const) },
  ),
  pick: fc.nat({ max: 5_039 }),
  region: fc.nat({ max: 59 }),
  final: fc.boolean(),
  unsent: fc.boolean(),
});

const among = <T>(list: readonly T[], n: number): T => {
  const one = list[n % list.length];
  if (one === undefined) throw new Error('There is nothing to choose from.');
  return one;
};

function eventOf(
  { regions, others }: Subject,
  snapshot: unknown,
  { what, pick, region, final, unsent }: Choice,
  at: Date,
): SentEvent {
  if (what === 'other') return { ...among(others, pick), at };
  const state = (name: string) => seen(snapshot).value[name] ?? '';
  const working = regions.filter((name) => PROCESSING.includes(state(name)));
  const open = regions.filter((name) => !['NOT_APPLICABLE', ...PROCESSED].includes(state(name)));
  const [wanted = regions] = [what === 'foreign' ? working : [], what === 'out of place' ? [] : open].filter(
    (names) => names.length > 0,
  );
  const name = among(wanted, region);
  const fitting = IN_PLACE.find(([states]) => states.includes(state(name)))?.[1] ?? KINDS;
  const kind = among(what === 'out of place' ? KINDS : fitting, pick);
  const owner = stageOf(snapshot, name).jobId;
  const result = what === 'in place' && owner !== null ? owner : 'foreign-job';
  const event = {
    type: `${name}.${kind === 'called off' ? 'failed' : kind}`,
    at,
    job: kind === 'dispatch' ? `job-${at.getTime()}` : result,
    dueAt: later(at),
    retryAt: later(at, 5),
    code: kind === 'called off' ? 'ENVELOPE_CANCELLED' : 'FAULT',
    reference: 'BLOCK-1',
    notify: pick % 2 === 0,
  };
  return { ...event, ...(final ? { final } : {}), ...(unsent ? { unsent } : {}) };
}

/** One step of a sequence. */
export interface Look {
  readonly before: unknown;
  readonly event: SentEvent;
  readonly snapshot: unknown;
  readonly effects: Stepped<AnyStateMachine>['effects'];
  readonly maxAttempts: number;
}

/** Sends arbitrary sequences and looks at every step of each. */
export function everyStep(subject: Subject, look: (step: Look) => void, numRuns = 40): void {
  fc.assert(
    fc.property(
      // Without the bias towards small values, which would make most sequences too short to get anywhere.
      fc.noBias(fc.array(choice, { maxLength: 60, size: 'max' })),
      fc.noBias(fc.integer({ min: 1, max: 4 })),
      fc.nat({ max: 4 }),
      (choices, maxAttempts, variant) => {
        let before = subject.start(maxAttempts, variant);
        for (const [n, one] of choices.entries()) {
          const event = eventOf(subject, before, one, later(START, n + 1));
          const { snapshot, effects } = step(subject.machine, before as never, event);
          look({ before, event, snapshot, effects, maxAttempts });
          before = snapshot;
        }
      },
    ),
    { numRuns },
  );
}
