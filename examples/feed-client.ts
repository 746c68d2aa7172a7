/**
 * Prints every transition of the bridge, without a gap, also across restarts of either side:
 *
 *     G2P_BRIDGE_URL=http://127.0.0.1:8000 G2P_BRIDGE_TOKEN=… node examples/feed-client.ts [AFTER]
 *
 * AFTER is the sequence number after which to begin: 0 for everything there is; left out: now. Needs Node 24, nothing else.
 */
const { G2P_BRIDGE_URL: url = 'http://127.0.0.1:8000', G2P_BRIDGE_TOKEN: token = '' } = process.env;
let after = process.argv[2]; // What your program has processed: keep it where it survives, with what it processed.

async function follow(): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/operator/tickets`, { method: 'POST', headers, body: '{}' });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  const { ticket } = (await answer.json()) as { ticket: string };
  const query = new URLSearchParams({ ticket, ...(after !== undefined && { after }) });
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/feed?${query}`);
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'hello') after ??= String(message.latest);
    else console.log(message.seq, message.machine, message.id, message.region, message.from, '→', message.to);
    if (message.type !== 'hello') after = String(message.seq);
  };
  await new Promise((resolve) => socket.addEventListener('close', resolve, { once: true }));
}

while (true) {
  await follow().catch((error: Error) => console.error(error.message));
  await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 500));
}
