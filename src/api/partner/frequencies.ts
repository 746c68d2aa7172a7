/** How often a program pays, as the wire says it. Apart, so that the command line reads it without the API. */
export const DISBURSEMENT_FREQUENCIES = [
  'Daily',
  'Weekly',
  'Fortnightly',
  'Monthly',
  'BiMonthly',
  'Quarterly',
  'SemiAnnually',
  'Annually',
  'OnDemand',
] as const;
