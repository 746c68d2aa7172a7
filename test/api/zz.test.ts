import { it } from 'vitest';
import { openApi } from '../support/api.ts';
import { debit, newId, statementText } from '../support/records.ts';

it('times', async () => {
  const api = await openApi();
  for (let k = 0; k < 2; k++) {
    const text = new Uint8Array(
      Buffer.from(
        statementText(
          '1',
          Array.from({ length: 100_000 }, () => debit(newId('D'), '100')),
        ),
      ),
    );
    let maxLag = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      const n = performance.now();
      maxLag = Math.max(maxLag, n - last - 5);
      last = n;
    }, 5);
    const rss = process.memoryUsage().rss;
    let peak = 0;
    const t2 = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 20);
    const t = performance.now();
    const r = await api.upload(text);
    console.log(
      'upload',
      text.length,
      Math.round(performance.now() - t),
      'ms lag',
      Math.round(maxLag),
      'rss+',
      Math.round((peak - rss) / 2 ** 20),
      r.payload,
    );
    clearInterval(timer);
    clearInterval(t2);
  }
  await api.close();
}, 120_000);
