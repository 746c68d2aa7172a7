import type { JournalFilter } from '../../runtime/journal.ts';
import { ProblemError } from '../operator/problem.ts';
import { feedQuery } from '../operator/wire/feed.ts';

/** What a client wants to see. */
export interface FeedRequest {
  /** Sequence number after which it begins; null: now. */
  readonly after: number | null;
  readonly filter: JournalFilter;
  /** Whether what was removed as too old may be left out. */
  readonly skipsPruned: boolean;
  /** How often a summary is sent at most, ms; null: every transition is sent. */
  readonly summaryMs: number | null;
}

/**
 * Reads the query of a request to `/feed`. A name that is not known is refused: a filter with a slip of the pen would
 * otherwise let everything through.
 *
 * @throws ProblemError REQUEST_INVALID
 */
export function readFeedRequest(query: unknown): FeedRequest {
  const parsed = feedQuery.safeParse(query);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join('.') || 'The query';
    throw new ProblemError(
      400,
      'REQUEST_INVALID',
      `${field} of the feed is wrong: ${issue?.message ?? 'unreadable'}.`,
    );
  }
  const { after, machine, id, envelope, region, to, pruned, summary_ms: summaryMs } = parsed.data;
  return {
    after: after ?? null,
    // Everything there is: that is whatever is left.
    skipsPruned: pruned === 'skip' || after === 0,
    filter: {
      ...(machine !== undefined && { machine }),
      ...(id !== undefined && { actor_id: id }),
      ...(envelope !== undefined && { correlation_id: envelope }),
      ...(region !== undefined && { region }),
      ...(to !== undefined && { to_state: to }),
    },
    summaryMs: summaryMs ?? null,
  };
}
