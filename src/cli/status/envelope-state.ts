import { goesThroughZones, isCash } from '../../machines/benefit-type.ts';
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

/**
 * Reads an answer of `/get_disbursement_envelope_status`.
 *
 * An envelope is complete when every disbursement declared has been received, and cash has been reconciled with the
 * bank's statements, and, for all but digital cash, the warehouse and agency of every zone and every beneficiary have
 * been notified. What an operator has left out is not waited for.
 */
export function envelopeState(status: JsonObject): EnvelopeState {
  const benefitType = textIn(status, 'benefit_type') ?? '';
  const received = receivedStep(status);
  const cash = isCash(benefitType) ? cashSteps(status) : [];
  const zones = goesThroughZones(benefitType) ? [...zoneSteps(status), ...notificationSteps(status)] : [];
  const goals = [...cash, ...zones].filter(({ name }) => GOALS.has(name));
  const complete = isReached(received) && goals.length > 0 && goals.every(isReached);
  const cancelled = textIn(status, 'cancellation_status')?.toLowerCase() === 'cancelled';
  return {
    id: textIn(status, 'disbursement_envelope_id') ?? '',
    benefitType,
    unit: textIn(status, 'measurement_unit') ?? '',
    quantityReceived: decimalIn(status, 'total_disbursement_quantity_received') ?? '0',
    quantityDeclared: decimalIn(status, 'total_disbursement_quantity_declared') ?? '0',
    steps: [received, ...stageSteps(status.disbursement_batch_stages), ...zones, ...cash],
    progress: cancelled ? 'cancelled' : complete ? 'complete' : 'in progress',
  };
}

/** The steps that an envelope is done with. */
const GOALS = new Set([
  'reconciled',
  'warehouse_notification',
  'agency_notification',
  'beneficiary_notification',
]);

function isReached(step: Step): boolean {
  return step.kind === 'count' && step.of !== null && step.done >= step.of;
}

function receivedStep(status: JsonObject): Step {
  return counted(status, 'received', 'number_of_disbursements_received', 'number_of_disbursements_declared');
}

/** Each stage that the envelope's batches, or its notifications, pass, counted in their records. */
function stageSteps(stages: unknown): CountedStep[] {
  return (Array.isArray(stages) ? stages : []).flatMap((item: unknown) => {
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

/** Disbursements declared that are to reach somebody; what is left out is not waited for. */
function expected(status: JsonObject): number | null {
  const declared = countIn(status, 'number_of_disbursements_declared');
  return declared === null ? null : declared - (countIn(status, 'number_of_disbursements_left_out') ?? 0);
}

function reconciledStep(status: JsonObject): CountedStep {
  return {
    ...counted(status, 'reconciled', 'number_of_disbursements_reconciled', null),
    of: expected(status),
  };
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

function zoneSteps(status: JsonObject): CountedStep[] {
  return [
    counted(status, 'zones', 'no_of_small_zones', null),
    counted(status, 'warehouses', 'no_of_warehouses_allocated', null),
    counted(status, 'agencies', 'no_of_agencies_allocated', null),
  ];
}

/** Warehouses and agencies are notified once for each zone of a batch, beneficiaries once for each disbursement. */
function notificationSteps(status: JsonObject): CountedStep[] {
  const steps = stageSteps(status.disbursement_notification_stages);
  return (['warehouse', 'agency', 'beneficiary'] as const).map((who) => {
    const name = `${who}_notification`;
    const step = steps.find((candidate) => candidate.name === name) ?? { ...NOT_BEGUN, name };
    // Those who are not in a zone yet will have to be notified too.
    return who === 'beneficiary' ? { ...step, of: Math.max(step.of ?? 0, expected(status) ?? 0) } : step;
  });
}

const NOT_BEGUN: CountedStep = { kind: 'count', name: '', done: 0, of: 0, errors: 0, errorCode: null };

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
