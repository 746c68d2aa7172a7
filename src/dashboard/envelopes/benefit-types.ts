/** The kinds of benefits, in the words of the wire, with names for people. */
export const BENEFIT_TYPES: Readonly<Record<string, string>> = {
  CASH_DIGITAL: 'Digital cash',
  CASH_PHYSICAL: 'Physical cash',
  COMMODITY: 'Commodity',
  SERVICE: 'Service',
  COMBINATION: 'Combination',
};

export const benefitTypeText = (type: string): string => BENEFIT_TYPES[type] ?? type;
