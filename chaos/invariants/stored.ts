import { compareDecimals } from '../../src/decimal.ts';
import type { Submitted } from '../contract.ts';
import { type Finding, invariant } from './with-database.ts';

interface Row {
  readonly id: string;
  readonly beneficiary: string;
  readonly quantity: string;
  readonly cancelled: boolean;
  readonly at: Date;
}

/** What was acknowledged is there as it was sent, and nothing else is. */
export const storedOnce = invariant(
  'What the API has acknowledged is stored once, as it was sent, and nothing besides.',
  async function* (sql, { submitted }) {
    for (const one of submitted) {
      const [envelope] = await sql<{ cancelled: boolean }[]>`
        select cancellation_status = 'Cancelled' as cancelled from disbursement_envelopes
        where id = ${one.envelopeId}`;
      if (!envelope) yield { found: `Envelope ${one.envelopeId} was acknowledged and is not there.` };
      else yield* asCancelled(one, envelope.cancelled);
      const rows = await sql<Row[]>`
        select id, beneficiary_id as beneficiary, disbursement_quantity::text as quantity,
          cancellation_status = 'CANCELLED' as cancelled, receipt_time_stamp as at
        from disbursements where disbursement_batch_control_id in (
          select id from disbursement_batch_control where disbursement_envelope_id = ${one.envelopeId})`;
      yield* differences(one, rows);
    }
    const known = submitted.map(({ envelopeId }) => envelopeId);
    const strangers = await sql<{ id: string; at: Date }[]>`
      select id, receipt_time_stamp as at from disbursement_envelopes where id <> all(${known}) limit 50`;
    for (const { id, at } of strangers) yield { found: `Envelope ${id} was never acknowledged.`, at };
  },
);

function* asCancelled({ envelopeId, cancellation }: Submitted, isCancelled: boolean): Generator<Finding> {
  if (cancellation === 'yes' && !isCancelled) {
    yield { found: `The cancellation of envelope ${envelopeId} was acknowledged and is not there.` };
  }
  if (cancellation === 'no' && isCancelled)
    yield { found: `Envelope ${envelopeId} was cancelled by nobody.` };
}

function* differences(
  { envelopeId, disbursements, cancelled }: Submitted,
  rows: readonly Row[],
): Generator<Finding> {
  const stored = new Set(rows.map(({ id }) => id));
  for (const id of disbursements.keys()) {
    if (!stored.has(id))
      yield { found: `Disbursement ${id} of envelope ${envelopeId} was acknowledged and is not there.` };
  }
  for (const { id, at, ...row } of rows) {
    const sent = disbursements.get(id);
    if (!sent) {
      yield { found: `Disbursement ${id} of envelope ${envelopeId} was never acknowledged.`, at };
      continue;
    }
    if (sent.beneficiary !== row.beneficiary) {
      yield { found: `Disbursement ${id} was for ${sent.beneficiary} and is for ${row.beneficiary}.`, at };
    }
    if (compareDecimals(sent.quantity, row.quantity) !== 0) {
      yield { found: `Disbursement ${id} was of ${sent.quantity} and is of ${row.quantity}.`, at };
    }
    if (cancelled.has(id) !== row.cancelled) {
      const [was, is] = cancelled.has(id) ? ['was acknowledged as', 'is not'] : ['was never', 'is'];
      yield { found: `Disbursement ${id} ${was} cancelled and ${is}.`, at };
    }
  }
}
