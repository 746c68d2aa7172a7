import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import type { Event } from './requests.ts';
import type { Rules } from './rules.ts';

/** What the real service answers about one event. An `error` comes without the transaction id. */
export interface EventResult {
  acknowledged: true;
  status: string;
  error?: string[];
  transactionId?: string;
}

/**
 * Takes events. One whose transaction id was seen before, in this request or an earlier one, is counted and otherwise
 * ignored, and answered like the first; so is one whose rule says that it comes to nothing.
 *
 * @returns what became of each, in their order
 */
export async function takeEvents(
  sql: Sql,
  events: readonly Event[],
  rules: Rules,
  bulk: boolean,
): Promise<EventResult[]> {
  const taken = new Map<string, { event: Event; times: number }>();
  const results = events.map((event): EventResult => {
    const status = rules.statusOf(event);
    if (status === 'error') return { acknowledged: true, status, error: ['workflow_not_found'] };
    if (status !== null) return { acknowledged: true, status };
    const transactionId = event.transactionId ?? `txn_${randomUUID()}`;
    taken.set(transactionId, { event, times: (taken.get(transactionId)?.times ?? 0) + 1 });
    return { acknowledged: true, status: 'processed', transactionId };
  });
  if (taken.size > 0) await store(sql, taken, bulk);
  return results;
}

/** Writes what is new and counts what is not, in the order of the ids, so that no two requests wait in a circle. */
async function store(
  sql: Sql,
  taken: ReadonlyMap<string, { event: Event; times: number }>,
  bulk: boolean,
): Promise<void> {
  const rows = [...taken].map(([id, { event, times }]) => ({
    i: id,
    w: event.name,
    s: event.to.subscriberId,
    r: event.to,
    p: event.payload,
    n: times,
  }));
  await sql`
    insert into notifications (transaction_id, workflow_id, subscriber_id, recipient, payload, bulk, times_received)
    select i, w, s, r, p, ${bulk}, n
    from json_to_recordset(${JSON.stringify(rows)}::text::json)
      as event (i text, w text, s text, r json, p json, n integer)
    order by i collate "C"
    on conflict (transaction_id) do update
    set times_received = notifications.times_received + excluded.times_received, last_received_at = now()`;
}
