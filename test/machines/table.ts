import type { StageData } from '../../src/machines/stage.ts';
import type { Effect } from './records.ts';

/**
 * The pipeline's table of the stage region, written down once more by hand: what the machines are checked against.
 * It must not be derived from them.
 */

/** An event of any kind, its region's name taken off. */
export interface RegionEvent {
  readonly type: string;
  readonly at: Date;
  readonly job?: string;
  readonly code?: string;
  readonly retryAt?: Date;
  readonly dueAt?: Date | null;
  readonly final?: boolean;
  readonly unsent?: boolean;
}

type Attempts = '=' | '+1' | '0';
type Code = '=' | 'code' | 'STALE' | '-';
type Job = '=' | 'job' | '-';
type Due = '=' | 'dueAt' | 'retryAt' | 'at' | '-';
/** `+1 if sent`: what has been submitted before is not what will be submitted next. */
type Submission = '=' | '+1' | '+1 if sent';
/** `sent`: as it was, unless the fault says that it surely never left. */
type Submitted = '=' | 'first' | 'sent' | '-';
/**
 * `mine`: the result comes under the job that owns the stage. `left`: another attempt is allowed after this one.
 * `called off`: the fault says that the envelope was cancelled. `waits`: no time has been set yet.
 */
type When =
  | 'always'
  | 'mine'
  | 'mine, called off'
  | 'mine, left'
  | 'left'
  | 'waits'
  | 'releasable'
  | 'skippable'
  | 'restartable';
type Row = readonly [string, string, When, string, Attempts, Code, Job, Due, Submission, Submitted];

const COMMON: readonly Row[] = [
  // from, event, when, to, attempts, error code, job id, due at, submission, submitted at
  ['NOT_APPLICABLE', 'enable', 'always', 'PENDING', '=', '=', '=', 'dueAt', '=', '='],
  ['NOT_APPLICABLE', 'skip', 'skippable', 'PROCESSED', '=', '=', '=', '=', '=', '='],
  ['PENDING', 'due', 'waits', 'PENDING', '=', '=', '=', 'dueAt', '=', '='],
  ['PENDING', 'dispatch', 'always', 'PROCESSING', '=', '=', 'job', '-', '=', '='],
  ['PENDING', 'cancel', 'always', 'NOT_APPLICABLE', '=', '=', '=', '-', '=', '='],
  ['PROCESSING', 'submitting', 'mine', 'PROCESSING', '=', '=', '=', '=', '=', 'first'],
  ['PROCESSING', 'succeeded', 'mine', 'PROCESSED', '+1', '-', '-', '-', '=', '='],
  ['PROCESSING', 'failed', 'mine, called off', 'NOT_APPLICABLE', '=', 'code', '-', '-', '=', 'sent'],
  ['PROCESSING', 'failed', 'mine, left', 'PENDING', '+1', 'code', '-', 'retryAt', '=', 'sent'],
  ['PROCESSING', 'failed', 'mine', 'ERROR', '+1', 'code', '-', '-', '=', 'sent'],
  ['PROCESSING', 'postponed', 'mine', 'PENDING', '=', 'code', '-', 'retryAt', '=', 'sent'],
  ['PROCESSING', 'stale', 'left', 'PENDING', '+1', 'STALE', '-', 'retryAt', '=', '='],
  ['PROCESSING', 'stale', 'always', 'ERROR', '+1', 'STALE', '-', '-', '=', '='],
  ['ERROR', 'retry', 'always', 'PENDING', '0', '=', '-', 'at', '=', '='],
  ['ERROR', 'release', 'releasable', 'PROCESSED', '=', '=', '-', '-', '=', '='],
  ['NOT_APPLICABLE', 'restart', 'restartable', 'PENDING', '0', '-', '-', 'dueAt', '+1 if sent', '-'],
  ['PENDING', 'restart', 'restartable', 'PENDING', '0', '-', '-', 'dueAt', '+1 if sent', '-'],
  ['PROCESSING', 'restart', 'restartable', 'PENDING', '0', '-', '-', 'dueAt', '+1 if sent', '-'],
  ['PROCESSED', 'restart', 'restartable', 'PENDING', '0', '-', '-', 'dueAt', '+1 if sent', '-'],
  ['ERROR', 'restart', 'restartable', 'PENDING', '0', '-', '-', 'dueAt', '+1 if sent', '-'],
  ['PENDING', 'reset', 'restartable', 'NOT_APPLICABLE', '0', '-', '-', '-', '+1 if sent', '-'],
  ['PROCESSING', 'reset', 'restartable', 'NOT_APPLICABLE', '0', '-', '-', '-', '+1 if sent', '-'],
  ['PROCESSED', 'reset', 'restartable', 'NOT_APPLICABLE', '0', '-', '-', '-', '+1 if sent', '-'],
  ['ERROR', 'reset', 'restartable', 'NOT_APPLICABLE', '0', '-', '-', '-', '+1 if sent', '-'],
];

/** A refusal of the outside is a fault; the next submission is another one. */
const PROCESS: readonly Row[] = [
  ['PROCESSING', 'refused', 'mine, left', 'PENDING', '+1', 'code', '-', 'retryAt', '+1', '-'],
  ['PROCESSING', 'refused', 'mine', 'ERROR', '+1', 'code', '-', '-', '+1', '-'],
];

/** "Not enough funds" is an answer: it uses up no attempts and is asked again at every tick. */
const FUNDS: readonly Row[] = [
  ['PROCESSING', 'refused', 'mine', 'ASK_AGAIN', '=', 'code', '-', 'at', '+1', '-'],
  ['ASK_AGAIN', 'dispatch', 'always', 'PROCESSING', '=', '=', 'job', '-', '=', '='],
  ['ASK_AGAIN', 'cancel', 'always', 'NOT_APPLICABLE', '=', '=', '=', '-', '=', '='],
  ['ASK_AGAIN', 'restart', 'restartable', 'PENDING', '0', '-', '-', 'dueAt', '+1 if sent', '-'],
  ['ASK_AGAIN', 'reset', 'restartable', 'NOT_APPLICABLE', '0', '-', '-', '-', '+1 if sent', '-'],
];

/** The words of a region, in the order NOT_APPLICABLE, PENDING, PROCESSING, PROCESSED, ERROR, ASK_AGAIN. */
export type Words = readonly string[];
const PLAIN: Words = ['NOT_APPLICABLE', 'PENDING', 'PROCESSING', 'PROCESSED', 'ERROR', 'ASK_AGAIN'];

/** What may be done with some regions and not with others. */
type Liberty = 'releasable' | 'skippable' | 'restartable';

export interface RegionRules {
  readonly words: Words;
  readonly liberties: readonly Liberty[];
}

export const processStatus = (...liberties: readonly Liberty[]): RegionRules => ({
  words: PLAIN.slice(0, 5),
  liberties,
});
export const FUNDS_AVAILABLE: RegionRules = {
  words: [
    'NOT_APPLICABLE',
    'PENDING_CHECK',
    'CHECK_IN_PROGRESS',
    'FUNDS_AVAILABLE',
    'ERROR',
    'FUNDS_NOT_AVAILABLE',
  ],
  liberties: ['restartable'],
};
export const FUNDS_BLOCKED: RegionRules = {
  words: [
    'NOT_APPLICABLE',
    'PENDING_CHECK',
    'CHECK_IN_PROGRESS',
    'FUNDS_BLOCK_SUCCESS',
    'ERROR',
    'FUNDS_BLOCK_FAILURE',
  ],
  liberties: ['restartable'],
};

/** The plain word for a region's state, and back. */
export const plain = ({ words }: RegionRules, state: string): string => PLAIN[words.indexOf(state)] ?? state;
const worded = ({ words }: RegionRules, state: string): string => words[PLAIN.indexOf(state)] ?? state;

export interface RegionState {
  readonly state: string;
  readonly stage: StageData;
}

/**
 * What the table says becomes of a region.
 *
 * @returns null when no row fits: the event changes nothing
 */
export function byTheTable(
  rules: RegionRules,
  { state, stage }: RegionState,
  event: RegionEvent,
  maxAttempts: number,
): RegionState | null {
  const holds: Record<When, boolean> = {
    always: true,
    mine: event.job === stage.jobId,
    'mine, called off': event.job === stage.jobId && event.code === 'ENVELOPE_CANCELLED',
    'mine, left': event.job === stage.jobId && event.final !== true && stage.attempts + 1 < maxAttempts,
    left: stage.attempts + 1 < maxAttempts,
    waits: stage.dueAt === null,
    releasable: rules.liberties.includes('releasable'),
    skippable: rules.liberties.includes('skippable'),
    restartable: rules.liberties.includes('restartable'),
  };
  const rows = [
    ...COMMON,
    ...(rules.words.includes('FUNDS_AVAILABLE') || rules.words.includes('FUNDS_BLOCK_SUCCESS')
      ? FUNDS
      : PROCESS),
  ];
  const row = rows.find(
    ([from, type, when]) => from === plain(rules, state) && type === event.type && holds[when],
  );
  if (!row) return null;
  const [, type, , to, attempts, code, job, due, submission, submitted] = row;
  return {
    state: worded(rules, to),
    stage: {
      attempts: { '=': stage.attempts, '+1': stage.attempts + 1, '0': 0 }[attempts],
      errorCode: { '=': stage.errorCode, code: event.code ?? null, STALE: 'STALE', '-': null }[code],
      jobId: { '=': stage.jobId, job: event.job ?? null, '-': null }[job],
      dueAt: {
        '=': stage.dueAt,
        dueAt: event.dueAt ?? null,
        retryAt: event.retryAt ?? null,
        at: event.at,
        '-': null,
      }[due],
      submission: {
        '=': stage.submission,
        '+1': stage.submission + 1,
        '+1 if sent': stage.submission + (stage.submittedAt === null ? 0 : 1),
      }[submission],
      submittedAt: {
        '=': stage.submittedAt,
        first: stage.submittedAt ?? event.at,
        sent: event.unsent === true ? null : stage.submittedAt,
        '-': null,
      }[submitted],
      // Saying that something is about to be sent is no change of the stage.
      timestamp: type === 'submitting' ? stage.timestamp : event.at,
    },
  };
}

/** A record as the model sees it. */
export interface World {
  readonly value: Readonly<Record<string, string>>;
  readonly stages: Readonly<Record<string, StageData>>;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What one event does: further events of the same record, and what is asked of the outside. */
export interface Consequence {
  readonly world: World;
  readonly raised?: readonly RegionEvent[];
  readonly effects?: readonly Effect[];
}

/** A machine's rules besides the table. */
export interface MachineRules {
  readonly regions: Readonly<Record<string, RegionRules>>;
  readonly maxAttempts: number;
  /** Events that are no stage's. */
  onEvent(world: World, event: RegionEvent): Consequence;
  /** What follows when a stage is processed; not when it is skipped. */
  onProcessed(world: World, region: string, event: RegionEvent): Consequence;
  /** What follows when an attempt has ended, well or badly; `before` is the stage without it. */
  onAttempted?(before: StageData, region: string, event: RegionEvent): Omit<Consequence, 'world'>;
  /** What holds after every event. */
  settle?(world: World, event: RegionEvent): World;
}

/** The world after an event, and all that was asked of the outside on the way. */
export function predict(
  rules: MachineRules,
  world: World,
  event: RegionEvent,
): Required<Omit<Consequence, 'raised'>> {
  const { world: next, raised = [], effects = [] } = react(rules, world, event);
  let now = next;
  const asked = [...effects];
  for (const one of raised) {
    const further = predict(rules, now, one);
    now = further.world;
    asked.push(...further.effects);
  }
  return { world: rules.settle?.(now, event) ?? now, effects: asked };
}

function react(rules: MachineRules, world: World, event: RegionEvent): Consequence {
  const [region = '', type = ''] = event.type.split('.');
  const ofRegion = rules.regions[region];
  const [state, stage] = [world.value[region], world.stages[region]];
  if (!ofRegion || state === undefined || !stage) return rules.onEvent(world, event);
  const after = byTheTable(ofRegion, { state, stage }, { ...event, type }, rules.maxAttempts);
  if (!after) return { world };
  const next = {
    ...world,
    value: { ...world.value, [region]: after.state },
    stages: { ...world.stages, [region]: after.stage },
  };
  if (type === 'dispatch') {
    return { world: next, effects: [{ type: 'enqueue', params: { region, job: event.job } }] };
  }
  const done = plain(ofRegion, after.state) === 'PROCESSED' && type !== 'skip';
  const {
    world: then,
    raised = [],
    effects = [],
  } = done ? rules.onProcessed(next, region, event) : { world: next };
  // Called off, too: nobody else must wait for it.
  const ended =
    after.stage.attempts === stage.attempts + 1 || (type === 'failed' && event.code === 'ENVELOPE_CANCELLED');
  const attempted = ended ? rules.onAttempted?.(stage, region, event) : undefined;
  return {
    world: then,
    raised: [...raised, ...(attempted?.raised ?? [])],
    effects: [...effects, ...(attempted?.effects ?? [])],
  };
}
