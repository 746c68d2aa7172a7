import type { SettingName, Settings } from './settings.ts';

/** The settings of each stage: the seed names frequencies, attempts and stages each in its own way. */
const STAGE_SETTINGS = {
  mapper_resolution: ['mapper_resolve_frequency', 'mapper_resolution_max_attempts'],
  check_funds_with_bank: ['funds_available_check_frequency', 'check_funds_with_bank_max_attempts'],
  block_funds_with_bank: ['funds_blocked_frequency', 'block_funds_with_bank_max_attempts'],
  disburse_funds_from_bank: ['funds_disbursement_frequency', 'disburse_funds_with_bank_max_attempts'],
  mt940_processor: ['mt940_processor_frequency', 'mt940_processor_max_attempts'],
  geo_resolution: ['geo_resolution_frequency', 'geo_resolution_max_attempts'],
  warehouse_allocation: ['warehouse_allocation_frequency', 'warehouse_allocation_max_attempts'],
  agency_allocation: ['agency_allocation_frequency', 'agency_allocation_max_attempts'],
  warehouse_notification: ['warehouse_notification_frequency', 'warehouse_notification_max_attempts'],
  agency_notification: ['agency_notification_frequency', 'agency_notification_max_attempts'],
  beneficiary_notification: ['beneficiary_notification_frequency', 'beneficiary_notification_max_attempts'],
  release_funds_with_bank: ['funds_release_frequency', 'release_funds_with_bank_max_attempts'],
} as const satisfies Record<string, readonly [SettingName, SettingName]>;

/** Name of a task pair, as in its queue. */
export type StageName = keyof typeof STAGE_SETTINGS;

/** The names of all stages: the eleven task pairs of the specification, and giving blocked funds back. */
export const STAGE_NAMES = Object.keys(STAGE_SETTINGS) as readonly StageName[];

/** How often a stage ticks, in seconds, and how often it tries before it stops in ERROR. */
export function stageSettings(
  settings: Settings,
  stage: StageName,
): { readonly frequencySeconds: number; readonly maxAttempts: number } {
  const [frequency, attempts] = STAGE_SETTINGS[stage];
  return { frequencySeconds: settings[frequency], maxAttempts: settings[attempts] };
}
