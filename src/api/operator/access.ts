import type { FastifyRequest } from 'fastify';
import type { AccessOnWire } from './wire/access.ts';
import type { Operator } from './wire/common.ts';

/** Finds out who asks, in whichever way the deployment has chosen. */
export interface Access {
  /** How to sign in, for everybody to read. */
  readonly description: AccessOnWire;
  /** Where browsers must be allowed to send requests to sign in; empty for none. */
  readonly connectOrigins: readonly string[];
  /**
   * The operator of a request, by its header `Authorization`.
   *
   * @throws ProblemError 401, 403 or 503
   */
  operatorOf(request: FastifyRequest): Promise<Operator>;
  /**
   * The operator who opens a WebSocket: by the header, or by a ticket in its query, which is used up.
   *
   * @throws ProblemError 401, 403 or 503
   */
  operatorOfSocket(request: FastifyRequest): Promise<Operator>;
  /** Whether an operator who opened a WebSocket may still look; left out: that cannot be asked. */
  readonly stillMay?: (operator: Operator) => Promise<boolean>;
  /** How long a WebSocket stays open at most, ms; whoever may still look opens another. Left out: as long as it may be. */
  readonly socketLivesMs?: number;
  /** A ticket that opens one WebSocket. */
  ticketFor(operator: Operator): Promise<{ readonly ticket: string; readonly expiresAt: Date }>;
}
