import type { FastifyBaseLogger } from 'fastify';
import type { Config } from '../config.ts';
import type { CircuitView } from '../connectors/circuit/circuit.ts';
import type { Database } from '../db/connection.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ActorSystem } from '../runtime/system.ts';
import type { FeedTimes } from './feed/connection.ts';
import type { Access } from './operator/access.ts';
import type { SignatureCheck } from './partner/signature/check.ts';
import type { PortalSettings } from './portal/settings.ts';
import type { RequestLimits } from './request-limits.ts';

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
  /** Whose tokens open the beneficiary portal API; null or left out: there is no such API. */
  readonly portal?: PortalSettings | null;
  /** Checks the signatures of partners; left out or null: requests need not be signed. */
  readonly signatures?: SignatureCheck | null;
  /** Requests of one partner or client address that are taken in a minute; left out or 0: all. */
  readonly requestsPerMinute?: number;
  /** Addresses and networks of proxies whose `X-Forwarded-For` is believed; none by default. */
  readonly trustedProxies?: readonly string[];
  /** Token that uploads of bank statements must carry; left out or empty: they need none. */
  readonly uploadToken?: string;
  /** How long a request that comes again gets its first answer, ms. Default a day. */
  readonly replayWindowMs?: number;
  /** What operators see and do; left out or null: there is no such surface. */
  readonly operators?: OperatorOptions | null;
  /** How long `close` waits for requests under way before it cuts their connections, ms. Default 10 s. */
  readonly closeGraceMs?: number;
  /** Left out: nothing is logged. */
  readonly logger?: FastifyBaseLogger;
  /** The circuits to the systems outside; left out: there are none. */
  readonly circuits?: () => ReadonlyMap<string, CircuitView>;
  /** The text of `/metrics`, in Prometheus' format; left out: there is no such path. */
  readonly metrics?: () => Promise<string>;
}

/** What the operators' surface needs besides. */
export interface OperatorOptions {
  readonly access: Access;
  /** In force in this process. */
  readonly config: Config;
  /** How long connections to the feed may do nothing; left out: as `FEED_TIMES`. */
  readonly feedTimes?: Partial<FeedTimes>;
  /** Where the built dashboard is; left out: where `npm run build` puts it. */
  readonly dashboardDir?: string;
}

/** What the partner operations work with. */
export interface PartnerContext {
  readonly system: ActorSystem;
  readonly database: Database;
  readonly clock: Clock;
  readonly knownPrograms: ReadonlySet<string>;
  readonly processFutureSchedules: boolean;
  /** How long a request that comes again gets its first answer, ms. */
  readonly replayWindowMs: number;
  /** Null: requests need not be signed. */
  readonly signatures: SignatureCheck | null;
  /** Null: all requests are taken. */
  readonly limits: RequestLimits | null;
}

export const BODY_BYTES_MAX_DEFAULT = 16 * 1024 * 1024;
export const STATEMENT_BYTES_MAX_DEFAULT = 64 * 1024 * 1024;
export const REPLAY_WINDOW_MS_DEFAULT = 86_400_000;
export const CLOSE_GRACE_MS_DEFAULT = 10_000;
