import type { DisbursementPayload, EnvelopePayload } from '../../src/cli/partner-messages.ts';
import { sumDecimals } from '../../src/decimal.ts';
import { isCash } from '../../src/machines/benefit-type.ts';
import type { Program, World } from '../contract.ts';
import { type Random, randomFor } from '../random.ts';

/** A batch of one envelope, as it is sent. */
export interface PlannedBatch {
  readonly id: string;
  readonly disbursements: readonly DisbursementPayload[];
}

/** What is taken back: nothing, some disbursements (others are sent in their place), or the whole envelope. */
export type PlannedCancellation =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'some'; readonly ids: readonly string[] }
  /** After so many of its batches. */
  | { readonly kind: 'envelope'; readonly afterBatches: number };

/** One envelope, as everything about it was decided by the seed. */
export interface PlannedEnvelope {
  readonly envelope: EnvelopePayload;
  readonly program: Program;
  readonly batches: readonly PlannedBatch[];
  readonly cancellation: PlannedCancellation;
  /** Which requests are made twice although they were answered, from 0 on. */
  repeats(request: number): boolean;
}

/** How the envelopes of a run are made. */
export interface PlanOptions {
  readonly seed: number;
  readonly disbursementsMax: number;
}

const DAY_MS = 86_400_000;
const BATCHES_MAX = 4;
const CYCLE_ID = 1;
/** So many envelopes in a hundred are cancelled as a whole, and so many in part. */
const CANCELLED_PERCENT = 6;
const CANCELLED_IN_PART_PERCENT = 12;
/** Of the first batch, where disbursements are cancelled. */
const CANCELLED_OF_BATCH = 0.3;
/** So many requests in a hundred come once more although they were answered. */
const REPEATED_PERCENT = 5;
/** So many disbursements in a thousand are of nothing: they are not paid, and count as reconciled. */
const ZERO_PER_MILLE = 5;

/** Plans envelope number `n` of a run: the same for the same seed, programs and beneficiaries. */
export function planEnvelope(
  world: World,
  { seed, disbursementsMax }: PlanOptions,
  n: number,
): PlannedEnvelope {
  const random = randomFor(seed, `envelope ${n}`);
  const program = world.programs[n % world.programs.length];
  if (!program) throw new Error('A load needs a program to submit for.');
  const id = `chaos-${seed}-${n}`;
  const size = random.between(1, Math.min(disbursementsMax, world.beneficiaries.length));
  const disbursements = disbursementsOf(world, id, program, size, random);
  const batches = batchesOf(id, disbursements, random);
  const quantity = sumDecimals(disbursements.map((one) => one.disbursement_quantity));
  const envelope: EnvelopePayload = {
    id,
    benefit_program_id: Number(program.id),
    benefit_program_mnemonic: program.mnemonic,
    target_registry: 'farmer_registry',
    benefit_code_id: Number(program.benefitCodeId),
    benefit_code_mnemonic: program.benefitCodeMnemonic,
    benefit_type: program.benefitType,
    disbursement_cycle_id: CYCLE_ID,
    cycle_code_mnemonic: id,
    disbursement_frequency: 'Monthly',
    measurement_unit: isCash(program.benefitType) ? 'USD' : 'KG',
    // Not of a day that ends while clocks jump; the bridge is set to pay ahead of the day.
    disbursement_schedule_date: new Date(Date.now() + DAY_MS).toISOString().slice(0, 10),
    number_of_beneficiaries: size,
    number_of_disbursements: size,
    total_disbursement_quantity: quantity,
  };
  const cancellation = cancellationOf(batches, random);
  return {
    envelope,
    program,
    batches,
    cancellation,
    repeats: (request) =>
      randomFor(seed, `request ${request} of envelope ${n}`).next() < REPEATED_PERCENT / 100,
  };
}

function disbursementsOf(
  world: World,
  envelopeId: string,
  program: Program,
  size: number,
  random: Random,
): DisbursementPayload[] {
  const first = random.between(0, world.beneficiaries.length - 1);
  return Array.from({ length: size }, (_, n) => {
    const beneficiary = world.beneficiaries[(first + n) % world.beneficiaries.length] ?? '';
    return {
      disbursement_id: `${envelopeId}-${n}`,
      disbursement_envelope_id: envelopeId,
      beneficiary_id: beneficiary,
      beneficiary_name: `Person ${beneficiary}`,
      disbursement_quantity: quantityOf(program, random),
      narrative: 'Benefit',
      disbursement_cycle_id: CYCLE_ID,
    };
  });
}

/** A bank has two decimal places, a scale has three. */
function quantityOf(program: Program, random: Random): string {
  if (random.next() < ZERO_PER_MILLE / 1_000) return '0';
  const places = isCash(program.benefitType) ? 2 : 3;
  const fraction = random.between(0, 10 ** places - 1);
  return `${random.between(1, 250)}.${String(fraction).padStart(places, '0')}`;
}

function batchesOf(
  envelopeId: string,
  disbursements: readonly DisbursementPayload[],
  random: Random,
): PlannedBatch[] {
  const count = Math.min(disbursements.length, random.between(1, BATCHES_MAX));
  const size = Math.ceil(disbursements.length / count);
  return Array.from({ length: Math.ceil(disbursements.length / size) }, (_, n) => ({
    id: `${envelopeId}-batch-${n}`,
    disbursements: disbursements.slice(n * size, (n + 1) * size),
  }));
}

function cancellationOf(batches: readonly PlannedBatch[], random: Random): PlannedCancellation {
  const percent = random.between(0, 99);
  if (percent < CANCELLED_PERCENT) {
    return { kind: 'envelope', afterBatches: random.between(0, batches.length) };
  }
  const [first] = batches;
  // Of an envelope that is complete single disbursements may be refused for many a reason: some are still to come.
  if (percent >= CANCELLED_PERCENT + CANCELLED_IN_PART_PERCENT || batches.length < 2 || !first) {
    return { kind: 'nothing' };
  }
  const ids = first.disbursements
    .filter(() => random.next() < CANCELLED_OF_BATCH)
    .map((one) => one.disbursement_id);
  return ids.length === 0 ? { kind: 'nothing' } : { kind: 'some', ids };
}
