import { afterEach, describe, expect, test } from 'vitest';
import { RatePause } from '../../src/connectors/notification/rate-pause.ts';
import { json } from './http-servers.ts';
import { answering, CTX, closeOpened, note, novuAt, processed } from './novu-notes.ts';

afterEach(closeOpened);

describe('a limited rate', () => {
  test('is respected without a Retry-After, too, and again when it is not over', async () => {
    let requests = 0;
    const server = await answering((_, response) => {
      requests += 1;
      if (requests > 2) return json(response, 201, { data: processed('n-1') });
      response.writeHead(429, requests === 1 ? { 'retry-after': '0' } : {}).end('slow down');
    });
    const startedAt = performance.now();
    expect(await novuAt(server.url).send([note('n-1')], CTX)).toMatchObject([{ outcome: 'processed' }]);
    expect(performance.now() - startedAt).toBeGreaterThan(1_200);
    expect(requests).toBe(3);
  });

  test.each<[string | null, number, number]>([
    ['7', 6_900, 7_000],
    [' 7 ', 6_900, 7_000],
    ['0', 150, 250],
    ['-7', 150, 250],
    [null, 900, 1_000],
    ['soon', 900, 1_000],
    ['7.5', 150, 7_500],
    ['Fri, 31 Jan 2025 08:00:00 GMT', 150, 250],
    ['999999999999', 3_599_000, 3_600_000],
  ])('with Retry-After %j lasts %i to %i ms', (header, leastMs, mostMs) => {
    const pause = new RatePause();
    pause.hold(header);
    expect(pause.remainingMs).toBeGreaterThan(leastMs);
    expect(pause.remainingMs).toBeLessThanOrEqual(mostMs);
  });

  test('may be given as a date', () => {
    const pause = new RatePause();
    pause.hold(new Date(Date.now() + 20_000).toUTCString());
    expect(pause.remainingMs).toBeGreaterThan(18_500);
    expect(pause.remainingMs).toBeLessThanOrEqual(20_000);
  });

  test('is not made shorter by a later answer', () => {
    const pause = new RatePause();
    pause.hold('60');
    pause.hold('1');
    expect(pause.remainingMs).toBeGreaterThan(59_000);
  });
});
