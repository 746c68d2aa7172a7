import type { Ticket } from '../api/operator/wire/access.ts';
import { apiUrl, request } from './api.ts';

/**
 * The URL of a WebSocket with a ticket that opens it once: a browser cannot send the header there.
 *
 * @param path of the socket
 * @param query what is asked for; read once the ticket is there, values that are undefined are left out
 * @throws ApiProblem
 */
export async function ticketedUrl(
  path: string,
  query: () => Readonly<Record<string, string | number | undefined>>,
  signal: AbortSignal,
): Promise<string> {
  const { ticket } = await request<Ticket>('/operator/tickets', {
    method: 'POST',
    signal,
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const url = apiUrl(path);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  for (const [name, value] of Object.entries({ ...query(), ticket })) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}
