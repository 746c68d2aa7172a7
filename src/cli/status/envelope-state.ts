import type { JsonObject } from '../partner-client.ts';
import { asObject, countIn, decimalIn, textIn } from '../partner-messages.ts';

/** Something of an envelope that is counted. */
export interface CountedStep {
  readonly kind: 'count';
  readonly name: string;
  readonly done: number;
  /** Of how many; null when there is no number to reach. */
  readonly of: number | null;
  /** Records that stopped in ERROR. */
  readonly errors: number;
  /** Code of the latest fault; null when there was none. */
  readonly errorCode: string | null;
}

/** Something of an envelope that is in one state or another. */
export interface StatedStep {
  readonly kind: 'state';
  readonly name: string;
  readonly state: string;
  readonly attempts: number;
  readonly errorCode: string | null;
}

export type Step = CountedStep | StatedStep;

/** An envelope as far as it has come. */
export interface EnvelopeState {
  readonly id: string;
  readonly benefitType: string;
  readonly unit: string;
  /** Exact decimals. */
  readonly quantityReceived: string;
  readonly quantityDeclared: string;
  readonly steps: readonly Step[];
  readonly progress: 'in progress' | 'complete' | 'cancelled';
}

const CASH = new Set(['CASH_DIGITAL', 'CASH_PHYSICAL']);
/** Benefits that go through warehouses and agencies; agencies pay out physical cash. */
const IN_KIND = new Set(['CASH_PHYSICAL', 'COMMODITY', 'SERVICE', 'COMBINATION']);

/**
 * Reads an answer of `/get_disbursement_envelope_status`.
 *
 * Complete is an envelope of cash when every disbursement declared has been received and reconciled with the bank's
 * statements, and any other when every beneficiary has been notified.
 */
export function envelopeState(status: JsonObject): EnvelopeState {
  const benefitType = textIn(status, 'benefit_type') ?? '';
  const received = receivedStep(status);
  const cash = CASH.has(benefitType) ? cashSteps(status) : [];
  const inKind = IN_KIND.has(benefitType) ? inKindSteps(status) : [];
  const goal = (CASH.has(benefitType) ? cash : inKind).filter(({ name }) => GOALS.has(name));
  const complete = isReached(received) && goal.length > 0 && goal.every(isReached);
  const cancelled = textIn(status, 'cancellation_status')?.toLowerCase() === 'cancelled';
  return {
    id: textIn(status, 'disbursement_envelope_id') ?? '',
    benefitType,
    unit: textIn(status, 'measurement_unit') ?? '',
    quantityReceived: decimalIn(status, 'total_disbursement_quantity_received') ?? '0',
    quantityDeclared: decimalIn(status, 'total_disbursement_quantity_declared') ?? '0',
    steps: [received, ...batchSteps(status), ...inKind, ...cash],
    progress: cancelled ? 'cancelled' : complete ? 'complete' : 'in progress',
  };
}

/** The steps that an envelope is done with. */
const GOALS = new Set(['reconciled', 'beneficiaries notified']);

function isReached(step: Step): boolean {
  return step.kind === 'count' && step.of !== null && step.of > 0 && step.done >= step.of;
}

function receivedStep(status: JsonObject): Step {
  return counted(status, 'received', 'number_of_disbursements_received', 'number_of_disbursements_declared');
}

/** Each stage that the envelope's batches pass, counted in batches. */
function batchSteps(status: JsonObject): CountedStep[] {
  const stages = Array.isArray(status.disbursement_batch_stages) ? status.disbursement_batch_stages : [];
  return stages.flatMap((item: unknown) => {
    const stage = asObject(item);
    const name = stage && textIn(stage, 'stage');
    if (!stage || !name) return [];
    const [pending, processing, done, errors] = ['pending', 'processing', 'processed', 'error'].map(
      (state) => countIn(stage, state) ?? 0,
    ) as [number, number, number, number];
    const of = pending + processing + done + errors;
    return [{ kind: 'count', name, done, of, errors, errorCode: textIn(stage, 'latest_error_code') }];
  });
}

/** What is left out of payment is not waited for. */
function reconciledStep(status: JsonObject): CountedStep {
  const step = counted(
    status,
    'reconciled',
    'number_of_disbursements_reconciled',
    'number_of_disbursements_declared',
  );
  const leftOut = countIn(status, 'number_of_disbursements_left_out') ?? 0;
  return step.of === null ? step : { ...step, of: step.of - leftOut };
}

function cashSteps(status: JsonObject): Step[] {
  const declared = 'number_of_disbursements_declared';
  return [
    stated(status, 'funds_available'),
    stated(status, 'funds_blocked'),
    counted(status, 'shipped', 'number_of_disbursements_shipped', declared),
    reconciledStep(status),
    counted(status, 'reversed', 'number_of_disbursements_reversed', null),
  ];
}

function inKindSteps(status: JsonObject): Step[] {
  return [
    counted(status, 'warehouses notified', 'no_of_warehouses_notified', 'no_of_warehouses_allocated'),
    counted(status, 'agencies notified', 'no_of_agencies_notified', 'no_of_agencies_allocated'),
    counted(
      status,
      'beneficiaries notified',
      'no_of_beneficiaries_notified',
      'number_of_beneficiaries_declared',
    ),
  ];
}

function counted(status: JsonObject, name: string, done: string, of: string | null): CountedStep {
  return {
    kind: 'count',
    name,
    done: countIn(status, done) ?? 0,
    of: of === null ? null : countIn(status, of),
    errors: 0,
    errorCode: null,
  };
}

function stated(status: JsonObject, name: 'funds_available' | 'funds_blocked'): StatedStep {
  return {
    kind: 'state',
    name,
    state: textIn(status, `${name}_with_bank`) ?? 'NOT_APPLICABLE',
    attempts: countIn(status, `${name}_attempts`) ?? 0,
    errorCode: textIn(status, `${name}_latest_error_code`),
  };
}
