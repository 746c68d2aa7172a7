import type { FastifyRequest } from 'fastify';
import type { Access } from '../access.ts';
import type { Operator } from '../wire/common.ts';
import { problemOfToken } from './challenge.ts';
import type { Tickets } from './tickets.ts';

/** Long enough for any of ours; what is longer is not looked up. */
const TICKET_CHARACTERS_MAX = 100;

/** The parts of an access that do not depend on how operators sign in. */
export function identifying(
  tickets: Tickets,
  identify: (request: FastifyRequest) => Promise<Operator>,
): Pick<Access, 'operatorOf' | 'operatorOfSocket' | 'ticketFor'> {
  const operatorOf: Access['operatorOf'] = (request) =>
    identify(request).catch((error: unknown) => {
      throw problemOfToken(error);
    });
  return {
    operatorOf,
    operatorOfSocket(request) {
      const ticket = ticketOf(request);
      return ticket !== null && request.headers.authorization === undefined
        ? tickets.redeem(ticket)
        : operatorOf(request);
    },
    ticketFor: (operator) => tickets.issue(operator),
  };
}

function ticketOf({ query }: FastifyRequest): string | null {
  const given = typeof query === 'object' && query !== null && 'ticket' in query ? query.ticket : undefined;
  return typeof given === 'string' ? given.slice(0, TICKET_CHARACTERS_MAX) : null;
}
