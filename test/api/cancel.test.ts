import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { envelopeActor } from '../../src/stages/actors.ts';
import { openApi, type TestApi } from '../support/api.ts';
import {
  type DisbursementFixture,
  disbursementFixtures,
  type EnvelopeFixture,
  envelopeFixture,
} from '../support/payloads.ts';

const ENVELOPE = '/cancel_disbursement_envelope';
const DISBURSEMENTS = '/cancel_disbursements';

describe('cancelling', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openApi();
  });
  afterAll(() => api.close());

  const create = async (changes: Record<string, unknown> = {}): Promise<EnvelopeFixture> => {
    const envelope = envelopeFixture(changes);
    await api.call('/create_disbursement_envelopes', [envelope]);
    return envelope;
  };
  const receive = async ({ id }: EnvelopeFixture, count: number, changes: Record<string, unknown> = {}) => {
    const disbursements = disbursementFixtures(String(id), count, changes);
    const reply = await api.call('/create_disbursements', disbursements);
    expect(reply.header.response_error_code).toBeNull();
    return { disbursements, batch: String(reply.body.disbursement_batch_control_id) };
  };
  const rowOf = async ({ id }: EnvelopeFixture) => {
    const [row] = await api.database.sql`
      select * from disbursement_envelopes e
      join envelope_control c on c.disbursement_envelope_id = e.id
      join envelope_batch_status_for_cash s on s.disbursement_envelope_id = e.id
      where e.id = ${String(id)}`;
    return row;
  };
  const batchOf = async (id: string) => {
    const [row] = await api.database.sql`select * from disbursement_batch_control where id = ${id}`;
    return row;
  };
  const idsOf = (disbursements: readonly DisbursementFixture[]) =>
    disbursements.map(({ disbursement_id }) => ({ disbursement_id }));
  /** A payment may be on its way: the funds are blocked and a batch has asked. */
  const pay = async ({ id }: EnvelopeFixture) => {
    await api.database.sql`
      update envelope_batch_status_for_cash
      set funds_blocked_with_bank = 'FUNDS_BLOCK_SUCCESS', funds_blocked_reference_number = 'BLK-1'
      where disbursement_envelope_id = ${String(id)}`;
    await api.system.send(envelopeActor, String(id), { type: 'batch_ready', batch: 'B', at: new Date() });
  };

  describe('an envelope', () => {
    it('answers it as it stands, and takes its work out of dispatch at once', async () => {
      const envelope = await create();
      const { batch } = await receive(envelope, 4);
      expect(await batchOf(batch)).toMatchObject({ fa_resolution_status: 'PENDING' });
      const reply = await api.call(ENVELOPE, [{ id: envelope.id }]);
      expect(reply.header).toMatchObject({ response_status: 'SUCCESS', response_error_code: null });
      expect(reply.payload).toMatchObject([
        {
          ...envelope,
          cancellation_status: 'Cancelled',
          cancellation_timestamp: expect.stringMatching(/Z$/),
        },
      ]);
      // Not by a message that comes later: the same transaction.
      expect(await batchOf(batch)).toMatchObject({
        fa_resolution_status: 'NOT_APPLICABLE',
        fa_resolution_due_at: null,
      });
      expect(await rowOf(envelope)).toMatchObject({
        cancellation_status: 'Cancelled',
        funds_available_with_bank: 'NOT_APPLICABLE',
        funds_blocked_with_bank: 'NOT_APPLICABLE',
      });
      const more = await api.call('/create_disbursements', disbursementFixtures(String(envelope.id), 1));
      expect(more.header.response_error_code).toBe('DISBURSEMENT_ENVELOPE_ALREADY_CANCELED');
    });

    it('gives a block back of which nothing has been paid', async () => {
      const envelope = await create();
      await api.database.sql`
        update envelope_batch_status_for_cash
        set funds_blocked_with_bank = 'FUNDS_BLOCK_SUCCESS', funds_blocked_reference_number = 'BLK-2'
        where disbursement_envelope_id = ${String(envelope.id)}`;
      await api.call(ENVELOPE, [{ id: envelope.id }]);
      const row = await rowOf(envelope);
      expect(row).toMatchObject({
        funds_released_status: 'PENDING',
        funds_released_reference_number: 'BLK-2',
      });
      expect(row?.funds_released_due_at).toBeInstanceOf(Date);
    });

    it.each<[string, string, () => Promise<unknown>]>([
      ['that is not there', 'DISBURSEMENT_ENVELOPE_NOT_FOUND', async () => 'ENV-NOWHERE'],
      [
        'that has been cancelled',
        'DISBURSEMENT_ENVELOPE_ALREADY_CANCELED',
        async () => {
          const { id } = await create();
          await api.call(ENVELOPE, [{ id }]);
          return id;
        },
      ],
      [
        'of which something may have been paid',
        'DISBURSEMENT_ENVELOPE_SCHEDULE_DATE_REACHED',
        async () => {
          const envelope = await create();
          await pay(envelope);
          return envelope.id;
        },
      ],
      ['without an id', 'INVALID_DISBURSEMENT_ENVELOPE_ID', async () => ' '],
    ])('%s is refused, and with it the whole list', async (_, code, given) => {
      const [good, bad] = [await create(), await given()];
      const before = await api.count('actor_transitions');
      const reply = await api.call(ENVELOPE, [{ id: good.id }, { id: bad }]);
      expect(reply.status).toBe(200);
      expect(reply.header).toMatchObject({ response_status: 'ERROR', response_error_code: code });
      expect(reply.payload).toEqual([
        { id: good.id, response_error_codes: [] },
        { id: bad, response_error_codes: [code] },
      ]);
      expect(await rowOf(good)).toMatchObject({ cancellation_status: 'Not_Cancelled' });
      expect(await api.count('actor_transitions')).toBe(before);
    });

    it('twice in one list is refused, and so is an empty list', async () => {
      const { id } = await create();
      const twice = await api.call(ENVELOPE, [{ id }, { id }]);
      expect(twice.header.response_error_code).toBe('INVALID_DISBURSEMENT_ENVELOPE_ID');
      expect((await api.call(ENVELOPE, [])).header.response_error_code).toBe('REQUEST_VALIDATION_ERROR');
    });

    it('and receiving a batch at the same moment leave either all or nothing of the batch', async () => {
      for (let round = 0; round < 8; round += 1) {
        const envelope = await create();
        const [cancelled, ...received] = await Promise.all([
          api.call(ENVELOPE, [{ id: envelope.id }]),
          ...Array.from({ length: 3 }, () =>
            api.call('/create_disbursements', disbursementFixtures(String(envelope.id), 2)),
          ),
        ]);
        expect(cancelled?.header.response_error_code).toBeNull();
        const batches = await api.database.sql`
          select fa_resolution_status from disbursement_batch_control
          where disbursement_envelope_id = ${String(envelope.id)}`;
        const taken = received.filter(({ header }) => header.response_status === 'SUCCESS');
        expect(batches).toHaveLength(taken.length);
        for (const batch of batches) expect(batch.fa_resolution_status).toBe('NOT_APPLICABLE');
      }
    });
  });

  describe('disbursements', () => {
    it('takes them out of what the envelope has received, which then waits for others', async () => {
      const envelope = await create();
      const { disbursements } = await receive(envelope, 10);
      expect(await rowOf(envelope)).toMatchObject({ receipt_status: 'RECEIVED' });
      const reply = await api.call(DISBURSEMENTS, idsOf(disbursements.slice(0, 3)));
      expect(reply.header).toMatchObject({ response_status: 'SUCCESS', response_error_code: null });
      expect(reply.payload).toEqual(
        disbursements.slice(0, 3).map(({ disbursement_id }) => ({
          disbursement_id,
          cancellation_status: 'CANCELLED',
          response_error_codes: [],
        })),
      );
      expect(await rowOf(envelope)).toMatchObject({
        receipt_status: 'RECEIVING',
        number_of_disbursements_received: 7,
        total_disbursement_quantity_received: '700',
        funds_available_with_bank: 'PENDING_CHECK',
        funds_available_due_at: null,
      });
      await receive(envelope, 3);
      expect(await rowOf(envelope)).toMatchObject({ receipt_status: 'RECEIVED' });
    });

    it('cancels those that can be, says of the others why not, and is an ERROR as a whole', async () => {
      const envelope = await create();
      const { disbursements } = await receive(envelope, 3);
      const [one, two, three] = idsOf(disbursements);
      await api.call(DISBURSEMENTS, [one]);
      const reply = await api.call(DISBURSEMENTS, [
        one,
        two,
        { disbursement_id: 'NOWHERE' },
        { disbursement_id: '' },
        three,
        three,
      ]);
      expect(reply.header).toMatchObject({
        response_status: 'ERROR',
        response_error_code: 'INVALID_DISBURSEMENT_PAYLOAD',
        response_error_message: expect.stringMatching(/^5 of 6 disbursements were not cancelled; /),
      });
      expect(reply.payload.map((item: Record<string, unknown>) => item.response_error_codes)).toEqual([
        ['DISBURSEMENT_ALREADY_CANCELED'],
        [],
        ['INVALID_DISBURSEMENT_ID'],
        ['INVALID_DISBURSEMENT_ID'],
        ['INVALID_DISBURSEMENT_ID'],
        ['INVALID_DISBURSEMENT_ID'],
      ]);
      expect(await rowOf(envelope)).toMatchObject({ number_of_disbursements_received: 1 });
    });

    it('gives the code that all refused ones share', async () => {
      const unknown = await api.call(DISBURSEMENTS, [
        { disbursement_id: 'NO-1' },
        { disbursement_id: 'NO-2' },
      ]);
      expect(unknown.header.response_error_code).toBe('INVALID_DISBURSEMENT_ID');
      const envelope = await create();
      const { disbursements } = await receive(envelope, 2);
      await api.call(ENVELOPE, [{ id: envelope.id }]);
      const late = await api.call(DISBURSEMENTS, idsOf(disbursements));
      expect(late.header.response_error_code).toBe('DISBURSEMENT_ENVELOPE_ALREADY_CANCELED');
      expect(late.payload[0]).toMatchObject({ cancellation_status: 'NOT_CANCELLED' });
    });

    it('of several envelopes is refused as a whole', async () => {
      const [one, two] = [await create(), await create()];
      const [first, second] = [await receive(one, 1), await receive(two, 1)];
      const asked = idsOf([...first.disbursements, ...second.disbursements]);
      const reply = await api.call(DISBURSEMENTS, asked);
      expect(reply.header.response_error_code).toBe('MULTIPLE_ENVELOPES_FOUND');
      expect(await rowOf(one)).toMatchObject({ number_of_disbursements_received: 1 });
    });

    it('is refused once something may have been paid, or warehouse and agency have been found', async () => {
      const paid = await create();
      const { disbursements } = await receive(paid, 2);
      await pay(paid);
      const code = 'DISBURSEMENT_ENVELOPE_SCHEDULE_DATE_REACHED';
      const reply = await api.call(DISBURSEMENTS, idsOf(disbursements));
      expect(reply.header.response_error_code).toBe(code);
      const goods = await create({ benefit_type: 'COMMODITY', measurement_unit: 'KG' });
      const { disbursements: ofGoods, batch } = await receive(goods, 2);
      await api.database.sql`
        update disbursement_batch_control set agency_allocation_status = 'PROCESSED' where id = ${batch}`;
      const late = await api.call(DISBURSEMENTS, idsOf(ofGoods));
      expect(late.header).toMatchObject({
        response_error_code: code,
        response_error_message: expect.stringContaining('warehouse and agency'),
      });
      expect(await rowOf(goods)).toMatchObject({ number_of_disbursements_received: 2 });
    });

    it('has the addresses of the rest asked for anew when they had failed', async () => {
      const envelope = await create();
      const { disbursements, batch } = await receive(envelope, 2);
      await api.database.sql`
        update disbursement_batch_control
        set fa_resolution_status = 'ERROR', fa_resolution_attempts = 3, fa_resolution_due_at = null,
          fa_resolution_latest_error_code = 'FA_UNRESOLVED'
        where id = ${batch}`;
      await api.call(DISBURSEMENTS, idsOf(disbursements.slice(0, 1)));
      expect(await batchOf(batch)).toMatchObject({
        fa_resolution_status: 'PENDING',
        fa_resolution_attempts: 0,
      });
    });

    it('leaves a batch alone whose row cannot be read', async () => {
      const goods = await create({ benefit_type: 'COMMODITY', measurement_unit: 'KG' });
      const { disbursements, batch } = await receive(goods, 2);
      const { sql } = api.database;
      await sql`alter table disbursement_batch_control drop constraint fa_resolution_status_known`;
      await sql`update disbursement_batch_control set fa_resolution_status = 'LOST' where id = ${batch}`;
      const reply = await api.call(DISBURSEMENTS, idsOf(disbursements));
      expect(reply.header).toMatchObject({ response_status: 'ERROR', response_error_code: 'INTERNAL_ERROR' });
      expect(await rowOf(goods)).toMatchObject({ number_of_disbursements_received: 2 });
      await sql`update disbursement_batch_control set fa_resolution_status = 'NOT_APPLICABLE' where id = ${batch}`;
      await sql`delete from actor_parked`;
      expect((await api.call(DISBURSEMENTS, idsOf(disbursements))).header.response_error_code).toBeNull();
    });

    it('that are only just being received are not there yet, or are taken back', async () => {
      for (let round = 0; round < 12; round += 1) {
        const envelope = await create();
        const { disbursements } = await receive(envelope, 1);
        const coming = disbursementFixtures(String(envelope.id), 1);
        const [reply] = await Promise.all([
          api.call(DISBURSEMENTS, idsOf([...disbursements, ...coming])),
          api.call('/create_disbursements', coming),
        ]);
        expect(reply.status).toBe(200);
        const [first, second] = reply.payload;
        expect(first.response_error_codes).toEqual([]);
        const left = second.response_error_codes.length === 0 ? 0 : 1;
        expect(await rowOf(envelope)).toMatchObject({ number_of_disbursements_received: left });
      }
    });

    it('at the same moment, from several sides, counts each once', async () => {
      const envelope = await create();
      const { disbursements } = await receive(envelope, 10);
      const replies = await Promise.all(
        Array.from({ length: 5 }, (_, n) => api.call(DISBURSEMENTS, idsOf(disbursements.slice(n, n + 6)))),
      );
      const cancelled = replies.flatMap(({ payload }) =>
        payload.filter((item: { response_error_codes: string[] }) => item.response_error_codes.length === 0),
      );
      expect(cancelled).toHaveLength(10);
      expect(await rowOf(envelope)).toMatchObject({
        number_of_disbursements_received: 0,
        total_disbursement_quantity_received: '0',
      });
    });
  });
});
