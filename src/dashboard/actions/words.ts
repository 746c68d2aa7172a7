import type { WorkTarget } from '../../api/operator/wire/actions.ts';
import type { Role } from '../../api/operator/wire/common.ts';
import { counted } from '../text.ts';
import type { Outcome } from './run.ts';

export type WorkActionKind = 'retry' | 'release' | 'dispatch';

/** What the button says. */
export const ACTION_LABELS: Readonly<Record<WorkActionKind, string>> = {
  retry: 'Retry',
  release: 'Release',
  dispatch: 'Do now',
};

/** What an action does, for whoever is about to do it. */
export const ACTION_EFFECTS: Readonly<Record<WorkActionKind, string>> = {
  retry: 'The work is done again, with all its attempts. What has been done stays done.',
  release:
    'What was done is accepted, what failed is left out, and the record goes on to its next stage. This cannot be undone.',
  dispatch: 'The work is done now, instead of when its time comes.',
};

/** Errors about money that may have left: what to know before deciding. */
const MONEY_WARNINGS: Readonly<Record<string, string>> = {
  PAYMENT_OUTCOME_UNKNOWN:
    'The bank may have paid these already. Find out at the bank first: a retry asks it again and sends what it has never seen; a release counts them as paid.',
  PAYMENT_LIST_DIFFERS:
    'The bank knows another list of payments under this key. Compare both before deciding: a release counts them as paid.',
  PAYMENT_MAY_BE_FORGOTTEN:
    'The bank may have paid these before the database was restored, and cannot be asked by itself. Find out at the bank first: a retry SENDS them; a release counts them as paid.',
};

/** What to know about the money before acting on errors of a code; null when nothing in particular. */
export const moneyWarning = (code: string | undefined): string | null =>
  code === undefined ? null : (MONEY_WARNINGS[code] ?? null);

/** What to know when the server says that some of them are for a payer, whatever their code. */
export const MONEY_OUT_WARNING =
  'Some of these have been submitted to the bank and may have been paid. Find out at the bank first: a retry asks it again and sends only what it has never seen.';

const DONE: Readonly<Record<WorkActionKind, string>> = {
  retry: 'will be tried again',
  release: 'released',
  dispatch: 'handed to a worker',
};

/** How an action ended, in sentences. */
export function outcomeSentences(action: WorkActionKind, outcome: Outcome): readonly string[] {
  const { accepted, refused, remaining, ended } = outcome;
  const sentences = [`${counted(accepted, 'record')} ${DONE[action]}.`];
  if (refused > 0) {
    sentences.push(`${counted(refused, 'record')} could not: changed meanwhile, or no longer there.`);
  }
  if (ended === 'stopped')
    sentences.push(`Stopped as you asked; ${counted(remaining, 'record')} left as before.`);
  if (ended === 'stuck')
    sentences.push(`${counted(remaining, 'record')} left: they cannot do it as they are.`);
  return sentences;
}

/** Which records an action is for, in words. */
export function targetWords({ ids, code, envelope }: WorkTarget): string {
  if (ids !== undefined)
    return ids.length === 1 ? `the record ${ids[0]}` : counted(ids.length, 'chosen record');
  const parts = [code === undefined ? 'all of this stage' : `all with ${code}`];
  if (envelope !== undefined) parts.push(`of envelope ${envelope}`);
  return parts.join(' ');
}

/**
 * The role that an action needs, as far as can be told before the server has counted: what may decide about money that is
 * out is for a payer.
 */
export const roleFor = (action: WorkActionKind, code: string | undefined): Role =>
  action === 'release' || (action === 'retry' && moneyWarning(code) !== null) ? 'payer' : 'operator';
