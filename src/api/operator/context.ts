import type { Config } from '../../config.ts';
import type { CircuitView } from '../../connectors/circuit/circuit.ts';
import type { Database } from '../../db/connection.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ActorSystem } from '../../runtime/system.ts';
import type { FeedTimes } from '../feed/connection.ts';
import type { StatementUploads } from '../partner/statement-upload.ts';
import type { Access } from './access.ts';

/** What operators' requests work with. */
export interface OperatorContext {
  readonly system: ActorSystem;
  readonly database: Database;
  readonly clock: Clock;
  readonly access: Access;
  /** In force in this process. */
  readonly config: Config;
  readonly feedTimes?: Partial<FeedTimes>;
  /** Where the built dashboard is; left out: where `npm run build` puts it. */
  readonly dashboardDir?: string;
  /** Takes bank statements, as from banks. */
  readonly uploads: StatementUploads;
  /** The circuits of this process. */
  readonly circuits: () => ReadonlyMap<string, CircuitView>;
}
