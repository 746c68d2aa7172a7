import { openRawSocket } from '../../test/support/raw-websocket.ts';
import { epochMs } from './figures.ts';

/**
 * A process with clients of the feed: `feed-clients.ts URL COUNT AFTER`. Once all are connected it says `ready`; told when
 * each transition was committed, by sequence number, it answers with what was missed and how long the others took.
 */
const [url = '', count = '', after = ''] = process.argv.slice(2);

/** When each message came, by client and sequence number. */
const arrivals: Map<number, number>[] = Array.from({ length: Number(count) }, () => new Map());
let disorder = 0;
const sockets = await Promise.all(
  arrivals.map((arrived) => {
    let last = Number(after);
    return openRawSocket(`${url}/feed?after=${after}`, {
      onText(text) {
        const seq = Number(/^\{"type":"transition","seq":(\d+)/.exec(text)?.[1] ?? 0);
        if (seq === 0) return;
        if (seq <= last) disorder += 1;
        last = seq;
        arrived.set(seq, epochMs());
      },
    });
  }),
);
process.send?.('ready');
process.on('message', (committed: readonly (readonly [seq: number, at: number])[]) => {
  const delaysMs: number[] = [];
  let missed = 0;
  for (const arrived of arrivals) {
    for (const [seq, at] of committed) {
      const came = arrived.get(seq);
      if (came === undefined) missed += 1;
      else delaysMs.push(came - at);
    }
  }
  for (const socket of sockets) socket.destroy();
  process.send?.({ missed, disorder, delaysMs: Float64Array.from(delaysMs) }, () => process.disconnect());
});
