import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { envelopeActor } from '../../src/stages/actors.ts';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { type Disbursing, openPipeline, type Pipeline } from '../support/pipeline.ts';
import { PLAIN_BANK } from '../support/plain-bank.ts';
import { until } from '../support/wait.ts';

describe('blocking the funds of an envelope', () => {
  let outside: Outside;
  beforeAll(async () => {
    outside = await openOutside();
  });
  afterEach(() => outside.bank.faults([]));
  afterAll(() => outside.close());

  const retryBlock = (pipeline: Pipeline, { envelope }: Disbursing) =>
    pipeline.system.send(envelopeActor, envelope.id, { type: 'funds_blocked.retry', at: new Date() });

  describe('at a bank that recognises keys', () => {
    let pipeline: Pipeline;
    beforeAll(async () => {
      pipeline = await openPipeline(outside);
    });
    afterAll(() => pipeline.close());

    const envelopeOf = ({ envelope }: Disbursing) => pipeline.envelope(envelope.id);

    it('blocks what the envelope needs, once', async () => {
      const program = await pipeline.program();
      const disbursing = await pipeline.disburse(program, [['10.5', '20'], ['30']]);
      const row = await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 3 });
      expect(row).toMatchObject({
        funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS',
        funds_blocked_attempts: 1,
      });
      expect(row.funds_blocked_reference_number).toMatch(/^BLK-/);
      // The payments have used the block up.
      expect(await outside.bank.blocks(program.account)).toEqual([['60.50', '0.00']]);
    });

    it.each(['drop_after', 'error_after'] as const)(
      'blocks once when the answer is lost (%s), also more often than an attempt sends',
      async (kind) => {
        const program = await pipeline.program();
        await outside.bank.faults([{ path: '/block_funds', kind, count: 4 }]);
        const disbursing = await pipeline.disburse(program, [['10']]);
        await becomes(() => envelopeOf(disbursing), {
          number_of_disbursements_shipped: 1,
          funds_blocked_attempts: 2,
          funds_blocked_submission: 1,
        });
        expect(await outside.bank.blocks(program.account)).toHaveLength(1);
        expect(await outside.bank.keys(disbursing.envelope.id)).toEqual([
          `${disbursing.envelope.id}-block-1`,
        ]);
      },
    );

    it('stays one block when an operator retries after the answer was lost in all attempts', async () => {
      const program = await pipeline.program();
      await outside.bank.faults([{ path: '/block_funds', kind: 'drop_after' }]);
      const disbursing = await pipeline.disburse(program, [['10']]);
      await becomes(() => envelopeOf(disbursing), {
        funds_blocked_with_bank: 'ERROR',
        funds_blocked_latest_error_code: 'BLOCK_OUTCOME_UNKNOWN',
        funds_blocked_attempts: 3,
      });
      await outside.bank.faults([]);
      await retryBlock(pipeline, disbursing);
      await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 1 });
      expect(await outside.bank.blocks(program.account)).toHaveLength(1);
    });

    it('asks again at ticks and under a new key after a refusal, which uses up no attempts', async () => {
      const program = await pipeline.program();
      await outside.bank.faults([{ path: '/block_funds', kind: 'refuse' }]);
      const before = await outside.bank.requests('/block_funds');
      const disbursing = await pipeline.disburse(program, [['10']]);
      const refused = {
        funds_blocked_with_bank: 'FUNDS_BLOCK_FAILURE',
        funds_blocked_latest_error_code: 'BANK_REFUSED',
        funds_blocked_attempts: 0,
      };
      await becomes(() => envelopeOf(disbursing), {
        ...refused,
        funds_blocked_submission: 2,
        // All its mail has come: a tick skips a record that is just being written.
        number_of_batches_ready: 1,
      });
      for (let tick = 1; tick <= 4; tick += 1) {
        expect(await pipeline.tick('block_funds_with_bank')).toBe(1);
        await becomes(() => envelopeOf(disbursing), { ...refused, funds_blocked_submission: 2 + tick });
        expect(await outside.bank.requests('/block_funds')).toBe(before + 1 + tick);
      }
      await outside.bank.faults([]);
      await pipeline.tick('block_funds_with_bank');
      await becomes(() => envelopeOf(disbursing), {
        number_of_disbursements_shipped: 1,
        funds_blocked_attempts: 1,
        funds_blocked_latest_error_code: null,
      });
      expect(await outside.bank.blocks(program.account)).toHaveLength(1);
      const keys = [1, 2, 3, 4, 5, 6].map((number) => `${disbursing.envelope.id}-block-${number}`);
      expect(await outside.bank.keys(disbursing.envelope.id)).toEqual(keys);
    });
  });

  describe('at a bank that recognises no keys, through the connector of a deployment', () => {
    let pipeline: Pipeline;
    beforeAll(async () => {
      pipeline = await openPipeline(outside, { settings: PLAIN_BANK });
    });
    afterAll(() => pipeline.close());

    const envelopeOf = ({ envelope }: Disbursing) => pipeline.envelope(envelope.id);

    it('blocks and pays while answers come', async () => {
      const program = await pipeline.program();
      const disbursing = await pipeline.disburse(program, [['10', '20']]);
      await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 2 });
      expect(await outside.bank.blocks(program.account)).toEqual([['30.00', '0.00']]);
    });

    it('blocks after the bank was not there, since nothing had left', async () => {
      const program = await pipeline.program();
      await outside.bank.faults([{ path: '/check_funds', kind: 'delay', delay_ms: 500, count: 1 }]);
      const before = await outside.bank.requests('/check_funds');
      const disbursing = await pipeline.disburse(program, [['10']]);
      await until('the bank is asked', async () => (await outside.bank.requests('/check_funds')) > before);
      // It finishes what it has taken before it stops.
      await outside.bank.stop();
      await becomes(() => envelopeOf(disbursing), {
        funds_blocked_with_bank: 'ERROR',
        funds_blocked_latest_error_code: 'BANK_UNREACHABLE',
        funds_blocked_submitted_at: null,
        funds_blocked_attempts: 3,
      });
      await outside.bank.start();
      await retryBlock(pipeline, disbursing);
      await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 1 });
      expect(await outside.bank.blocks(program.account)).toHaveLength(1);
    });

    it('sends no block twice whose answer was lost: it waits for a person, whatever is retried', async () => {
      const program = await pipeline.program();
      await outside.bank.faults([{ path: '/block_funds', kind: 'drop_after', count: 1 }]);
      const disbursing = await pipeline.disburse(program, [['10']]);
      const parked = {
        funds_blocked_with_bank: 'ERROR',
        funds_blocked_latest_error_code: 'BLOCK_OUTCOME_UNKNOWN',
        funds_blocked_attempts: 1,
      };
      const { funds_blocked_latest_timestamp: first } = await becomes(() => envelopeOf(disbursing), parked);
      expect(await retryBlock(pipeline, disbursing)).toMatchObject({ accepted: true });
      const again = await becomes(() => envelopeOf(disbursing), parked);
      expect(again.funds_blocked_latest_timestamp).not.toEqual(first);
      expect(await outside.bank.blocks(program.account)).toEqual([['10.00', '10.00']]);
    });
  });
});
