/** Who works on the database with less than everything. */
export type Grantee = 'api' | 'worker' | 'readonly';

/** What each may do with a table, as `grant` writes it; who is left out may do nothing with it. */
type Grants = Readonly<Partial<Record<Grantee, string>>>;

const READ = 'select';
const ADD = 'select, insert';
const CHANGE = 'select, insert, update';
const ALL = 'select, insert, update, delete';

/** Every process delivers messages, hands on the work of dead ones and counts, whatever its role. */
const OF_EVERY_PROCESS: Grants = { api: ALL, worker: ALL, readonly: READ };

/**
 * What the processes do with our tables. The api never touches what was reconciled and never deletes or changes an entry
 * of the journal; workers know nothing of those who sign in and of what partners were answered; nobody removes records of
 * money, but for what is located anew after a cancellation. `for update` needs the right to update.
 */
export const TABLE_GRANTS: Readonly<Record<string, Grants>> = {
  disbursement_envelopes: { api: CHANGE, worker: 'select, update', readonly: READ },
  envelope_control: { api: CHANGE, worker: 'select, update', readonly: READ },
  envelope_batch_status_for_cash: { api: CHANGE, worker: 'select, update', readonly: READ },
  disbursement_batch_control: { api: CHANGE, worker: 'select, update', readonly: READ },
  disbursements: { api: CHANGE, worker: 'select, update', readonly: READ },
  disbursement_resolution_financial_address: { api: READ, worker: ADD, readonly: READ },
  disbursement_recons: { api: READ, worker: CHANGE, readonly: READ },
  disbursement_error_recons: { api: READ, worker: 'select, insert, delete', readonly: READ },
  disbursement_batch_control_geo: OF_EVERY_PROCESS,
  disbursement_batch_control_geo_attributes: OF_EVERY_PROCESS,
  disbursement_resolution_geo_address: OF_EVERY_PROCESS,
  envelope_allocations: OF_EVERY_PROCESS,
  notification_logs: { worker: CHANGE, readonly: READ },
  account_statements: { api: CHANGE, worker: 'select, update', readonly: READ },
  account_statement_lobs: { api: 'insert', worker: READ },

  actor_transitions: { api: ADD, worker: 'select, insert, delete', readonly: READ },
  actor_pruned: { api: READ, worker: CHANGE, readonly: READ },
  actor_messages: OF_EVERY_PROCESS,
  actor_parked: OF_EVERY_PROCESS,
  actor_processes: OF_EVERY_PROCESS,
  actor_claims: OF_EVERY_PROCESS,
  actor_counts: OF_EVERY_PROCESS,
  actor_totals: OF_EVERY_PROCESS,
  actor_flow: OF_EVERY_PROCESS,
  actor_counts_position: OF_EVERY_PROCESS,
  actor_ticks: { api: CHANGE, worker: CHANGE, readonly: READ },
  actor_pauses: { api: 'select, insert, delete', worker: READ, readonly: READ },

  database_origin: { api: READ, worker: READ },
  database_restores: {
    api: 'select, update (blocks_resumed_at, payments_resumed_at)',
    worker: READ,
    readonly: READ,
  },

  operator_tokens: { api: 'select, insert, delete' },
  operator_tickets: { api: ALL },
  // What was done, by whom and why is never rewritten; only what came of it is added.
  operator_actions: { api: 'select, insert, update (accepted, refused, problem)', readonly: READ },
  partner_requests: { api: ALL },
  partner_signed_requests: { api: ALL },
};

/** Of a background migration only how far it has come: its command is run by the owner of the tables. */
const PROGRESS_OF_MIGRATIONS = 'select, update (status, error, started_on, completed_on)';
const CLAIMS_OF_UPKEEP = 'select, update (cron_on, bam_on, flow_on, reindex_on, monitor_backoff_on)';

/** The same for the tables of pg-boss. */
const JOB_GRANTS: Readonly<Record<string, Grants>> = {
  job: { api: ALL, worker: ALL },
  job_common: { api: ALL, worker: ALL },
  job_dependency: { api: ALL, worker: ALL },
  queue: { api: READ, worker: 'select, update', readonly: READ },
  version: { api: CLAIMS_OF_UPKEEP, worker: CLAIMS_OF_UPKEEP },
  bam: { api: PROGRESS_OF_MIGRATIONS, worker: PROGRESS_OF_MIGRATIONS },
  schedule: { api: READ, worker: READ },
  subscription: { api: READ, worker: READ },
  warning: { worker: 'select, insert, delete' },
};

/** Whether the database is of their version is all that processes look for. */
const MIGRATION_GRANTS: Readonly<Record<string, Grants>> = {
  __drizzle_migrations: { api: READ, worker: READ },
};

/** All grants by schema and table. */
export const GRANTS: Readonly<Record<string, Readonly<Record<string, Grants>>>> = {
  public: TABLE_GRANTS,
  pgboss: JOB_GRANTS,
  drizzle: MIGRATION_GRANTS,
};
