import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/wait.ts';
import { type Client, openClient } from './client.ts';
import { messageCase, payloads } from './messages.ts';
import { rawCase } from './raw.ts';
import { type FuzzCase, shown } from './request.ts';
import { targetCase } from './targets.ts';
import { uploadCase } from './uploads.ts';
import { problemWith } from './verdict.ts';
import { openWorld, type World } from './world.ts';

const CASES = Number(process.env.FUZZ_CASES ?? 500);
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000_000);
/** Cases of one seed; the next so many have the next one. */
const CASES_AT_ONCE = 200;
const IN_FLIGHT = 24;
/** Fewer, as when a failure is looked into, say nothing about the whole. */
const CASES_MIN = 2_000;
/** Whoever has answered so many has all that it keeps for good. */
const WARM_CASES_MAX = 2_000;
const HEAP_GROWTH_BYTES_MAX = 6 * 1024 * 1024;

describe('whatever is sent', () => {
  let world: World;
  let client: Client;
  beforeAll(async () => {
    world = await openWorld();
    client = openClient(world.api.url, IN_FLIGHT);
  });
  afterAll(() => world.close());

  it(`is answered as documented, ${CASES} times`, async () => {
    const paths = [...Object.keys(payloads(world)), '/upload_mt940'];
    const anything: fc.Arbitrary<FuzzCase> = fc.oneof(
      { weight: 10, arbitrary: messageCase(world) },
      { weight: 3, arbitrary: uploadCase },
      { weight: 2, arbitrary: targetCase(paths) },
      { weight: 2, arbitrary: rawCase },
    );
    const warm = CASES < CASES_MIN ? null : Math.min(WARM_CASES_MAX, CASES / 2);
    const seen = new Map<string, number>();
    let heapBefore = 0;
    for (let done = 0, seed = SEED; done < CASES; done += CASES_AT_ONCE, seed += 1) {
      if (done === warm) heapBefore = await heapInUse();
      const cases = fc.sample(anything, { seed, numRuns: Math.min(CASES_AT_ONCE, CASES - done) });
      await sendAll(cases, seed, seen);
    }
    const grown = warm === null ? 0 : (await heapInUse()) - heapBefore;
    console.log(`${CASES} cases, seed ${SEED}; the heap grew by ${(grown / 1_048_576).toFixed(1)} MB`);
    console.log(
      [...seen]
        .toSorted(([, a], [, b]) => b - a)
        .map(([what, times]) => `${times} ${what}`)
        .join(', '),
    );
    if (warm === null) return;
    expect(grown).toBeLessThan(HEAP_GROWTH_BYTES_MAX);
    // Much of it must get as far as the rules, and past them.
    expect(seen.get('200 SUCCESS') ?? 0).toBeGreaterThan(CASES / 20);
    expect(seen.size).toBeGreaterThan(15);
  }, 600_000);

  it('leaves the server alive, and no connection behind', async () => {
    await client.close();
    for (const path of ['/healthz', '/readyz']) expect((await fetch(world.api.url + path)).status).toBe(200);
    const { server } = world.api.app;
    server.closeIdleConnections();
    await until(
      'all connections are closed',
      () => new Promise<boolean>((resolve) => server.getConnections((_error, count) => resolve(count === 0))),
    );
  });

  /** Sends cases, so many at once, and stops at the first that is not answered as it should be. */
  async function sendAll(cases: readonly FuzzCase[], seed: number, seen: Map<string, number>): Promise<void> {
    let next = 0;
    const worker = async () => {
      for (let one = cases[next++]; one; one = cases[next++]) {
        try {
          await sendOne(one, seen);
        } catch (error) {
          next = cases.length;
          const again = `again: FUZZ_SEED=${seed} FUZZ_CASES=${CASES_AT_ONCE} npm run fuzz`;
          throw new Error(`${String(error)}\n${shown(one)}\n${again}`, { cause: error });
        }
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  }

  async function sendOne(one: FuzzCase, seen: Map<string, number>): Promise<void> {
    const given = 'bytes' in one ? await client.sendRaw(one) : await client.send(one);
    for (const answer of Array.isArray(given) ? given : given ? [given] : []) {
      const problem = problemWith(world.documented, one, answer);
      if (problem !== null) throw new Error(problem);
      const what = `${answer.status} ${wordOf(answer.text)}`;
      seen.set(what, (seen.get(what) ?? 0) + 1);
    }
  }
});

/** What an answer says in a word, to tell how much of what can happen has. */
function wordOf(text: string): string {
  const [, code = ''] = /"response_error_code":"(\w+)"/.exec(text) ?? [];
  return code || (text.includes('"SUCCESS"') ? 'SUCCESS' : '');
}

/** Bytes in use once all that is unused has been collected. */
async function heapInUse(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect: (options: { execution: 'async'; type: 'major' }) => Promise<void> = runInNewContext('gc');
  // What ended with the last case lets go of more.
  for (let times = 0; times < 3; times += 1) await collect({ execution: 'async', type: 'major' });
  return process.memoryUsage().heapUsed;
}
