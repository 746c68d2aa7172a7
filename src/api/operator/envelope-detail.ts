import { z } from 'zod';
import type { Tx } from '../../db/connection.ts';
import { subtractDecimals } from '../../decimal.ts';
import { isCash } from '../../machines/benefit-type.ts';
import type { Row } from '../../runtime/codec.ts';
import { decode } from '../../runtime/codec.ts';
import { compute } from '../../runtime/compute.ts';
import type { ActorSystem } from '../../runtime/system.ts';
import { envelopeActor } from '../../stages/actors.ts';
import type { OperatorContext } from './context.ts';
import { endpoint } from './endpoint.ts';
import {
  blockedQuantity,
  envelopeTables,
  type SummaryRow,
  summaryColumns,
  summaryOf,
} from './envelope-rows.ts';
import { missingView } from './missing.ts';
import { atOneMoment } from './one-moment.ts';
import { ProblemError } from './problem.ts';
import { stagesOfBenefit } from './stages.ts';
import { isEmpty, tallyOf } from './tally.ts';
import { line } from './wire/common.ts';
import { type EnvelopeDetail, envelopeDetail } from './wire/envelopes.ts';

/** The path parameter of everything that is about one envelope. */
export const envelopeParams = z.object({ id: line(200) });

/** What is refused when there is no such envelope. */
export const ENVELOPE_UNKNOWN = { ENVELOPE_UNKNOWN: 404 } as const;

/** @throws ProblemError ENVELOPE_UNKNOWN, always */
export function refuseUnknownEnvelope(id: string): never {
  throw new ProblemError(404, 'ENVELOPE_UNKNOWN', `There is no envelope ${id}.`);
}

interface DetailRow extends SummaryRow {
  readonly benefit_program_description: string | null;
  readonly number_of_beneficiaries: number;
  readonly number_of_batches: number;
  readonly cancellation_timestamp: Date | null;
  readonly blocked: string;
  readonly quantity_shipped: string;
  readonly quantity_reconciled: string;
  readonly quantity_reversed: string;
  readonly sponsor_bank_code: string | null;
  readonly funds_blocked_reference_number: string | null;
}

/** `GET /operator/envelopes/{id}`: how far one envelope is, stage by stage, and its money. */
export const envelopeEndpoint = endpoint({
  method: 'GET',
  path: '/operator/envelopes/{id}',
  summary: 'One envelope: how far it is, stage by stage, and its money',
  role: 'viewer',
  params: envelopeParams,
  answer: envelopeDetail,
  refusals: ENVELOPE_UNKNOWN,
  handle: (context, { params: { id } }) => atOneMoment(context.database, (tx) => detailOf(context, tx, id)),
});

async function detailOf(context: OperatorContext, tx: Tx, id: string): Promise<EnvelopeDetail> {
  const { system } = context;
  const [row] = await tx<DetailRow[]>`
    select ${summaryColumns(tx)}, e.benefit_program_description, e.number_of_beneficiaries, e.cancellation_timestamp,
      (select count(*)::int from disbursement_batch_control c where c.disbursement_envelope_id = e.id)
        as number_of_batches,
      ${blockedQuantity(tx)} as blocked, b.quantity_shipped, b.quantity_reconciled, b.quantity_reversed,
      b.sponsor_bank_code, b.funds_blocked_reference_number
    from ${envelopeTables(tx)} where e.id = ${id}`;
  if (!row) refuseUnknownEnvelope(id);
  const { seq, byCorrelation } = await system.counts.of(tx, [id]);
  const stages = stagesOfBenefit(system, row.benefit_type).flatMap((info) => {
    const tally = tallyOf(info, byCorrelation.get(id));
    // Nothing is given back of most envelopes.
    if (info.region.region === 'funds_released' && isEmpty(tally)) return [];
    const { stage, title, actor, region } = info;
    return [{ stage, title, machine: actor.name, region: region.region, tally }];
  });
  return {
    ...summaryOf(row),
    seq,
    description: row.benefit_program_description,
    number_of_beneficiaries: row.number_of_beneficiaries,
    number_of_batches: row.number_of_batches,
    cancelled_at: row.cancellation_timestamp?.toISOString() ?? null,
    money: isCash(row.benefit_type) ? moneyOf(context, row) : null,
    stages,
    cancellable: await isCancellable(system, tx, id),
  };
}

function moneyOf(context: OperatorContext, row: DetailRow): EnvelopeDetail['money'] {
  const outstanding = subtractDecimals(row.quantity_shipped, row.quantity_reconciled);
  const known = missingView(context);
  const { count, quantity } = known?.byEnvelope.get(row.id) ?? { count: 0, quantity: '0' };
  return {
    blocked: row.blocked,
    shipped: row.quantity_shipped,
    reconciled: row.quantity_reconciled,
    reversed: row.quantity_reversed,
    // A statement may come before the bank's answer that it has taken the payments.
    outstanding: outstanding.startsWith('-') ? '0' : outstanding,
    missing: known && { count, quantity, as_of: known.asOf.toISOString() },
    sponsor_bank_code: row.sponsor_bank_code,
    block_reference: row.funds_blocked_reference_number,
  };
}

/** Asks the machine what it would do. An envelope that cannot be read cannot be cancelled. */
async function isCancellable(system: ActorSystem, tx: Tx, id: string): Promise<boolean> {
  const { clock } = system.store.registry;
  const [row] = await tx<Row[]>`
    select r.*, b.*, e.* from ${envelopeTables(tx)}
    where e.id = ${id} and not exists (select from actor_parked p where p.machine = 'envelope' and p.actor_id = e.id)`;
  if (!row) return false;
  try {
    const snapshot = decode(envelopeActor, row, system.store.registry.maxAttempts(envelopeActor));
    return compute(envelopeActor.machine, snapshot, { type: 'cancel', at: clock.now() } as never).accepted;
  } catch {
    return false;
  }
}
