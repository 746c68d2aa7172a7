import type { z } from 'zod';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { endpoint } from './endpoint.ts';
import type { Role } from './wire/common.ts';
import { audit, auditQuery } from './wire/operations.ts';

interface AuditRow {
  readonly id: string;
  readonly at: Date;
  readonly operator_id: string;
  readonly operator_name: string;
  readonly role: Role;
  readonly action: string;
  readonly target: Record<string, unknown>;
  readonly reason: string;
  readonly accepted: number;
  readonly refused: number;
  readonly problem: string | null;
}

/** `GET /operator/audit`: what operators did and what was refused to them, the latest first. */
export const auditEndpoint = endpoint({
  method: 'GET',
  path: '/operator/audit',
  summary: 'What operators did, and what was refused to them',
  role: 'viewer',
  query: auditQuery,
  answer: audit,
  refusals: { CURSOR_INVALID: 400 },
  async handle({ database: { sql } }, { query }): Promise<z.infer<typeof audit>> {
    const { action, operator, limit } = query;
    const [before] = decodeCursor(query.cursor, ['number']) ?? [Number.MAX_SAFE_INTEGER];
    const rows = await sql<AuditRow[]>`
      select id, at, operator_id, operator_name, role, action, target, reason, accepted, refused, problem
      from operator_actions
      where id < ${before}
        ${action === undefined ? sql`` : sql`and action = ${action}`}
        ${operator === undefined ? sql`` : sql`and (operator_name = ${operator} or operator_id = ${operator})`}
      order by id desc limit ${limit + 1}`;
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      actions: page.map(({ operator_id, operator_name, role, ...row }) => ({
        ...row,
        id: Number(row.id),
        at: row.at.toISOString(),
        operator: { id: operator_id, name: operator_name, role },
      })),
      next_cursor: rows.length > limit && last ? encodeCursor([Number(last.id)]) : null,
    };
  },
});
