import { insertRows, quoted } from '../db/bulk.ts';
import type { Queryable, Tx } from '../db/connection.ts';
import { actorMessages } from '../db/schema/runtime.ts';
import type { Actor } from './actor.ts';
import type { AnyEvent } from './compute.ts';

/** A message of an actor to itself: look whether something is due by now. */
export const WAKE = '@wake';

export interface Message {
  readonly machine: string;
  readonly actor_id: string | null;
  /** For a message to all children of one parent. */
  readonly parent_id: string | null;
  readonly event: AnyEvent;
  readonly deliver_at: Date;
}

export interface StoredMessage {
  readonly seq: string;
  readonly actor_id: string;
  readonly event: AnyEvent;
}

/** Messages looked at for each actor that is wanted: enough that a few busy actors do not hide the others. */
const MESSAGES_PER_ACTOR = 5;
/** Messages to all children of a parent that are addressed in one transaction at most. */
const BROADCASTS_MAX = 50;

/**
 * When a message that is not for later is to be delivered: always already. It must not depend on the clocks of those who
 * send and deliver it, or a message could be overtaken by one that was sent after it by a process whose clock is behind.
 */
export const AT_ONCE = new Date(0);

/** Stores messages in the transaction that causes them. */
export async function insertMessages(tx: Tx, messages: readonly Message[]): Promise<void> {
  await insertRows(tx, actorMessages, messages as unknown as Record<string, unknown>[]);
}

/** Those of some machines that have messages to be delivered now. */
export async function machinesWithMail(
  sql: Queryable,
  machines: readonly string[],
  now: Date,
): Promise<string[]> {
  const rows = await sql<{ machine: string }[]>`
    select wanted.machine from unnest(${machines as string[]}::text[]) wanted (machine)
    where exists (
      select from actor_messages m where m.machine = wanted.machine and m.deliver_at <= ${now})`;
  return rows.map((row) => row.machine);
}

/** When the next message to some machines is to be delivered; null when there is none. */
export async function nextDelivery(sql: Queryable, machines: readonly string[]): Promise<Date | null> {
  const [row] = await sql<{ at: Date | null }[]>`
    select min(next.deliver_at) as at from unnest(${machines as string[]}::text[]) wanted (machine)
    cross join lateral (
      select deliver_at from actor_messages m
      where m.machine = wanted.machine
        and not exists (select from actor_parked p where p.machine = m.machine and p.actor_id = m.actor_id)
      order by m.deliver_at limit 1
    ) next`;
  return row?.at ?? null;
}

/**
 * Turns messages to all children of a parent into one message for each child. Whoever deletes the message addresses
 * it: of two processes that try, the second finds nothing, or those that the first has left.
 *
 * @param actor the children's
 */
export async function addressToChildren(tx: Tx, actor: Actor, now: Date): Promise<void> {
  const [main] = actor.tables;
  const id = `c.${quoted(main.id)}`;
  await tx.unsafe(
    `with broadcast as (
       delete from actor_messages where seq in (
         select seq from actor_messages
         where machine = $1 and actor_id is null and deliver_at <= $2
         order by seq limit ${BROADCASTS_MAX} for update
       )
       returning seq, parent_id, event, deliver_at
     )
     insert into actor_messages (machine, actor_id, event, deliver_at)
     select $1, ${id}, b.event, b.deliver_at
     from broadcast b join ${quoted(main.name)} c on c.${quoted(actor.parent)} = b.parent_id
     order by b.seq, ${id}`,
    [actor.name, now],
  );
}

/**
 * Actors of a machine that have mail, those that have waited longest first. Only the messages that are oldest are looked
 * at, so it costs the same however many wait.
 */
export async function actorsWithMail(
  tx: Queryable,
  machine: string,
  now: Date,
  limit: number,
): Promise<string[]> {
  const rows = await tx<{ actor_id: string }[]>`
    select actor_id from (
      select actor_id, deliver_at, seq from actor_messages m
      where machine = ${machine} and actor_id is not null and deliver_at <= ${now}
        and not exists (select from actor_parked p where p.machine = m.machine and p.actor_id = m.actor_id)
      order by deliver_at, seq limit ${limit * MESSAGES_PER_ACTOR}
    ) oldest
    group by actor_id order by min(deliver_at), min(seq) limit ${limit}`;
  return rows.map((row) => row.actor_id);
}

/**
 * Takes the messages of actors out of the mailbox, oldest first. The actors' rows must be locked.
 *
 * Each actor's messages are looked up by themselves: the table grows and empties too quickly for its statistics, and one
 * lookup for all of them would now and then be planned as a search through everything that waits.
 */
export async function takeMessages(
  tx: Tx,
  machine: string,
  actorIds: readonly string[],
  now: Date,
  limit: number,
): Promise<StoredMessage[]> {
  const rows = await tx<{ seq: string; actor_id: string; event: AnyEvent }[]>`
    delete from actor_messages where seq in (
      select mine.seq from unnest(${actorIds as string[]}::text[]) wanted (actor_id)
      cross join lateral (
        select seq from actor_messages m
        where m.machine = ${machine} and m.actor_id = wanted.actor_id and m.deliver_at <= ${now}
        order by seq limit ${limit}
      ) mine
      order by mine.seq limit ${limit}
    ) returning seq, actor_id, event`;
  return rows
    .map((row) => ({ ...row, event: revive(row.event, now) }))
    .sort((a, b) => (BigInt(a.seq) < BigInt(b.seq) ? -1 : 1));
}

/** Fields of events that hold a time; JSON has made them text. */
const TIMES = ['dueAt', 'retryAt'] as const;

/** An event as it was sent, except that it happens when it is delivered. */
function revive(event: AnyEvent, now: Date): AnyEvent {
  const revived: Record<string, unknown> = { ...event, at: now };
  for (const name of TIMES) {
    if (typeof revived[name] === 'string') revived[name] = new Date(revived[name]);
  }
  return revived as unknown as AnyEvent;
}
