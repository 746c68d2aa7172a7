import { endpoint } from './endpoint.ts';
import * as wire from './wire/access.ts';

/** How operators sign in, for whoever has not. */
export const readAccess = endpoint({
  method: 'GET',
  path: '/operator/access',
  summary: 'How to sign in',
  role: null,
  answer: wire.access,
  handle: async ({ access }) => access.description,
});

/** Who is signed in. */
export const readSession = endpoint({
  method: 'GET',
  path: '/operator/session',
  summary: 'Who asks, and what they may do',
  role: 'viewer',
  answer: wire.session,
  handle: async (_, { operator }) => ({ operator }),
});

/** A ticket for a WebSocket, for clients that cannot send headers with it. */
export const createTicket = endpoint({
  method: 'POST',
  path: '/operator/tickets',
  summary: 'A ticket that opens one WebSocket within half a minute',
  role: 'viewer',
  answer: wire.ticket,
  async handle({ access }, { operator }) {
    const { ticket, expiresAt } = await access.ticketFor(operator);
    return { ticket, expires_at: expiresAt.toISOString() };
  },
});
