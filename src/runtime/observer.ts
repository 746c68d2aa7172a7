import type { NewTransition } from './journal.ts';
import type { Pause } from './pause-rows.ts';
import type { Stage } from './stage.ts';

/** What was removed in one pass over the journal. */
export interface Pruned {
  /** Correlations whose history was declared removed. */
  readonly histories: number;
  /** Entries that are gone. */
  readonly entries: number;
}

/** What the runtime reports as it works; metrics and logs are made of it. All calls are after the fact and must not throw. */
export interface Observer {
  /** Transitions that have been committed. */
  transitions(entries: readonly NewTransition[]): void;
  /** An actor could not be loaded and is left alone until its row is corrected. */
  parked(reason: string): void;
  workStarted(stage: Stage, work: { id: string; job: string; attempt: number; waitedMs: number }): void;
  workEnded(
    stage: Stage,
    work: {
      id: string;
      job: string;
      outcome: string;
      code: string | null;
      message: string | null;
      tookMs: number;
    },
  ): void;
  /** Work taken back from a worker that did not finish in time. */
  stale(stage: Stage, count: number): void;
  ticked(stage: Stage, result: { dispatched: number; stale: number }): void;
  /** An operator has stopped a stage in all processes; also told at the start of a process of what is stopped then. */
  paused(stage: Stage, pause: Pause): void;
  /** A stage that was paused does its work again. */
  resumed(stage: Stage): void;
  /** Jobs of a process that died, handed to others. */
  recovered(count: number): void;
  /** Old history was removed; told once for each pass over the journal. */
  pruned(result: Pruned): void;
  /** Something failed that will be tried again; nothing is lost. */
  troubled(where: string, error: unknown): void;
}

/** Reports nothing. */
export const silentObserver: Observer = {
  transitions: () => {},
  parked: () => {},
  workStarted: () => {},
  workEnded: () => {},
  stale: () => {},
  ticked: () => {},
  paused: () => {},
  resumed: () => {},
  recovered: () => {},
  pruned: () => {},
  troubled: () => {},
};
