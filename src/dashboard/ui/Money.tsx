import { decimalText } from '../format/number.ts';

/** An exact quantity with its unit, as `1 234.50 EUR`. */
export const Money = ({ quantity, unit }: { readonly quantity: string; readonly unit?: string }) => (
  <span className="figure">
    {decimalText(quantity)}
    {unit === undefined ? null : <span className="unit"> {unit}</span>}
  </span>
);
