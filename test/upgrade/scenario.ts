import type { DisbursementPayload, EnvelopePayload } from '../../src/cli/partner-messages.ts';
import { sumDecimals } from '../../src/decimal.ts';
import type { BenefitType } from '../../src/machines/benefit-type.ts';

/** The databases of a deployment with everything around it. */
export const DATABASES = ['bridge', 'bank', 'spar', 'novu', 'pbms', 'registry'] as const;
export type DatabaseName = (typeof DATABASES)[number];
export type DatabaseUrls = Readonly<Record<DatabaseName, string>>;

/** An envelope as its ministry has it. */
export interface PlannedEnvelope {
  readonly type: BenefitType;
  /** Account that pays; null when no money moves. */
  readonly account: string | null;
  readonly envelope: EnvelopePayload;
  readonly batches: readonly {
    readonly id: string;
    readonly disbursements: readonly DisbursementPayload[];
  }[];
}

/** What is known about a fixture besides its databases. */
export interface Facts {
  /** Commit of the release that made it. */
  readonly commit: string;
  /** PostgreSQL that it was made on. */
  readonly postgres: string;
  /** Envelopes that were complete, and those that were under way. */
  readonly complete: readonly PlannedEnvelope[];
  readonly underWay: readonly PlannedEnvelope[];
  /** The batch that the ministry had not sent yet. */
  readonly unsentBatch: string;
  /** The batch in ERROR, and the beneficiary whom the mapper does not know. */
  readonly failedBatch: string;
  readonly unknownBeneficiary: string;
  /** The stage that an operator had paused; null where the release cannot pause. */
  readonly pausedStage: string | null;
  /** Last sequence number of the journal. */
  readonly lastSeq: number;
}

/** A program as the demo has it. */
export interface ScenarioProgram {
  readonly benefitType: BenefitType;
  readonly id: number;
  readonly mnemonic: string;
  readonly benefitCodeId: number;
  readonly benefitCodeMnemonic: string;
  readonly cycle: string;
  readonly unit: string;
  readonly account: string | null;
  readonly quantityOf: (n: number) => string;
}

/**
 * Plans an envelope.
 *
 * @param name no other envelope has it
 * @param people the beneficiaries, each for one disbursement
 */
export function planned(
  program: ScenarioProgram,
  name: string,
  people: readonly string[],
  batchSize: number,
): PlannedEnvelope {
  const id = `${name}-${program.benefitType}`;
  const disbursements = people.map((beneficiary, n) => ({
    disbursement_id: `${id}-${n}`,
    disbursement_envelope_id: id,
    beneficiary_id: beneficiary,
    beneficiary_name: 'Amina Okafor',
    disbursement_quantity: program.quantityOf(n),
    narrative: 'Monthly benefit',
    disbursement_cycle_id: 1,
  }));
  const batches = Array.from({ length: Math.ceil(people.length / batchSize) }, (_, n) => ({
    id: `${id}-batch-${n}`,
    disbursements: disbursements.slice(n * batchSize, (n + 1) * batchSize),
  }));
  const envelope = {
    id,
    benefit_program_id: program.id,
    benefit_program_mnemonic: program.mnemonic,
    target_registry: 'farmer_registry',
    benefit_code_id: program.benefitCodeId,
    benefit_code_mnemonic: program.benefitCodeMnemonic,
    benefit_type: program.benefitType,
    disbursement_cycle_id: 1,
    cycle_code_mnemonic: `${program.cycle}-${name}`,
    disbursement_frequency: 'Monthly',
    measurement_unit: program.unit,
    disbursement_schedule_date: new Date().toISOString().slice(0, 10),
    number_of_beneficiaries: people.length,
    number_of_disbursements: people.length,
    total_disbursement_quantity: sumDecimals(
      disbursements.map(({ disbursement_quantity: quantity }) => quantity),
    ),
  };
  return { type: program.benefitType, account: program.account, envelope, batches };
}

/** Where the simulators of such a deployment listen. */
export interface OutsideUrls {
  readonly bank: string;
  readonly spar: string;
  readonly novu: string;
  readonly novuApiKey: string;
}

/** Settings of a bridge in the midst of the simulators. */
export function bridgeSettings(
  urls: DatabaseUrls,
  outside: OutsideUrls,
  port: number,
): Record<string, string> {
  return {
    G2P_BRIDGE_DB_DATASOURCE_BRIDGE: urls.bridge,
    G2P_BRIDGE_HOST: '127.0.0.1',
    G2P_BRIDGE_PORT: String(port),
    G2P_BRIDGE_LOG_LEVEL: 'error',
    G2P_BRIDGE_EXAMPLE_BANK_API_URL: outside.bank,
    G2P_BRIDGE_MAPPER_API_URL: outside.spar,
    G2P_BRIDGE_IN_KIND_ENABLED: 'true',
    G2P_BRIDGE_DB_DATASOURCE_PBMS: urls.pbms,
    G2P_BRIDGE_DB_DATASOURCE_REGISTRY: urls.registry,
    G2P_BRIDGE_NOVU_API_URL: outside.novu,
    G2P_BRIDGE_NOVU_API_KEY: outside.novuApiKey,
  };
}

/** What batches wait for before they can be paid or told about. */
export const OPEN_BEFORE_PAYMENT = `select count(*)::int as n from disbursement_batch_control
  where fa_resolution_status in ('PENDING', 'PROCESSING') or geo_resolution_status in ('PENDING', 'PROCESSING')
    or warehouse_allocation_status in ('PENDING', 'PROCESSING') or agency_allocation_status in ('PENDING', 'PROCESSING')`;

/** What is not at its end, in any release; cash is when it is on a statement. */
export const OPEN_WORK = `select count(*)::int as n from (
  select 1 from disbursement_batch_control where fa_resolution_status in ('PENDING', 'PROCESSING')
    or geo_resolution_status in ('PENDING', 'PROCESSING') or warehouse_allocation_status in ('PENDING', 'PROCESSING')
    or agency_allocation_status in ('PENDING', 'PROCESSING') or sponsor_bank_dispatch_status in ('PENDING', 'PROCESSING')
  union all
  select 1 from disbursement_batch_control_geo where warehouse_notification_status <> 'PROCESSED'
    or agency_notification_status <> 'PROCESSED'
  union all
  select 1 from disbursement_resolution_geo_address where beneficiary_notification_status <> 'PROCESSED'
  union all
  select 1 from envelope_batch_status_for_cash s join disbursement_envelopes e on e.id = s.disbursement_envelope_id
  where e.benefit_type like 'CASH%' and s.number_of_disbursements_reconciled < e.number_of_disbursements
) open_work`;
