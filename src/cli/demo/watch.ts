import { setTimeout as delay } from 'node:timers/promises';
import type { Sql } from '../../db/connection.ts';
import type { DemoEnvelope } from './programs.ts';
import { isComplete, type Progress, progressOf } from './progress.ts';

/** Where there is much to count, looking takes a sixth of the time; what ends is still seen within two seconds. */
const PAUSE = { minMs: 100, maxMs: 2_000, looks: 5 } as const;
/** Without any progress for so long a run is given up. */
const STUCK_AFTER_MS = 300_000;

/**
 * Looks until every envelope is complete.
 *
 * @param elapsedMs since the run began
 * @param onProgress told at every look
 * @returns when each envelope was first seen complete, by its id, in milliseconds since the run began
 * @throws Error when a record is in ERROR or nothing moves any more
 */
export async function watch(
  sql: Sql,
  envelopes: readonly DemoEnvelope[],
  elapsedMs: () => number,
  onProgress: (progress: Progress, elapsedMs: number) => void,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const doneAt = new Map<string, number>();
  let before = '';
  let movedAt = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const lookedAt = performance.now();
    const progress = await progressOf(sql, envelopes);
    const tookMs = performance.now() - lookedAt;
    onProgress(progress, elapsedMs());
    noteComplete(progress, envelopes, elapsedMs(), doneAt);
    if (doneAt.size === envelopes.length) return doneAt;
    requireNoError(progress, envelopes);
    const now = JSON.stringify(progress);
    if (now !== before) movedAt = performance.now();
    before = now;
    if (performance.now() - movedAt > STUCK_AFTER_MS)
      throw new Error(`Nothing has moved for ${STUCK_AFTER_MS / 1000} s.`);
    await delay(Math.min(PAUSE.maxMs, Math.max(PAUSE.minMs, tookMs * PAUSE.looks)));
  }
}

function noteComplete(
  progress: Progress,
  envelopes: readonly DemoEnvelope[],
  nowMs: number,
  doneAt: Map<string, number>,
): void {
  for (const [index, { id }] of envelopes.entries()) {
    const envelope = progress.envelopes[index];
    if (envelope && isComplete(envelope) && !doneAt.has(id)) doneAt.set(id, nowMs);
  }
}

function requireNoError({ stages }: Progress, envelopes: readonly DemoEnvelope[]): void {
  const stopped = stages.find(({ errors }) => errors > 0);
  if (!stopped) return;
  const ids = envelopes.map(({ id }) => id).join(', ');
  throw new Error(`${stopped.stage} stopped in ERROR; see the transitions of envelope ${ids}.`);
}
