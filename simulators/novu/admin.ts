import type { FastifyInstance } from 'fastify';
import type { Sql } from 'postgres';
import { z } from 'zod';
import { failure } from '../shared/server.ts';
import { check } from '../shared/validation.ts';

const shownDefault = 100;
const shownMax = 10_000;

const querySchema = z.strictObject({
  workflow: z.string().max(256).optional(),
  transaction_id: z.string().max(256).optional(),
  cycle: z.string().max(256).optional(),
  limit: z.coerce.number().int().min(0).max(shownMax).default(shownDefault),
});

type Query = z.infer<typeof querySchema>;

/**
 * Adds the paths for looking at what was received.
 *
 * @param onReset called when everything was removed
 */
export function mountAdmin(app: FastifyInstance, sql: Sql, onReset: () => void): void {
  app.get('/_admin/notifications', async (request, reply) => {
    const query = check(querySchema, request.query);
    if ('problem' in query) return reply.code(400).send(failure(query.problem));
    return await summary(sql, query.value);
  });
  app.post('/_admin/reset', async () => {
    await sql`truncate notifications`;
    onReset();
    return { status: 'success' };
  });
}

/** Counts what was received, and shows the first of it in the order of arrival. */
async function summary(sql: Sql, { workflow, transaction_id, cycle, limit }: Query): Promise<object> {
  // Not asked for, not mentioned: with a condition that is true of all, no index would be used.
  const wanted = sql`
    ${workflow === undefined ? sql`true` : sql`workflow_id = ${workflow}`} and
    ${transaction_id === undefined ? sql`true` : sql`transaction_id = ${transaction_id}`} and
    ${cycle === undefined ? sql`true` : sql`payload ->> 'cycle_code_mnemonic' = ${cycle}`}`;
  const workflows = await sql<{ workflow_id: string; count: number; times_received: number }[]>`
    select workflow_id, count(*)::integer as count, sum(times_received)::integer as times_received
    from notifications where ${wanted} group by workflow_id order by workflow_id`;
  const notifications = await sql`
    select transaction_id, workflow_id, subscriber_id, recipient, payload, bulk, times_received,
           first_received_at, last_received_at
    from notifications where ${wanted} order by first_received_at, transaction_id limit ${limit}`;
  return {
    count: workflows.reduce((sum, row) => sum + row.count, 0),
    times_received: workflows.reduce((sum, row) => sum + row.times_received, 0),
    by_workflow: Object.fromEntries(workflows.map((row) => [row.workflow_id, row.count])),
    received_by_workflow: Object.fromEntries(workflows.map((row) => [row.workflow_id, row.times_received])),
    notifications,
  };
}
