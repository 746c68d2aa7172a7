import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../src/cli/demo/report.ts';
import { runDemo } from '../src/cli/demo/run.ts';
import { loadConfig } from '../src/config.ts';
import { copyBaseline } from './copy-baseline.ts';

export interface PipelineResult {
  readonly disbursements: number;
  readonly disbursements_per_second: number;
  readonly elapsed_ms: number;
  readonly peak_memory_mb: number | null;
  readonly copy_ms: number;
  readonly copy_disbursements_per_second: number;
  readonly times_copy: number;
  readonly ok: boolean;
  readonly stages: Report['stages'];
}

/**
 * Digital cash end to end, everything on this machine: the CSV read, received over HTTP, resolved, checked, blocked,
 * paid and reconciled. Beside it, in the same run on the same server: the time COPY needs to write the same rows into
 * the same tables.
 */
export async function benchPipeline(disbursements: number, batchSize: number): Promise<PipelineResult> {
  const folder = await mkdtemp(join(tmpdir(), 'g2p-bench-'));
  // The server may run as another user than ours.
  await chmod(folder, 0o755);
  const config = loadConfig({ G2P_BRIDGE_DATA_DIR: folder });
  const listener = { step: () => {}, started: () => {}, progress: () => {} };
  const types = ['CASH_DIGITAL'] as const;
  const options = { types, disbursements, batchSize, concurrency: 2, fresh: false };
  try {
    const { world, report } = await runDemo(config, options, listener, new AbortController().signal);
    try {
      const copyMs = await copyBaseline(world.database.url, await world.server.ensureDatabase('bench_copy'));
      return {
        disbursements,
        disbursements_per_second: report.disbursements_per_second,
        elapsed_ms: report.elapsed_ms,
        peak_memory_mb: report.peak_memory_mb,
        copy_ms: Math.round(copyMs),
        copy_disbursements_per_second: Math.round(disbursements / (copyMs / 1000)),
        times_copy: Math.round((report.elapsed_ms / copyMs) * 10) / 10,
        ok: report.ok,
        stages: report.stages,
      };
    } finally {
      await world.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
