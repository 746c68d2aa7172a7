import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FeedRecord, Finished, Submitted } from '../../chaos/contract.ts';
import { INVARIANTS } from '../../chaos/invariants/index.ts';
import { type FinishedWorld, openFinishedWorld, SEED } from './finished-world.ts';

const DEBITED = 'Every disbursement is debited exactly once.';
const SUMS = 'Submitted, bridge and bank agree on counts and sums.';
const BLOCKED = 'No funds stay blocked at the bank.';
const STORED = 'What the API has acknowledged is stored once, as it was sent, and nothing besides.';
const NOTIFIED = 'Everybody is notified exactly once of what they get.';
const ENDED = 'Every actor is at an end, or in ERROR with a cause.';
const QUEUES = 'No job, claim or message is left, and no actor is parked.';
const LISTED = 'Every process that is listed lives.';
const JOURNAL = 'The journal of every actor, replayed, gives its row.';
const KEPT = 'Sums and counts that are kept are those of the rows.';
const FEED = 'A client of the feed has received every entry of the journal once, in order.';

let world: FinishedWorld;
beforeAll(async () => {
  world = await openFinishedWorld();
}, 60_000);
afterAll(() => world?.close());

/** What each invariant finds, by its name; those that find nothing are left out. */
async function foundIn(run: Finished): Promise<Record<string, readonly string[]>> {
  const found = await Promise.all(INVARIANTS.map(({ check }) => check(run)));
  return Object.fromEntries(
    found.flatMap((some, n) =>
      some.length === 0 ? [] : [[INVARIANTS[n]?.name ?? '', some.map((one) => one.found)]],
    ),
  );
}

/**
 * Damages tables of one database, looks, and puts everything back.
 *
 * @param statement leaves the name of what it damages in the first column of its `returning`
 */
async function damaged(
  sql: postgres.Sql,
  tables: readonly string[],
  statement: string,
  look: () => Promise<Record<string, readonly string[]>>,
): Promise<{ readonly name: string; readonly found: Record<string, readonly string[]> }> {
  await sql`set session_replication_role = replica`;
  for (const [n, table] of tables.entries()) {
    await sql.unsafe(`create temporary table kept_${n} as table ${table}`);
  }
  try {
    const rows = await sql.unsafe(statement);
    expect(rows.length, 'something was damaged').toBe(1);
    return { name: String(Object.values(rows[0] ?? {})[0]), found: await look() };
  } finally {
    for (const [n, table] of tables.entries()) {
      await sql.unsafe(`delete from ${table}`);
      await sql.unsafe(`insert into ${table} overriding system value select * from kept_${n}`);
      await sql.unsafe(`drop table kept_${n}`);
    }
  }
}

/** One disbursement of an envelope that stands, of a benefit type. */
const one = (type: string): string => `(
  select d.id from disbursements d join disbursement_envelopes e on e.id = d.disbursement_envelope_id
  where e.benefit_type = '${type}' and e.cancellation_status = 'Not_Cancelled'
    and d.cancellation_status = 'NOT_CANCELLED' and d.disbursement_quantity > 0
  order by d.id limit 1)`;
const onePayment = "(select min(id) from ledger where mark = 'D' and payment_reference_number is not null)";
const JOB = 'pgboss.job';
const aJob = "(select id from pgboss.job where name = 'mapper_resolution_worker' order by id limit 1)";

interface Damage {
  readonly what: string;
  readonly where?: 'bank' | 'novu';
  readonly tables: readonly string[];
  readonly statement: string;
  /** Exactly the invariants that find it. */
  readonly by: readonly string[];
}

const DAMAGES: readonly Damage[] = [
  {
    what: 'a payment that the bank has debited twice',
    where: 'bank',
    tables: ['ledger'],
    statement: `insert into ledger (account_number, mark, payment_reference_number, amount, narrative)
      select account_number, mark, payment_reference_number, amount, narrative from ledger where id = ${onePayment}
      returning payment_reference_number`,
    by: [DEBITED, SUMS],
  },
  {
    what: 'a payment that the bank has never debited',
    where: 'bank',
    tables: ['ledger'],
    statement: `delete from ledger where id = ${onePayment} returning payment_reference_number`,
    by: [DEBITED, SUMS],
  },
  {
    what: 'a payment of a cent too much',
    where: 'bank',
    tables: ['ledger'],
    statement: `update ledger set amount = amount + 0.01 where id = ${onePayment} returning payment_reference_number`,
    by: [DEBITED, SUMS],
  },
  {
    what: 'a payment under a reference of nobody',
    where: 'bank',
    tables: ['ledger'],
    statement: `update ledger set payment_reference_number = 'NOBODY' where id = ${onePayment} returning 'NOBODY'`,
    by: [DEBITED],
  },
  {
    what: 'money that stays blocked',
    where: 'bank',
    tables: ['accounts'],
    statement: `update accounts set blocked = 1 where account_number = (select min(account_number) from accounts)
      returning account_number`,
    by: [BLOCKED],
  },
  {
    what: 'an acknowledged disbursement that is not there',
    tables: ['disbursements'],
    statement: `delete from disbursements where id = ${one('COMMODITY')} returning id`,
    by: [STORED, KEPT],
  },
  {
    what: 'a disbursement that is stored once more under another id',
    tables: ['disbursements'],
    statement: `insert into disbursements
      select 'once-more', disbursement_envelope_id, disbursement_batch_control_id, disbursement_cycle_id, beneficiary_id,
        beneficiary_name, disbursement_quantity, narrative, receipt_time_stamp, cancellation_status,
        cancellation_time_stamp, left_out_reason
      from disbursements where id = ${one('SERVICE')} returning id`,
    by: [STORED, KEPT],
  },
  {
    what: 'a disbursement of another quantity than was sent',
    tables: ['disbursements'],
    statement: `update disbursements set disbursement_quantity = disbursement_quantity + 0.001
      where id = ${one('COMMODITY')} returning id`,
    by: [STORED, KEPT],
  },
  {
    what: 'a disbursement for somebody else',
    tables: ['disbursements'],
    statement: `update disbursements set beneficiary_id = 'SOMEBODY' where id = ${one('COMMODITY')} returning id`,
    by: [STORED],
  },
  {
    what: 'a cancelled disbursement that is back',
    tables: ['disbursements'],
    statement: `update disbursements set cancellation_status = 'NOT_CANCELLED' where id = (
      select min(id) from disbursements where cancellation_status = 'CANCELLED') returning id`,
    by: [STORED, SUMS, KEPT],
  },
  {
    what: 'a beneficiary who is notified twice under two ids',
    where: 'novu',
    tables: ['notifications'],
    statement: `insert into notifications
      select 'another-id', workflow_id, subscriber_id, recipient, payload, bulk, 1, now(), now() from notifications
      where workflow_id = 'beneficiary-notification' order by transaction_id limit 1 returning transaction_id`,
    by: [NOTIFIED],
  },
  {
    what: 'a warehouse that is notified twice under two ids',
    where: 'novu',
    tables: ['notifications'],
    statement: `insert into notifications
      select 'another-id', workflow_id, subscriber_id, recipient, payload, bulk, 1, now(), now() from notifications
      where workflow_id = 'warehouse-notification' order by transaction_id limit 1
      returning payload ->> 'administrative_zone_id_small'`,
    by: [NOTIFIED],
  },
  {
    what: 'a beneficiary who is never notified',
    where: 'novu',
    tables: ['notifications'],
    statement: `delete from notifications where transaction_id = (
        select min(transaction_id) from notifications where workflow_id = 'beneficiary-notification'
      ) returning payload ->> 'beneficiary_id'`,
    by: [NOTIFIED],
  },
  {
    what: 'a status that has changed by itself',
    tables: ['disbursement_batch_control_geo'],
    statement: `update disbursement_batch_control_geo set agency_notification_status = 'PROCESSING'
      where id = (select min(id) from disbursement_batch_control_geo) returning id`,
    by: [ENDED, JOURNAL, KEPT],
  },
  {
    what: 'an ERROR without a code',
    tables: ['disbursement_batch_control'],
    statement: `update disbursement_batch_control set agency_allocation_status = 'ERROR' where id = (
        select min(id) from disbursement_batch_control where benefit_type = 'SERVICE'
          and agency_allocation_status = 'PROCESSED') returning id`,
    by: [ENDED, JOURNAL, KEPT],
  },
  {
    what: 'a journal without its last entry of an actor',
    tables: ['actor_transitions'],
    statement: `delete from actor_transitions where seq = (
        select max(seq) from actor_transitions where region = 'beneficiary_notification') returning actor_id`,
    by: [JOURNAL, FEED],
  },
  {
    what: 'an entry of the journal that says ERROR without a cause',
    tables: ['actor_transitions'],
    statement: `update actor_transitions set to_state = 'ERROR' where seq = (
        select max(seq) from actor_transitions where region = 'agency_notification') returning actor_id`,
    by: [ENDED, JOURNAL],
  },
  {
    what: 'a job that stays active',
    tables: [JOB],
    statement: `update pgboss.job set state = 'active' where id = ${aJob} returning id`,
    by: [QUEUES],
  },
  {
    what: 'a job that nobody waits for',
    tables: [JOB],
    statement: `update pgboss.job set state = 'created', start_after = now() + interval '1 day'
      where id = ${aJob} returning id`,
    by: [QUEUES],
  },
  {
    what: 'a claim on a job that has ended',
    tables: ['actor_claims'],
    statement: `insert into actor_claims (job_id, queue, delivery, process, claimed_at)
      select 'no-job', 'mapper_resolution_worker', 0, min(number), now() from actor_processes returning job_id`,
    by: [QUEUES],
  },
  {
    what: 'mail that nobody gets',
    tables: ['actor_messages'],
    statement: `insert into actor_messages (machine, actor_id, event, deliver_at)
      values ('envelope', 'no-envelope', '{"type":"shipped","quantity":"0"}', now() + interval '1 day')
      returning actor_id`,
    by: [QUEUES],
  },
  {
    what: 'an actor that is parked',
    tables: ['actor_parked'],
    statement: `insert into actor_parked (machine, actor_id, reason, parked_at)
      values ('batch', 'a-batch', 'It cannot be read.', now()) returning actor_id`,
    by: [QUEUES],
  },
  {
    what: 'a sum that an envelope keeps',
    tables: ['envelope_batch_status_for_cash'],
    statement: `update envelope_batch_status_for_cash set quantity_shipped = quantity_shipped + 0.01
      where disbursement_envelope_id = (
        select min(disbursement_envelope_id) from envelope_batch_status_for_cash where quantity_shipped > 0)
      returning disbursement_envelope_id`,
    by: [SUMS, KEPT],
  },
  {
    what: 'a count of reconciled disbursements',
    tables: ['envelope_batch_status_for_cash'],
    statement: `update envelope_batch_status_for_cash
      set number_of_disbursements_reconciled = number_of_disbursements_reconciled - 1
      where disbursement_envelope_id = (
        select min(disbursement_envelope_id) from envelope_batch_status_for_cash where quantity_shipped > 0)
      returning disbursement_envelope_id`,
    by: [SUMS, ENDED],
  },
  {
    what: 'what a warehouse has been given',
    tables: ['envelope_allocations'],
    statement: `update envelope_allocations set allocated_quantity = allocated_quantity + 1
      where ctid = (select min(ctid) from envelope_allocations) returning allocated_to`,
    by: [KEPT],
  },
  {
    what: 'a count of states',
    tables: ['actor_counts'],
    statement: `update actor_counts set count = count + 1 where ctid = (
      select min(ctid) from actor_counts where state = 'PROCESSED') returning correlation_id`,
    by: [KEPT],
  },
];

describe('after a run without faults', () => {
  it('everything has been submitted and has settled, cancellations among it', () => {
    expect(world.complaints).toEqual([]);
    const { submitted, feed } = world.run;
    expect(submitted.map(({ cancellation }) => cancellation).sort()).toEqual([...Array(7).fill('no'), 'yes']);
    expect(submitted.filter(({ cancelled }) => cancelled.size > 0)).toHaveLength(1);
    expect(feed.connections).toBeGreaterThan(0);
  });

  it('every invariant holds', async () => {
    expect(await foundIn(world.run)).toEqual({});
  });
});

describe('exactly the invariants that it breaks find', () => {
  for (const { what, where = 'bridge', tables, statement, by } of DAMAGES) {
    it(`${what}, and name it`, async () => {
      const { name, found } = await damaged(world[where], tables, statement, () => foundIn(world.run));
      expect(Object.keys(found).sort()).toEqual([...by].sort());
      for (const invariant of by.slice(0, 1)) expect(found[invariant]?.join('\n')).toContain(name);
    });
  }

  it('a process that is gone and still listed', async () => {
    const { bridge, apiPid, run } = world;
    // The living one would take it off the list.
    process.kill(apiPid, 'SIGSTOP');
    try {
      await bridge`
        insert into actor_processes (role, host, pid, started_at) values ('worker', 'elsewhere', 4711, now())`;
      const found = await INVARIANTS.find(({ name }) => name === LISTED)?.check(run);
      expect(found?.map((violation) => violation.found)).toEqual([
        expect.stringMatching(/^Process \d+ \(worker, pid 4711\)/),
      ]);
      await bridge`delete from actor_processes where host = 'elsewhere'`;
    } finally {
      process.kill(apiPid, 'SIGCONT');
    }
  });

  it('an envelope that nobody submitted', async () => {
    const stranger = world.run.submitted.find(({ program }) => program.benefitType === 'COMMODITY');
    const submitted = world.run.submitted.filter((envelope) => envelope !== stranger);
    const found = await foundIn({ ...world.run, submitted });
    expect(found).toEqual({ [STORED]: [`Envelope ${stranger?.envelopeId} was never acknowledged.`] });
  });

  it('a cancellation that was acknowledged and did not happen', async () => {
    const altered = (envelope: Submitted): Submitted =>
      envelope.envelopeId === `chaos-${SEED}-3` ? { ...envelope, cancellation: 'yes' } : envelope;
    const found = await foundIn({ ...world.run, submitted: world.run.submitted.map(altered) });
    expect(found[STORED]).toEqual([
      `The cancellation of envelope chaos-${SEED}-3 was acknowledged and is not there.`,
    ]);
  });

  /** No other invariant looks at what the feed's client received. */
  const feedFound = async (feed: FeedRecord) => {
    const violations = await INVARIANTS.find(({ name }) => name === FEED)?.check({ ...world.run, feed });
    return violations?.map(({ found }) => found);
  };
  const last = (ranges: FeedRecord['ranges']) => ranges.at(-1) ?? ([0, 0] as const);

  it('a number that the feed has left out, at the end of a range or within', async () => {
    const { feed } = world.run;
    const [from, to] = last(feed.ranges);
    const head = feed.ranges.slice(0, -1);
    for (const missing of [from, from + 1, to]) {
      const holed = [
        [from, missing - 1],
        [missing + 1, to],
      ].filter(([start = 0, end = 0]) => start <= end) as unknown as FeedRecord['ranges'];
      const found = await feedFound({ ...feed, ranges: [...head, ...holed] });
      expect(found).toEqual([`The feed has left out number ${missing}.`]);
    }
  });

  it('a number that the feed has made up, and disorder', async () => {
    const { feed } = world.run;
    const [, to] = last(feed.ranges);
    const ranges = [...feed.ranges, [to + 2, to + 3] as const];
    expect(await feedFound({ ...feed, ranges, disorder: ['7 came after 7'] })).toEqual([
      'In the feed 7 came after 7.',
      `The feed has sent numbers ${to + 2} to ${to + 3}, which the journal does not have.`,
    ]);
  });
});
