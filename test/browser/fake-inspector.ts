import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A page that stands in for the XState inspector. */
export interface FakeInspector {
  readonly url: string;
  /** Holds back the last of what the page loads, so that it answers long before it is complete. */
  slowDown(): void;
  /** Lets pages complete. */
  speedUp(): void;
  close(): Promise<void>;
}

/** As an inspector does: it says that it can be shown something, and keeps what it is told in `window.told`. */
const SCRIPT = `
  window.told = [];
  addEventListener('message', ({ data }) => {
    if (typeof data?.type === 'string' && data.type.startsWith('@xstate.')) window.told.push(data);
  });
  parent.postMessage({ type: '@statelyai.connected' }, '*');
`;
const PAGE = `<!doctype html><html lang="en"><title>Inspector</title><link rel="icon" href="data:,">
<p>What stands in for the inspector.</p><script>${SCRIPT}</script><img src="/dot.svg" alt=""></html>`;
const DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>';

/** Serves an inspector on a free port of this machine. */
export async function startFakeInspector(): Promise<FakeInspector> {
  let isSlow = false;
  const held: ServerResponse[] = [];
  const sendDot = (response: ServerResponse) =>
    response.writeHead(200, { 'content-type': 'image/svg+xml', 'cache-control': 'no-store' }).end(DOT);
  const server = createServer(({ url }, response) => {
    if (url !== '/dot.svg') response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
    else if (isSlow) held.push(response);
    else sendDot(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/inspect`,
    slowDown() {
      isSlow = true;
    },
    speedUp() {
      isSlow = false;
      for (const response of held.splice(0)) sendDot(response);
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
