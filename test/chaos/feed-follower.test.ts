import websocket from '@fastify/websocket';
import fc from 'fast-check';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import type { World } from '../../chaos/contract.ts';
import { followFeed, readMessage } from '../../chaos/feed-follower.ts';

let server: FastifyInstance | null = null;
afterEach(() => server?.close());

/** A feed that greets with what it knows of, and sends some texts at once and a transition later. */
async function serve(latest: number, texts: readonly string[], later: number): Promise<World> {
  server = fastify();
  await server.register(websocket);
  server.get('/feed', { websocket: true }, (socket) => {
    socket.send(JSON.stringify({ type: 'hello', protocol: 1, latest, pruned: 0 }));
    for (const text of texts) socket.send(text);
    // Later than the client takes for quiet.
    const timer = setTimeout(() => socket.send(JSON.stringify({ type: 'transition', seq: later })), 3_000);
    socket.on('close', () => clearTimeout(timer));
  });
  const apiUrl = await server.listen({ host: '127.0.0.1', port: 0 });
  return { apiUrl, operatorToken: 'x', timeline: { note: () => {} } } as unknown as World;
}

describe('the follower of the feed', () => {
  it('follows to the number that it is told, survives what cannot be read, and ignores what it does not know', async () => {
    const texts = [
      '{"type":"transition","seq":1}',
      '{"type":"pauses","stages":[]}',
      'garbage',
      '{"type":"hello"}',
    ];
    const feed = followFeed(await serve(1, texts, 2));
    await feed.opened;
    expect(await feed.stop(2)).toEqual({
      connections: 1,
      ranges: [[1, 2]],
      disorder: ['came what cannot be read: garbage', 'came what cannot be read: {"type":"hello"}'],
    });
  }, 15_000);

  it('reads any text without a failure', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void readMessage(text)));
    expect(readMessage('{"type":"summary","seq":"x"}')).toBeNull();
    expect(readMessage('{"type":"transition","seq":"x"}')).toMatchObject({ type: 'unreadable' });
    expect(readMessage('null')).toMatchObject({ type: 'unreadable' });
  });
});
