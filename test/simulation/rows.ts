import type { Row } from '../../src/runtime/codec.ts';
import type { QueuedClaim } from '../../src/runtime/jobs.ts';
import type { NewTransition, Transition } from '../../src/runtime/journal.ts';
import type { Message } from '../../src/runtime/messages.ts';
import type { Pause } from '../../src/runtime/pause-rows.ts';
import type { Server } from './server.ts';

/** A job as the queue keeps it. */
export interface JobRow {
  readonly id: string;
  readonly queue: string;
  readonly data: unknown;
  readonly state: 'created' | 'retry' | 'active' | 'completed' | 'cancelled' | 'failed';
  readonly order: number;
  readonly retryCount: number;
  readonly retryLimit: number;
  readonly startAfter: number;
  readonly startedAt: number | null;
  readonly heartbeatAt: number | null;
}

export interface ClaimRow extends QueuedClaim {
  readonly process: number | null;
}

/** The tables of the runtime, as they are kept in memory. */
export const tablesOf = (server: Server) => ({
  actors: (machine: string) => server.table<Row>(machine),
  messages: server.table<Message & { readonly seq: number }>('actor_messages'),
  journal: server.table<NewTransition & Pick<Transition, 'seq'>>('actor_transitions'),
  parked: server.table<{ readonly machine: string; readonly id: string; readonly at: Date }>('actor_parked'),
  processes: server.table<{ readonly number: number }>('actor_processes'),
  claims: server.table<ClaimRow>('actor_claims'),
  pauses: server.table<Pause & { readonly stage: string }>('actor_pauses'),
  jobs: server.table<JobRow>('pgboss.job'),
  /** What outcomes write. */
  notes: server.table<{ readonly number: number; readonly item: string }>('notes'),
});

export type Tables = ReturnType<typeof tablesOf>;
