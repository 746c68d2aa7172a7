import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { toWireRequest } from '../../src/connectors/mapper/spar-wire.ts';
import { batchActor } from '../../src/stages/actors.ts';
import { post } from '../simulators/fixtures.ts';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline } from '../support/pipeline.ts';

const CHUNK = 500;
const CONCURRENCY = 4;
const LARGE = 10_000;
const SMALL = 1_000;
const MESSAGE = {
  senderId: 'test',
  requestId: 'r',
  transactionId: 't',
  timestamp: '2025-01-31T08:00:00.000Z',
};

interface Item {
  readonly reference_id: string;
  readonly id: string;
  readonly fa: string;
}

describe('resolving a batch of any size', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, {
      settings: { mapper_chunk_size: String(CHUNK), mapper_concurrency: String(CONCURRENCY) },
      // What comes after has tests of its own; ten thousand payments would only take time here.
      system: { between: (stages) => stages.filter(({ name }) => name === 'mapper_resolution') },
    });
  });
  afterEach(async () => {
    await outside.mapper.faults([]);
    await outside.mapper.rules(null);
  });
  afterAll(async () => {
    await pipeline.close();
    await outside.close();
  });

  const idOf = ({ batches }: Disbursing) => batches[0]?.row.id ?? '';
  const stage = (disbursing: Disbursing) => () => pipeline.batch(idOf(disbursing));

  /** A batch that is stored and that the mapper knows all about, but that is not on its way yet. */
  async function prepare(count: number): Promise<Disbursing> {
    const quantities = Array.from({ length: count }, () => '1');
    return pipeline.announce(await pipeline.program(), [quantities]);
  }

  async function receive({ batches }: Disbursing): Promise<void> {
    for (const batch of batches) await pipeline.receive(batch);
  }

  async function retry(disbursing: Disbursing): Promise<void> {
    await pipeline.system.send(batchActor, idOf(disbursing), { type: 'fa_resolution.retry', at: new Date() });
  }

  async function requestsWhile(run: () => Promise<unknown>): Promise<number> {
    const before = await outside.mapper.requests('/resolve');
    await run();
    return (await outside.mapper.requests('/resolve')) - before;
  }

  /** What the mapper answers about all disbursements, as it is set at the moment. */
  async function answers({ batches }: Disbursing): Promise<readonly Item[]> {
    const requests = batches
      .flatMap(({ disbursements }) => disbursements)
      .map((one) => ({ referenceId: one.id, beneficiaryId: one.beneficiary_id }));
    const { body } = await post(outside.mapper.url, '/resolve', toWireRequest(requests, MESSAGE));
    const { response_payload: payload } = body.response_body as Record<string, { resolve_response: Item[] }>;
    return payload?.resolve_response ?? [];
  }

  /** The addresses that may be stored: of those that the mapper answers about once, or always alike, and rightly. */
  async function storable(disbursing: Disbursing): Promise<ReadonlyMap<string, string>> {
    const items = await answers(disbursing);
    const beneficiaries = new Map(
      disbursing.batches
        .flatMap(({ disbursements }) => disbursements)
        .map((one) => [one.id, one.beneficiary_id]),
    );
    const texts = new Map<string, Set<string>>();
    for (const { reference_id: reference, id, fa } of items) {
      texts.set(reference, (texts.get(reference) ?? new Set()).add(JSON.stringify([id, fa])));
    }
    const right = items.filter(
      ({ reference_id: reference, id }) =>
        beneficiaries.get(reference) === id && texts.get(reference)?.size === 1,
    );
    return new Map(right.map(({ reference_id: reference, fa }) => [reference, fa]));
  }

  async function stored(disbursing: Disbursing): Promise<ReadonlyMap<string, string>> {
    const rows = await pipeline.database.sql<{ disbursement_id: string; mapper_resolved_fa: string }[]>`
      select disbursement_id, mapper_resolved_fa from disbursement_resolution_financial_address
      where disbursement_batch_control_id = ${idOf(disbursing)}`;
    return new Map(rows.map((row) => [row.disbursement_id, row.mapper_resolved_fa]));
  }

  /** What the failed attempts said, in order. */
  async function faultsOf(disbursing: Disbursing): Promise<string[]> {
    const rows = await pipeline.database.sql<{ error_code: string; error_message: string }[]>`
      select error_code, error_message from actor_transitions
      where actor_id = ${idOf(disbursing)} and region = 'fa_resolution' and event = 'failed' order by seq`;
    return rows.map((row) => `${row.error_code}: ${row.error_message}`);
  }

  it('takes ten thousand in chunks, no more at once than configured, whatever the mapper leaves out, repeats, exchanges and adds', async () => {
    const large = await prepare(LARGE);
    const all = await storable(large);
    expect(all.size).toBe(LARGE);
    const careless = {
      reorder: true,
      leave_out: 0.01,
      repeat: 0.05,
      contradict: 0.01,
      mistake: 0.01,
      strangers: 20,
    };
    await outside.mapper.rules(careless);
    const expected = await storable(large);
    expect(expected.size).toBeGreaterThan(LARGE * 0.95);
    expect(expected.size).toBeLessThan(LARGE * 0.99);

    // Each request takes a moment, so that as many as are allowed are under way together.
    await outside.mapper.faults([{ path: '/resolve', kind: 'delay', delay_ms: 20 }]);
    await outside.mapper.rules(careless);
    const requests = await requestsWhile(async () => {
      await receive(large);
      await becomes(stage(large), { fa_resolution_status: 'ERROR', fa_resolution_attempts: 3 });
    });
    expect(await outside.mapper.mostAtOnce()).toBe(CONCURRENCY);
    // All chunks, and then twice the one of those that are left.
    expect(requests).toBe(LARGE / CHUNK + 2);
    expect(await stored(large)).toEqual(expected);
    const left = LARGE - expected.size;
    const said = `FA_UNRESOLVED: ${left} of ${LARGE} disbursements of batch ${idOf(large)} have no address: `;
    expect((await faultsOf(large))[0]).toContain(said);
    expect((await faultsOf(large))[0]).toContain(` and ${left - 5} more.`);

    await outside.mapper.rules(null);
    await retry(large);
    await becomes(stage(large), { fa_resolution_status: 'PROCESSED', fa_resolution_attempts: 1 });
    expect(await stored(large)).toEqual(all);
  });

  it.each([
    ['leaves out', { leave_out: 0.02 }, 'FA_NOT_ANSWERED'],
    ['answers differently twice', { contradict: 0.02 }, 'FA_AMBIGUOUS'],
    ['answers about somebody else', { mistake: 0.02 }, 'FA_MISMATCHED'],
  ])('names whom the mapper %s, and why, and keeps all the others', async (_, rules, code) => {
    const disbursing = await prepare(SMALL);
    await outside.mapper.rules(rules);
    const expected = await storable(disbursing);
    const left = disbursing.ids.filter((id) => !expected.has(id)).sort();
    await receive(disbursing);
    await becomes(stage(disbursing), { fa_resolution_status: 'ERROR' });
    expect(await stored(disbursing)).toEqual(expected);
    const [said = ''] = await faultsOf(disbursing);
    const named = [...said.matchAll(/(D-\w+) \((\w+)\)/g)].map(([, id, why]) => [id, why]);
    expect(named).toHaveLength(Math.min(5, left.length));
    for (const [id, why] of named) {
      expect(left).toContain(id);
      expect(why).toBe(code);
    }
  });

  it('loses nothing to a mapper that reorders, repeats and adds', async () => {
    const disbursing = await prepare(SMALL);
    const all = await storable(disbursing);
    await outside.mapper.rules({ reorder: true, repeat: 0.5, strangers: 500 });
    await receive(disbursing);
    await becomes(stage(disbursing), { fa_resolution_status: 'PROCESSED', fa_resolution_attempts: 1 });
    expect(await stored(disbursing)).toEqual(all);
  });

  it('keeps the chunks that were answered when another came with an ERROR header, whose code it records', async () => {
    const disbursing = await prepare(SMALL);
    const all = await storable(disbursing);
    const error = { code: 'rjct.service.busy', message: 'Come back later.', count: 1 };
    await outside.mapper.rules({ error_header: error });
    const requests = await requestsWhile(async () => {
      await receive(disbursing);
      await becomes(stage(disbursing), { fa_resolution_status: 'PROCESSED', fa_resolution_attempts: 2 });
    });
    expect(requests).toBe(SMALL / CHUNK + 1);
    expect(await faultsOf(disbursing)).toEqual([
      expect.stringMatching(
        /^rjct\.service\.busy: The mapper refused: Come back later\. 500 of 1000 disbursements of batch /,
      ),
    ]);
    expect(await stored(disbursing)).toEqual(all);
  });
});
