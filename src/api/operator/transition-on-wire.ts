import type { Transition } from '../../runtime/journal.ts';
import type { TransitionOnWire } from './wire/common.ts';

/** A statement belongs to no envelope: its journal entries are found by its own id. */
const WITHOUT_ENVELOPE = 'statement';

/** A journal entry as the feed, the REST API and the inspector show it. */
export function onWire(entry: Transition): TransitionOnWire {
  return {
    seq: entry.seq,
    at: entry.at.toISOString(),
    machine: entry.machine,
    id: entry.actor_id,
    envelope: entry.machine === WITHOUT_ENVELOPE ? null : entry.correlation_id,
    region: entry.region,
    event: entry.event,
    from: entry.from_state,
    to: entry.to_state,
    attempt: entry.attempt,
    job: entry.job_id,
    error: errorOf(entry),
    by: entry.by,
    reason: entry.reason,
  };
}

/** A code stays with its region until the next success; a sentence without one says why something was ignored. */
function errorOf({ error_code: code, error_message: message, event }: Transition): TransitionOnWire['error'] {
  if (code !== null) return { code, message };
  return message === null ? null : { code: event.toUpperCase(), message };
}
