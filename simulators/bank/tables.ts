/**
 * The bank's tables. An account's movements are made while its row is locked, so within one account the
 * ledger's ids follow the order of commits: a statement is a range of ids, and nothing in a ledger row ever
 * changes.
 *
 * @param repeatedReferences whether an account may be debited twice under one payment reference
 */
export const bankTables = (repeatedReferences: boolean): string => `
create table if not exists accounts (
  account_number text collate "C" primary key,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  balance numeric(20, 2) not null check (balance >= 0),
  blocked numeric(20, 2) not null default 0 check (blocked >= 0 and blocked <= balance),
  name text,
  phone text,
  reported_through_id bigint not null default 0,
  reported_balance numeric(20, 2) not null,
  reported_on date not null default current_date,
  statements_made integer not null default 0
);
create index if not exists accounts_by_phone on accounts (phone) where phone is not null;

create table if not exists blocks (
  reference text collate "C" primary key,
  account_number text collate "C" not null references accounts,
  amount numeric(20, 2) not null,
  remaining numeric(20, 2) not null check (remaining >= 0 and remaining <= amount),
  created_at timestamptz not null default now()
);

create table if not exists ledger (
  account_number text collate "C" not null references accounts,
  id bigint generated always as identity,
  mark text not null check (mark in ('D', 'C', 'RD')),
  payment_reference_number text collate "C",
  amount numeric(20, 2) not null check (amount > 0),
  beneficiary_account text,
  beneficiary_bank_code text,
  narrative text not null,
  booked_at timestamptz not null default now(),
  primary key (account_number, id)
);
create ${repeatedReferences ? '' : 'unique '}index if not exists ledger_by_reference
  on ledger (account_number, payment_reference_number, mark);

create table if not exists pending_returns (
  account_number text collate "C" not null references accounts,
  ledger_id bigint not null,
  reason text not null,
  primary key (account_number, ledger_id)
);

create table if not exists submissions (
  idempotency_key text collate "C" primary key,
  body_hash text not null,
  accepted boolean not null,
  http_status integer not null,
  answer text not null,
  booked json not null,
  created_at timestamptz not null default now()
);

create table if not exists statements (
  id bigint generated always as identity primary key,
  account_number text collate "C" not null references accounts,
  statement_number integer not null,
  after_ledger_id bigint not null,
  through_ledger_id bigint not null,
  opened_on date not null,
  closed_on date not null,
  opening_balance numeric(20, 2) not null,
  closing_balance numeric(20, 2) not null,
  debits integer not null,
  debited_sum numeric(20, 2) not null,
  reversed integer not null,
  reversed_sum numeric(20, 2) not null,
  credits integer not null,
  credited_sum numeric(20, 2) not null,
  created_at timestamptz not null default now(),
  uploaded_at timestamptz,
  upload_attempts integer not null default 0,
  upload_answer text,
  unique (account_number, statement_number)
);
create index if not exists statements_to_upload on statements (account_number, id) where uploaded_at is null;
`;
