/** Novu's table: one row per transaction id, written when an event comes for the first time. */
export const novuTables = `
create table if not exists notifications (
  transaction_id text collate "C" primary key,
  workflow_id text collate "C" not null,
  subscriber_id text not null,
  recipient json not null,
  payload json not null,
  bulk boolean not null,
  times_received integer not null,
  first_received_at timestamptz not null default now(),
  last_received_at timestamptz not null default now()
);
create index if not exists notifications_by_workflow on notifications (workflow_id);
create index if not exists notifications_by_cycle on notifications ((payload ->> 'cycle_code_mnemonic'));
`;
