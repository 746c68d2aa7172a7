import type { Errors } from '../../../api/operator/wire/errors.ts';

export type ErrorGroup = Errors['groups'][number];

export interface StageErrors {
  readonly stage: string;
  readonly title: string;
  readonly count: number;
  /** The largest first. */
  readonly groups: readonly ErrorGroup[];
}

/** The groups of each stage together, the stages in the order in which they came. */
export function byStage(groups: readonly ErrorGroup[]): readonly StageErrors[] {
  const stages = new Map<string, ErrorGroup[]>();
  for (const group of groups) stages.set(group.stage, [...(stages.get(group.stage) ?? []), group]);
  return [...stages].map(([stage, own]) => ({
    stage,
    title: own[0]?.title ?? stage,
    count: own.reduce((sum, { count }) => sum + count, 0),
    groups: own.sort((a, b) => b.count - a.count || a.code.localeCompare(b.code)),
  }));
}
