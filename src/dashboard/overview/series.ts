import type { StageSeries } from './types.ts';

const MINUTE_MS = 60_000;

/** One stage minute by minute, with zeros where nothing happened. */
export interface Minutes {
  readonly stage: string;
  /** Seconds since the epoch, as charts want them. */
  readonly at: readonly number[];
  readonly processed: readonly number[];
  readonly errors: readonly number[];
  readonly processedAll: number;
  readonly errorsAll: number;
  /** The most that was processed in a minute. */
  readonly peak: number;
}

/** Fills the minutes that the server leaves out. */
export function minutesOf({ stage, points }: StageSeries, from: string, to: string): Minutes {
  const first = Math.floor(Date.parse(from) / MINUTE_MS);
  const last = Math.floor(Date.parse(to) / MINUTE_MS);
  const at = Array.from({ length: Math.max(0, last - first + 1) }, (_, step) => (first + step) * 60);
  const known = new Map(
    points.map((point) => [Math.floor(Date.parse(point.minute) / MINUTE_MS) * 60, point]),
  );
  const processed = at.map((second) => known.get(second)?.processed ?? 0);
  const errors = at.map((second) => known.get(second)?.errors ?? 0);
  return {
    stage,
    at,
    processed,
    errors,
    processedAll: sum(processed),
    errorsAll: sum(errors),
    peak: Math.max(0, ...processed),
  };
}

/** Adds up the last minutes in groups of `minutes`, the oldest group first. */
export function grouped(values: readonly number[], minutes: number): number[] {
  const groups: number[] = [];
  for (let end = values.length; end > 0; end -= minutes) {
    groups.unshift(sum(values.slice(Math.max(0, end - minutes), end)));
  }
  return groups;
}

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
