import { Writable } from 'node:stream';
import type { PgBoss } from 'pg-boss';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { logObserver, observeAll } from '../../src/telemetry/logs.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { toyStages } from '../support/toy.ts';

const [stage] = toyStages();
if (!stage) throw new Error('The print shop has no stage.');

describe('a stage that is paused', () => {
  it('can be seen in the figures and in the log, with who and why, until it is resumed', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = new Writable({
      write(line, _, done) {
        lines.push(JSON.parse(String(line)));
        done();
      },
    });
    const metrics = createMetrics({
      boss: () => ({ getQueues: async () => [] }) as unknown as PgBoss,
      missingPayments: async () => 0,
      circuits: () => new Map(),
      prunedThrough: async () => 0,
    });
    const observer = observeAll(metrics.observer, logObserver(pino(log)));
    observer.paused(stage, { since: new Date(), by: 'Amina', reason: 'The bank asked us to stop.' });
    expect(await metrics.text()).toContain('g2p_bridge_stage_paused{stage="toy_typesetting"} 1');
    observer.resumed(stage);
    expect(await metrics.text()).toContain('g2p_bridge_stage_paused{stage="toy_typesetting"} 0');
    expect(lines).toMatchObject([
      {
        name: 'toy_typesetting_worker',
        code: 'STAGE_PAUSED',
        by: 'Amina',
        reason: 'The bank asked us to stop.',
      },
      { name: 'toy_typesetting_worker', code: 'STAGE_RESUMED' },
    ]);
  });
});
