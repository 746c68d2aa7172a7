/** The value below which a share `q` of the values lies; rounded to tenths. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
  return Math.round(value * 10) / 10;
}

/** The present moment in milliseconds with fractions, comparable between the processes of a machine. */
export const epochMs = (): number => performance.timeOrigin + performance.now();

/** Rounded to so many decimals. */
export const rounded = (value: number, decimals = 0): number => Number(value.toFixed(decimals));

/** What something cost for a thousand, rounded to thousandths. */
export const perThousand = (cost: number, count: number): number => rounded((cost / count) * 1_000, 3);

/** How many times as large one figure is as another, rounded to hundredths; null when there is nothing to compare with. */
export const ratioOf = (value: number, base: number): number | null =>
  base > 0 ? rounded(value / base, 2) : null;

/** By how many percent a figure has fallen from the first of a row to its last; negative when it has grown. */
export function fallPercent(values: readonly number[]): number {
  const [first = 0] = values;
  const last = values.at(-1) ?? first;
  return first > 0 ? rounded((1 - last / first) * 100, 1) : 0;
}

/** The differences of two readings of the same counters. */
export function growth<K extends string>(
  before: Readonly<Record<K, number>>,
  after: Readonly<Record<K, number>>,
): Record<K, number> {
  return Object.fromEntries(
    Object.entries<number>(after).map(([name, value]) => [name, value - before[name as K]]),
  ) as Record<K, number>;
}
