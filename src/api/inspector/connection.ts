import { setImmediate as others } from 'node:timers/promises';
import type { WebSocket } from '@fastify/websocket';
import type { JournalFilter } from '../../runtime/journal.ts';
import type { OperatorContext } from '../operator/context.ts';
import { GOING_AWAY, INTERNAL_ERROR, keepAlive } from '../sockets.ts';
import type { InspectorQuery } from './query.ts';

const PING_MS = 20_000;
/** Entries told in one go: the process has other things to do as well. */
const AT_ONCE = 50;

/**
 * Streams to one inspector: first the past of what it asked for, then what happens. A slow one is waited for; it misses
 * nothing, since the journal is read as fast as it takes it.
 *
 * @param closing aborted when the server stops
 */
export async function inspect(
  { system }: OperatorContext,
  socket: WebSocket,
  query: InspectorQuery,
  closing: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  socket.on('close', () => gone.abort());
  socket.on('error', () => gone.abort());
  keepAlive(socket, PING_MS);
  const signal = AbortSignal.any([gone.signal, closing]);
  const texts: string[] = [];
  // Loaded by those who inspect only.
  const { Inspection } = await import('./inspection.ts');
  const inspection = new Inspection(system.store.registry, (event) => texts.push(JSON.stringify(event)));
  // Of everything, or of all actors of a machine, the past would be too much.
  const past = query.envelope !== undefined || query.id !== undefined;
  const followed = { filter: filterOf(query), signal, ...(past && { after: 0 }) };
  try {
    for await (const entries of system.feed.follow(followed)) {
      for (let start = 0; start < entries.length && !signal.aborted; start += AT_ONCE) {
        await inspection.tell((read) => system.store.query(read), entries.slice(start, start + AT_ONCE));
        await sendAll(socket, texts.splice(0), signal);
        await others();
      }
    }
    socket.close(GOING_AWAY, 'The server stops.');
  } catch (error) {
    system.store.observer.troubled('inspector', error);
    socket.close(INTERNAL_ERROR, 'Something went wrong here; connect again.');
  }
}

const filterOf = ({ envelope, machine, id }: InspectorQuery): JournalFilter => ({
  ...(envelope !== undefined && { correlation_id: envelope }),
  ...(machine !== undefined && { machine }),
  ...(id !== undefined && { actor_id: id }),
});

/** Resolves when everything has left, or the connection is gone. */
async function sendAll(socket: WebSocket, texts: readonly string[], signal: AbortSignal): Promise<void> {
  if (texts.length === 0 || signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const gone = () => resolve();
  signal.addEventListener('abort', gone, { once: true });
  for (const [index, text] of texts.entries()) {
    if (index < texts.length - 1) socket.send(text);
    else socket.send(text, () => resolve());
  }
  await promise;
  signal.removeEventListener('abort', gone);
}
