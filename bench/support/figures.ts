/** The value below which a share `q` of the values lies; rounded to tenths. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
  return Math.round(value * 10) / 10;
}

/** The present moment in milliseconds with fractions, comparable between the processes of a machine. */
export const epochMs = (): number => performance.timeOrigin + performance.now();
