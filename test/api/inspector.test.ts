import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Access } from '../../src/api/operator/access.ts';
import { ProblemError } from '../../src/api/operator/problem.ts';
import type { Operator } from '../../src/api/operator/wire/common.ts';
import type { Actor } from '../../src/runtime/actor.ts';
import { ACTORS } from '../../src/stages/actors.ts';
import { becomes } from '../support/becomes.ts';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { type OperatorSurface, serveOperators } from '../support/operators.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import type { Disbursing } from '../support/pipeline.ts';
import { openRaw } from '../support/raw-websocket.ts';
import { until as untilIt } from '../support/wait.ts';

const VIEWER: Operator = { id: 'v', name: 'Vera', role: 'viewer' };
const TICKET = 'one-ticket';
const until = (what: () => boolean | Promise<boolean>) => untilIt('the inspector has told it', what);

/** Lets in who has the ticket; what tickets are worth is tested elsewhere. */
const byTicket = (): Access => {
  const operatorOfSocket: Access['operatorOfSocket'] = async ({ url }) => {
    if (url.includes(`ticket=${TICKET}`)) return VIEWER;
    throw new ProblemError(401, 'TOKEN_MISSING', 'There is no ticket.');
  };
  return {
    description: { kind: 'token', oidc: null, version: '0.0.0' },
    connectOrigins: [],
    operatorOf: operatorOfSocket,
    operatorOfSocket,
    ticketFor: async () => ({ ticket: TICKET, expiresAt: new Date() }),
  };
};

describe('the inspector', () => {
  let outside: Outside;
  let world: InKindPipeline;
  let surface: OperatorSurface;

  beforeAll(async () => {
    outside = await openOutside();
    world = await openInKind(outside);
    const { system, database } = world.pipeline;
    surface = await serveOperators({ system, database }, { access: byTicket });
  });
  afterAll(async () => {
    await surface.close();
    await world.close();
    await outside.close();
  });

  const disburse = async (): Promise<Disbursing> => {
    const [zone, other] = world.zones.smallZones;
    if (!zone || !other) throw new Error('There are too few zones.');
    return world.disburse('COMMODITY', [
      [
        { quantity: '5', zone },
        { quantity: '7', zone: other },
      ],
      [{ quantity: '1', zone }],
    ]);
  };
  const journalOf = (envelope: string) =>
    world.pipeline.database.sql<
      { seq: string; machine: string; actor_id: string; region: string; event: string; to_state: string }[]
    >`select * from actor_transitions where correlation_id = ${envelope} order by seq`;

  /** Everything that a receiver of Stately's own was sent. */
  function receive(query: string): StatelyInspectionEvent[] {
    const received: StatelyInspectionEvent[] = [];
    const server = `${surface.url.replace(/^http/, 'ws')}/inspector/ws?ticket=${TICKET}&${query}`;
    createWebSocketReceiver({ server }).subscribe((event) => received.push(event));
    return received;
  }

  async function finished(disbursing: Disbursing): Promise<void> {
    await until(async () => {
      const open = await world.pipeline.database.sql`
        select 1 from disbursement_resolution_geo_address
        where disbursement_envelope_id = ${disbursing.envelope.id} and beneficiary_notification_status <> 'PROCESSED'`;
      const told = await world.pipeline.database.sql`
        select 1 from disbursement_resolution_geo_address where disbursement_envelope_id = ${disbursing.envelope.id}`;
      return told.length === disbursing.ids.length && open.length === 0;
    });
  }

  const seqOf = (event: StatelyInspectionEvent): number =>
    'event' in event ? Number((event.event as { seq?: number }).seq) : 0;

  it('tells the past of an envelope event by event, as the journal has it', async () => {
    const disbursing = await disburse();
    const { id } = disbursing.envelope;
    await finished(disbursing);
    const received = receive(`envelope=${id}`);
    const journal = await journalOf(id);
    await until(() => received.filter(({ type }) => type === '@xstate.snapshot').length >= journal.length);

    const events = received.filter(({ type }) => type === '@xstate.event');
    expect(events.map((event) => [seqOf(event), event.sessionId])).toEqual(
      journal.map(({ seq, machine, actor_id }) => [Number(seq), `${machine}/${actor_id}`]),
    );
    const snapshots = received.flatMap((event) => (event.type === '@xstate.snapshot' ? [event] : []));
    expect(
      snapshots.map(
        ({ snapshot }, n) =>
          (snapshot as { value?: Record<string, string> }).value?.[journal[n]?.region ?? ''],
      ),
    ).toEqual(journal.map(({ region, to_state }) => (region === '' ? undefined : to_state)));
    expect(snapshots.every(({ rootId }) => rootId === `envelope/${id}`)).toBe(true);
  });

  it('ends every past at the states that the rows have', async () => {
    const disbursing = await disburse();
    const { id } = disbursing.envelope;
    await finished(disbursing);
    const received = receive(`envelope=${id}`);
    const journal = await journalOf(id);
    await until(() => received.filter(({ type }) => type === '@xstate.snapshot').length >= journal.length);
    for (const actor of ACTORS as readonly Actor[]) {
      if (actor.name === 'statement') continue;
      for (const [actorId, states] of await statesOf(actor, id)) {
        const last = received.findLast(
          (event) => event.type === '@xstate.snapshot' && event.sessionId === `${actor.name}/${actorId}`,
        );
        expect(last && 'snapshot' in last && (last.snapshot as { value?: unknown }).value).toEqual(states);
      }
    }
  });

  /** The states of all actors of an envelope, read from their rows. */
  async function statesOf(actor: Actor, envelope: string): Promise<Map<string, Record<string, string>>> {
    const columns = [
      ...actor.stages.map(({ region, columns: { status } }) => [region, status] as const),
      ...Object.entries(actor.states),
    ];
    const [main, ...others] = actor.tables;
    const joins = others
      .map(({ name, id }) => `join ${name} on ${name}.${id} = ${main.name}.${main.id}`)
      .join(' ');
    const rows = await world.pipeline.database.sql.unsafe<Record<string, string>[]>(
      `select * from ${main.name} ${joins} where ${main.name}.${actor.correlation} = $1`,
      [envelope],
    );
    return new Map(
      rows.map((row) => [
        String(row[main.id]),
        Object.fromEntries(columns.map(([region, column]) => [region, String(row[column])])),
      ]),
    );
  }

  it('introduces an actor before its first event, with its machine, under its parent', async () => {
    const disbursing = await disburse();
    const { id } = disbursing.envelope;
    await finished(disbursing);
    const received = receive(`envelope=${id}`);
    const journal = await journalOf(id);
    await until(() => received.filter(({ type }) => type === '@xstate.snapshot').length >= journal.length);
    const introduced = new Set<string>();
    for (const event of received) {
      if (event.type !== '@xstate.actor') expect(introduced.has(event.sessionId)).toBe(true);
      else {
        expect(introduced.has(event.sessionId)).toBe(false);
        if (event.sessionId !== `envelope/${id}`) expect(introduced.has(event.parentId ?? '')).toBe(true);
        const actor = ACTORS.find(({ name }) => event.sessionId.startsWith(`${name}/`));
        expect(Object.keys(JSON.parse(event.definition ?? '{}').states).sort()).toEqual(
          Object.keys(actor?.machine.states ?? {}).sort(),
        );
        introduced.add(event.sessionId);
      }
    }
    const parents = new Map(
      received.flatMap((e) => (e.type === '@xstate.actor' ? [[e.sessionId, e.parentId] as const] : [])),
    );
    for (const { row } of disbursing.batches) {
      expect(parents.get(`batch/${row.id}`)).toBe(`envelope/${id}`);
      for (const geo of await world.geos(row.id))
        expect(parents.get(`geo/${geo.id}`)).toBe(`batch/${row.id}`);
    }
    expect([...parents].filter(([session]) => session.startsWith('beneficiary/'))).toHaveLength(
      disbursing.ids.length,
    );
  });

  it('shows what happens now exactly as it is replayed later', async () => {
    const live = receive('machine=batch');
    const all = receive('');
    const disbursing = await disburse();
    const { id } = disbursing.envelope;
    await finished(disbursing);
    const journal = await journalOf(id);
    const replayed = receive(`envelope=${id}`);
    const about = (events: StatelyInspectionEvent[]) =>
      events.flatMap((event) =>
        event.type === '@xstate.event' && journal.some(({ seq }) => Number(seq) === seqOf(event))
          ? [[event.sessionId, event.event, event.createdAt]]
          : [],
      );
    await until(() => about(replayed).length === journal.length && about(all).length === journal.length);
    expect(about(all)).toEqual(about(replayed));
    const ofBatches = about(replayed).filter(([session]) => String(session).startsWith('batch/'));
    await until(() => about(live).length >= ofBatches.length);
    expect(about(live)).toEqual(ofBatches);
  });

  it('refuses who is not signed in, and what it does not know, before the connection is made', async () => {
    for (const [query, status, code] of [
      ['', 401, 'TOKEN_MISSING'],
      [`?ticket=${TICKET}&id=B`, 400, 'REQUEST_INVALID'],
      [`?ticket=${TICKET}&envelope=%00`, 400, 'REQUEST_INVALID'],
      [`?ticket=${TICKET}&machine=nothing`, 404, 'MACHINE_UNKNOWN'],
    ] as const) {
      const answer = await openRaw(`${surface.url}/inspector/ws${query}`);
      if (!('status' in answer)) throw new Error(`${query} is not refused.`);
      expect([query, answer.status, JSON.parse(answer.body).code]).toEqual([query, status, code]);
    }
    const plain = await fetch(`${surface.url}/inspector/ws?ticket=${TICKET}`);
    expect([plain.status, ((await plain.json()) as { code: string }).code]).toEqual([
      426,
      'WEBSOCKET_NEEDED',
    ]);
  });

  it('shows a past to so many at once, and has room again when one leaves', async () => {
    const url = `${surface.url}/inspector/ws?ticket=${TICKET}`;
    const sockets = await Promise.all(Array.from({ length: 50 }, () => openRaw(url)));
    const full = await openRaw(url);
    expect('status' in full && [full.status, JSON.parse(full.body).code]).toEqual([503, 'INSPECTORS_FULL']);
    for (const socket of sockets) if ('destroy' in socket) socket.destroy();
    await until(async () => {
      const answer = await openRaw(url);
      if ('destroy' in answer) answer.destroy();
      return !('status' in answer);
    });
  });

  it('leads from /inspector to its page, with what is to be inspected', async () => {
    const answer = await fetch(`${surface.url}/inspector?envelope=E%201`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/#/inspector?envelope=E%201']);
  });

  it('goes on with the events of an actor whose past it has told', async () => {
    const disbursing = await disburse();
    const [batch] = disbursing.batches;
    const received = receive(`machine=batch&id=${batch?.row.id}`);
    await becomes(() => world.batch(disbursing), { agency_allocation_status: 'PROCESSED' });
    await finished(disbursing);
    const journal = (await journalOf(disbursing.envelope.id)).filter(
      ({ actor_id }) => actor_id === batch?.row.id,
    );
    await until(() => received.filter(({ type }) => type === '@xstate.event').length >= journal.length);
    expect(received.filter(({ type }) => type === '@xstate.event').map(seqOf)).toEqual(
      journal.map(({ seq }) => Number(seq)),
    );
  });
});
