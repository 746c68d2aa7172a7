import type { Invariant } from '../contract.ts';
import { debitedOnce, nothingBlocked } from './debits.ts';
import { feedIsWhole } from './feed.ts';
import { journalGivesRows } from './journal.ts';
import { keptSumsAreRight } from './kept.ts';
import { notifiedOnce } from './notifications.ts';
import { atAnEnd } from './rest.ts';
import { storedOnce } from './stored.ts';
import { sumsAgree } from './sums.ts';
import { nothingInQueues, processesLive } from './work.ts';

/** Everything that must hold of a run that has settled, the money first. */
export const INVARIANTS: readonly Invariant[] = [
  debitedOnce,
  sumsAgree,
  nothingBlocked,
  storedOnce,
  notifiedOnce,
  atAnEnd,
  nothingInQueues,
  processesLive,
  journalGivesRows,
  keptSumsAreRight,
  feedIsWhole,
];
