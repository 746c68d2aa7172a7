import { countText } from '../format/number.ts';

/** A count, its digits as wide as each other. */
export const Count = ({ value }: { readonly value: number | null }) => (
  <span className="figure">{value === null ? '–' : countText(value)}</span>
);
