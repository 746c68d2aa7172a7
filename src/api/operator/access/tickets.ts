import type { Queryable } from '../../../db/connection.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { ProblemError } from '../problem.ts';
import { type Operator, ROLES } from '../wire/common.ts';
import { digestOf, newSecret } from './secrets.ts';

/** Enough to open a connection with it. */
const LIVES_MS = 30_000;

/** Tickets that have expired are thrown away this many at a time, whenever one is made. */
const PRUNED_MAX = 100;

/**
 * Tickets by which browsers open WebSockets, which cannot carry a header: each opens one, at whichever process, within
 * half a minute. So what can be read in the log of a proxy is of no use any more.
 */
export class Tickets {
  readonly #sql: Queryable;
  readonly #clock: Clock;

  constructor(sql: Queryable, clock: Clock) {
    this.#sql = sql;
    this.#clock = clock;
  }

  /** Makes a ticket for an operator. */
  async issue({ id, name, role }: Operator): Promise<{ ticket: string; expiresAt: Date }> {
    const ticket = newSecret();
    const now = this.#clock.now();
    const expiresAt = new Date(now.getTime() + LIVES_MS);
    await this.#sql`
      with expired as (
        delete from operator_tickets where digest in (
          select digest from operator_tickets where expires_at <= ${now}
          order by expires_at limit ${PRUNED_MAX} for update skip locked
        )
      )
      insert into operator_tickets (digest, operator_id, operator_name, role, expires_at)
      values (${digestOf(ticket)}, ${id}, ${name}, ${role}, ${expiresAt})`;
    return { ticket, expiresAt };
  }

  /**
   * Uses up a ticket.
   *
   * @returns whose it is
   * @throws ProblemError TICKET_INVALID when there is no such ticket, it has been used, or it has expired
   */
  async redeem(ticket: string): Promise<Operator> {
    const [row] = await this.#sql<Redeemed[]>`
      delete from operator_tickets where digest = ${digestOf(ticket)}
      returning operator_id, operator_name, role, expires_at`;
    const role = ROLES.find((one) => one === row?.role);
    if (row && role && row.expires_at > this.#clock.now()) {
      return { id: row.operator_id, name: row.operator_name, role };
    }
    const sentence = 'The ticket is unknown, has been used or has expired; ask for another.';
    throw new ProblemError(401, 'TICKET_INVALID', sentence);
  }
}

interface Redeemed {
  readonly operator_id: string;
  readonly operator_name: string;
  readonly role: string;
  readonly expires_at: Date;
}
