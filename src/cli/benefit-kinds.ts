const CASH = new Set(['CASH_DIGITAL', 'CASH_PHYSICAL']);
const IN_ZONES = new Set(['CASH_PHYSICAL', 'COMMODITY', 'SERVICE', 'COMBINATION']);

/** Whether money moves for a benefit type, so that its envelopes end with the bank's statements. */
export const isCash = (benefitType: string): boolean => CASH.has(benefitType);

/** Whether a benefit type reaches people through warehouses and agencies of their zones, and everybody is notified. */
export const goesThroughZones = (benefitType: string): boolean => IN_ZONES.has(benefitType);
