import type { ActorDetail, Chart } from '../../src/api/operator/wire/actors.ts';
import type { TransitionOnWire } from '../../src/api/operator/wire/common.ts';

/** A machine with one region, an actor of it, and what it took, for the tests of the chart. */
export const REGION = 'fa_resolution';
const AT = '2026-01-05T09:00:00.000Z';
const PARTS = {
  NOT_APPLICABLE: 'not_applicable',
  PENDING: 'pending',
  PROCESSING: 'processing',
  PROCESSED: 'processed',
  ERROR: 'error',
};

export function chart(): Chart {
  const edge = (event: string, from: string, to: string) => ({ event, from, to, guard: null });
  return {
    machine: 'batch',
    title: 'Batch',
    events: [
      { event: 'cancel', guard: null },
      { event: 'received', guard: null },
    ],
    regions: [
      {
        region: REGION,
        stage: 'mapper_resolution',
        initial: 'NOT_APPLICABLE',
        states: Object.entries(PARTS).map(([state, part]) => ({ state, part, final: state === 'PROCESSED' })),
        transitions: [
          edge('enable', 'NOT_APPLICABLE', 'PENDING'),
          edge('due', 'PENDING', 'PENDING'),
          edge('dispatch', 'PENDING', 'PROCESSING'),
          edge('cancel', 'PENDING', 'NOT_APPLICABLE'),
          edge('succeeded', 'PROCESSING', 'PROCESSED'),
          edge('failed', 'PROCESSING', 'PENDING'),
          edge('stale', 'PROCESSING', 'PENDING'),
          edge('postponed', 'PROCESSING', 'PENDING'),
          edge('failed', 'PROCESSING', 'ERROR'),
          edge('retry', 'ERROR', 'PENDING'),
        ],
      },
    ],
  };
}

type Region = ActorDetail['regions'][number];

export function actor({
  taken: edges = [],
  seq = 0,
  ...region
}: Partial<Region> & { readonly taken?: ActorDetail['taken']; readonly seq?: number } = {}): ActorDetail {
  return {
    machine: 'batch',
    id: 'B-1',
    envelope: 'E-1',
    parent: null,
    children: [],
    parked: null,
    regions: [
      {
        region: REGION,
        stage: 'mapper_resolution',
        state: 'NOT_APPLICABLE',
        attempts: 0,
        max_attempts: 3,
        since: null,
        due_at: null,
        job: null,
        error: null,
        actions: [],
        ...region,
      },
    ],
    taken: edges,
    taken_since: null,
    row: [],
    seq,
  };
}

export const taken = (
  event: string,
  from: string,
  to: string,
  change: Partial<ActorDetail['taken'][number]> = {},
): ActorDetail['taken'][number] => ({ region: REGION, event, from, to, count: 1, last_at: AT, ...change });

export const transition = (
  event: string,
  from: string,
  to: string,
  change: Partial<TransitionOnWire> = {},
): TransitionOnWire => ({
  seq: 1,
  at: AT,
  machine: 'batch',
  id: 'B-1',
  envelope: 'E-1',
  region: REGION,
  event,
  from,
  to,
  attempt: 0,
  job: null,
  error: null,
  by: null,
  reason: null,
  ...change,
});
