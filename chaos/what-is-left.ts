import type { Sql } from '../src/db/connection.ts';
import type { Submitted } from './contract.ts';
import { describe, inError, type RegionOfRecord, unfinished } from './records.ts';

/** Something that a system at rest does not have. */
export interface Left {
  /** Names the record. */
  readonly found: string;
  /** Since when, as well as can be told. */
  readonly at: Date | null;
}

const LISTED_MAX = 100;

/**
 * Work of actors that nobody has finished. What waits for something else is no such work when its envelope is in ERROR:
 * that is what it waits for.
 */
export async function actorsLeft(sql: Sql): Promise<readonly Left[]> {
  const [open, errors] = [await unfinished(sql), await inError(sql)];
  const held = new Set(errors.map(({ correlation }) => correlation));
  const isHeld = ({ dueAt, state, correlation }: RegionOfRecord) =>
    dueAt === null && state.startsWith('PENDING') && held.has(correlation);
  return open
    .filter((one) => !isHeld(one))
    .map((one) => ({ found: `${describe(one)}.`, at: one.since ?? one.dueAt }));
}

/** Messages that no actor has taken, and actors that were parked. */
export async function mailLeft(sql: Sql): Promise<readonly Left[]> {
  const mail = await sql<{ seq: string; machine: string; to: string; type: string; at: Date }[]>`
    select seq, machine, coalesce(actor_id, 'children of ' || parent_id) as to, event->>'type' as type, deliver_at as at
    from actor_messages order by seq limit ${LISTED_MAX}`;
  const parked = await sql<{ machine: string; id: string; reason: string; at: Date }[]>`
    select machine, actor_id as id, reason, parked_at as at from actor_parked limit ${LISTED_MAX}`;
  return [
    ...mail.map(({ seq, machine, to, type, at }) => ({
      found: `Message ${seq} (${type}) to ${machine} ${to} was never delivered.`,
      at,
    })),
    ...parked.map(({ machine, id, reason, at }) => ({
      found: `${machine} ${id} is parked: ${reason}`,
      at,
    })),
  ];
}

/** Jobs of work that nobody ended, and claims on jobs. Ticks come and go, and are no work of an actor. */
export async function jobsLeft(sql: Sql): Promise<readonly Left[]> {
  const jobs = await sql<{ id: string; name: string; state: string; data: string; at: Date }[]>`
    select id, name, state::text, data::text, coalesce(started_on, created_on) as at from pgboss.job
    where state in ('created', 'retry', 'active') and (name like '%\\_worker' or name = 'lost_work')
    order by created_on limit ${LISTED_MAX}`;
  const claims = await sql<{ job: string; queue: string; process: number; at: Date }[]>`
    select job_id as job, queue, process, claimed_at as at from actor_claims limit ${LISTED_MAX}`;
  return [
    ...jobs.map(({ id, name, state, data, at }) => ({
      found: `Job ${id} of ${name} is ${state}: ${data.slice(0, 300)}.`,
      at,
    })),
    ...claims.map(({ job, queue, process, at }) => ({
      found: `Process ${process} still claims job ${job} of ${queue}.`,
      at,
    })),
  ];
}

/** Envelopes that have not received all, and cash that no statement has shown; those in ERROR and cancelled ones excepted. */
export async function envelopesLeft(sql: Sql, submitted: readonly Submitted[]): Promise<readonly Left[]> {
  const errors = new Set((await inError(sql)).map(({ correlation }) => correlation));
  const ids = submitted.map(({ envelopeId }) => envelopeId).filter((id) => !errors.has(id));
  const rows = await sql<{ id: string; receipt: string; missing: number; at: Date }[]>`
    select e.id, c.receipt_status as receipt, e.receipt_time_stamp as at,
      case when e.benefit_type in ('CASH_DIGITAL', 'CASH_PHYSICAL')
        then e.number_of_disbursements - s.number_of_disbursements_reconciled else 0 end as missing
    from disbursement_envelopes e
    join envelope_control c on c.disbursement_envelope_id = e.id
    join envelope_batch_status_for_cash s on s.disbursement_envelope_id = e.id
    where e.id = any(${ids}) and e.cancellation_status <> 'Cancelled'`;
  return rows
    .filter(({ receipt, missing }) => receipt !== 'RECEIVED' || missing !== 0)
    .map(({ id, receipt, missing, at }) => ({
      found: `Envelope ${id} is ${receipt}, and ${missing} of its disbursements are on no statement.`,
      at,
    }));
}

/** Entries of the journal that are not in the counts yet. */
export async function countsLeft(sql: Sql): Promise<readonly Left[]> {
  const [row] = await sql<{ missing: string }[]>`
    select count(*) as missing from actor_transitions
    where seq > coalesce((select seq from actor_counts_position), 0)`;
  if (Number(row?.missing ?? 0) === 0) return [];
  return [{ found: `${row?.missing} entries of the journal are not in the counts.`, at: null }];
}
