/** The databases of a run, all on one server. */
export const DATABASE = {
  bridge: 'chaos_bridge',
  bank: 'chaos_bank',
  spar: 'chaos_spar',
  novu: 'chaos_novu',
  pbms: 'chaos_pbms',
  registry: 'chaos_registry',
} as const;

export const DATABASES: readonly string[] = Object.values(DATABASE);
