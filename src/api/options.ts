import type { FastifyBaseLogger } from 'fastify';
import type { Database } from '../db/connection.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ActorSystem } from '../runtime/system.ts';

/** What the HTTP surface needs of the process it runs in. */
export interface ApiOptions {
  /** Started before requests are taken. */
  readonly system: ActorSystem;
  readonly database: Database;
  /** What this process does; a `worker` answers operators only, not partners. */
  readonly role: 'all' | 'api' | 'worker';
  /** Put before the paths of the partner API: empty, or `/like/this`. */
  readonly rootPath?: string;
  /** Largest JSON body, bytes. Default 16 MiB. */
  readonly bodyBytesMax?: number;
  /** Largest bank statement, bytes. Default 64 MiB. */
  readonly statementBytesMax?: number;
  /** Program mnemonics that are accepted; empty or left out accepts all. */
  readonly knownPrograms?: readonly string[];
  /** Whether envelopes are paid before their schedule date. Default false. */
  readonly processFutureSchedules?: boolean;
  /** How long `close` waits for requests under way before it cuts their connections, ms. Default 10 s. */
  readonly closeGraceMs?: number;
  /** Left out: nothing is logged. */
  readonly logger?: FastifyBaseLogger;
  /** The text of `/metrics`, in Prometheus' format; left out: there is no such path. */
  readonly metrics?: () => Promise<string>;
}

/** What the partner operations work with. */
export interface PartnerContext {
  readonly system: ActorSystem;
  readonly database: Database;
  readonly clock: Clock;
  readonly knownPrograms: ReadonlySet<string>;
  readonly processFutureSchedules: boolean;
  readonly statementBytesMax: number;
}

export const BODY_BYTES_MAX_DEFAULT = 16 * 1024 * 1024;
export const STATEMENT_BYTES_MAX_DEFAULT = 64 * 1024 * 1024;
export const CLOSE_GRACE_MS_DEFAULT = 10_000;
