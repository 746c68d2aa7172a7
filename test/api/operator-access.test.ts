import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createToken, makeFirstToken, revokeToken } from '../../src/api/operator/access/tokens.ts';
import { requireRight } from '../../src/api/operator/endpoint.ts';
import { OPERATOR_ENDPOINTS } from '../../src/api/operator/index.ts';
import { ROLES } from '../../src/api/operator/wire/common.ts';
import { openApi } from '../support/api.ts';
import { movableClock } from '../support/clock.ts';
import {
  clientOf,
  type OperatorSurface,
  openOperatorApi,
  readReply,
  serveOperators,
  type TestOperatorApi,
  tokenOf,
} from '../support/operators.ts';
import { HANDSHAKE, rawRequest } from '../support/raw-request.ts';

const clock = movableClock(new Date());
const TICKET_MS = 30_000;

let api: TestOperatorApi;
/** Another process on the same database. */
let other: OperatorSurface;

beforeAll(async () => {
  api = await openOperatorApi({ system: { clock } });
  other = await serveOperators(api);
});

afterAll(async () => {
  await other.close();
  await api.close();
});

/** Asks to open a WebSocket; @returns the status of the answer, 101 when it is opened */
const upgrade = async (url: string, headers: Record<string, string> = {}): Promise<number> =>
  (await rawRequest(url, { headers: { ...HANDSHAKE, ...headers } })).status;

const ticketOf = async (surface: OperatorSurface): Promise<string> =>
  (await surface.as('operator').post('/operator/tickets')).body.ticket;

describe('how to sign in', () => {
  it('is told to everybody', async () => {
    const reply = await clientOf(api.url, api.as('viewer').operator).get('/operator/access');
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({ kind: 'token', oidc: null, version: expect.stringMatching(/^\d+\./) });
  });

  it('is nothing that a worker knows', async () => {
    const worker = await serveOperators(api, { role: 'worker' });
    expect((await worker.as('payer').get('/operator/access')).status).toBe(404);
    expect(await upgrade(`${worker.url}/feed`, worker.as('payer').headers)).toBe(404);
    await worker.close();
  });

  it('is nothing where operators are not served', async () => {
    const without = await openApi();
    expect((await fetch(`${without.url}/operator/access`)).status).toBe(404);
    await without.close();
  });

  it('is under the root path', async () => {
    const rooted = await serveOperators(api, { rootPath: '/bridge' });
    expect((await rooted.as('viewer').get('/operator/session')).status).toBe(200);
    await rooted.close();
  });
});

describe('a token', () => {
  it.each(ROLES)('of a %s says who asks', async (role) => {
    const reply = await api.as(role).get('/operator/session');
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({ operator: { id: `${role}-1`, name: `${role}-1`, role } });
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.headers.get('set-cookie')).toBeNull();
  });

  it.each<[string, Record<string, string>, string]>([
    ['none', {}, 'TOKEN_MISSING'],
    ['one that is not known', { authorization: 'Bearer g2p_unknown' }, 'TOKEN_INVALID'],
    ['part of a good one', { authorization: `Bearer ${tokenOf('payer').slice(0, -1)}` }, 'TOKEN_INVALID'],
    ['another scheme', { authorization: `Basic ${tokenOf('payer')}` }, 'TOKEN_INVALID'],
    ['a cookie', { cookie: `token=${tokenOf('payer')}` }, 'TOKEN_MISSING'],
  ])('is needed: %s is answered 401', async (_, headers, code) => {
    const reply = await readReply(await fetch(`${api.url}/operator/session`, { headers }));
    expect(reply.status).toBe(401);
    expect(reply.body).toMatchObject({ status: 401, code });
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer realm="operators"/);
  });

  it('in the URL opens nothing', async () => {
    const reply = await fetch(`${api.url}/operator/session?access_token=${tokenOf('payer')}`);
    expect(reply.status).toBe(401);
  });

  it('opens nothing any more once it is revoked, at any process', async () => {
    const token = await createToken(api.database.sql, { name: 'temp', role: 'viewer' }, clock.now());
    const ask = (url: string) =>
      fetch(`${url}/operator/session`, { headers: { authorization: `Bearer ${token}` } });
    expect([(await ask(api.url)).status, (await ask(other.url)).status]).toEqual([200, 200]);
    expect(await revokeToken(api.database.sql, 'temp', clock.now())).toBe(true);
    expect([(await ask(api.url)).status, (await ask(other.url)).status]).toEqual([401, 401]);
  });

  it('is kept as a hash only', async () => {
    const token = await createToken(api.database.sql, { name: 'hashed', role: 'viewer' }, clock.now());
    expect(token).toMatch(/^g2p_[A-Za-z0-9_-]{43}$/);
    const rows = await api.database.sql`select operator_tokens::text as row from operator_tokens`;
    expect(JSON.stringify(rows)).toContain('hashed');
    expect(JSON.stringify(rows)).not.toContain(token?.slice(4));
  });

  it('is made at the first start by one of all processes that start, and by none later', async () => {
    const fresh = await openApi();
    const starts = await Promise.all(
      Array.from({ length: 8 }, () => makeFirstToken(fresh.database.sql, clock.now())),
    );
    expect(starts.filter((token) => token !== null)).toHaveLength(1);
    expect(await makeFirstToken(fresh.database.sql, clock.now())).toBeNull();
    expect(await fresh.database.sql`select name, role from operator_tokens`).toEqual([
      { name: 'first', role: 'payer' },
    ]);
    await fresh.close();
  });
});

describe('a role', () => {
  const guarded = OPERATOR_ENDPOINTS.flatMap((one) =>
    one.role === null ? [] : [{ ...one, role: one.role }],
  );

  it.each(guarded)('is needed for $method $path', async ({ method, path, role }) => {
    const url = path.replaceAll(/\{\w+\}/g, 'x');
    const ask = (client: ReturnType<typeof clientOf>) =>
      method === 'GET' ? client.get(url) : client.post(url);
    const stranger = await ask(clientOf(api.url, api.as('viewer').operator));
    expect([stranger.status, stranger.body.code]).toEqual([401, 'TOKEN_MISSING']);
    for (const lower of ROLES.slice(0, ROLES.indexOf(role))) {
      const refused = await ask(api.as(lower));
      expect([lower, refused.status, refused.body.code]).toEqual([lower, 403, 'ROLE_MISSING']);
    }
  });

  it('has the rights of those before it, and no more', () => {
    for (const [had, role] of ROLES.entries()) {
      for (const [needed, right] of ROLES.entries()) {
        const check = () => requireRight({ id: 'x', name: 'Xenia', role }, right, 'Releasing payments');
        if (had >= needed) expect(check).not.toThrow();
        else expect(check).toThrow(`Releasing payments needs the role ${right}; Xenia has the role ${role}.`);
      }
    }
  });
});

describe('a ticket', () => {
  it('opens one WebSocket, once, also at another process', async () => {
    const ticket = await ticketOf(api);
    expect(ticket).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const tries = [api, other, api, other].map(({ url }) => upgrade(`${url}/feed?ticket=${ticket}`));
    expect((await Promise.all(tries)).toSorted()).toEqual([101, 401, 401, 401]);
  });

  it('has the role and name of who asked for it', async () => {
    const issued = await api.access.ticketFor(api.as('payer').operator);
    const livesMs = issued.expiresAt.getTime() - clock.now().getTime();
    expect(livesMs > TICKET_MS / 2 && livesMs <= TICKET_MS).toBe(true);
    const request = { headers: {}, query: { ticket: issued.ticket } };
    expect(await other.access.operatorOfSocket(request as never)).toEqual(api.as('payer').operator);
  });

  it('expires, and is thrown away when others are made', async () => {
    const late = await ticketOf(api);
    clock.advance(TICKET_MS);
    expect(await upgrade(`${api.url}/feed?ticket=${late}`)).toBe(401);
    await ticketOf(api);
    clock.advance(TICKET_MS + 1);
    const last = await ticketOf(api);
    const [row] = await api.database.sql`select count(*)::int as left from operator_tickets`;
    expect(row).toEqual({ left: 1 });
    expect(await upgrade(`${api.url}/feed?ticket=${last}`)).toBe(101);
  });

  it.each(['', '?ticket=', '?ticket=x', '?ticket=a&ticket=b', '?access_token=x'])(
    'is needed where there is no header: /feed%s is refused',
    async (query) => {
      expect(await upgrade(`${api.url}/feed${query}`)).toBe(401);
    },
  );

  it('is not needed by programs, which can send the header', async () => {
    expect(await upgrade(`${api.url}/feed`, api.as('viewer').headers)).toBe(101);
  });

  it('opens nothing but WebSockets', async () => {
    const reply = await fetch(`${api.url}/operator/session?ticket=${await ticketOf(api)}`);
    expect(reply.status).toBe(401);
  });

  it('is neither kept nor logged as it is, nor is any token', async () => {
    const ticket = await ticketOf(api);
    const rows = await api.database.sql`select operator_tickets::text as row from operator_tickets`;
    expect(JSON.stringify(rows)).not.toContain(ticket);
    await upgrade(`${api.url}/feed?ticket=${ticket}`);
    await upgrade(`${api.url}/feed?ticket=${ticket}`);
    await fetch(`${api.url}/operator/session?ticket=${ticket}`);
    await fetch(`${api.url}/operator/nothing?ticket=${ticket}`);
    const logs = api.logs.join('');
    expect(logs).toContain('TICKET_INVALID');
    expect(logs).not.toContain(ticket);
    for (const role of ROLES) expect(logs).not.toContain(tokenOf(role));
  });
});

describe('an upgrade', () => {
  it('that is refused ends its connection, so that the server can be closed', async () => {
    const closing = await serveOperators(api);
    const ticket = await ticketOf(api);
    const paths = ['/feed', '/operator/access', '/nothing', '/ping'];
    const answers = await Promise.all(paths.map((path) => upgrade(`${closing.url}${path}?ticket=${ticket}`)));
    expect(answers).toEqual([101, 400, 404, expect.any(Number)]);
    await closing.close();
    expect(closing.logs.join('')).not.toContain(ticket);
  });

  it('to another protocol is ignored, also where there is a body', async () => {
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' };
    const { status, body } = await rawRequest(`${api.url}/operator/tickets`, {
      method: 'POST',
      headers: { ...api.as('viewer').headers, ...headers, 'content-type': 'application/json' },
      body: '{}',
    });
    expect([status, JSON.parse(body)]).toEqual([
      200,
      expect.objectContaining({ ticket: expect.any(String) }),
    ]);
  });
});

describe('attempts to sign in', () => {
  it('are not listened to any more where too many have failed, and nobody else suffers', async () => {
    const limited = await serveOperators(api, { trustedProxies: ['127.0.0.1'] });
    const attempt = async (from: string, token: string) =>
      readReply(
        await fetch(`${limited.url}/operator/session`, {
          headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': from },
        }),
      );
    const tries = await Promise.all(Array.from({ length: 60 }, (_, n) => attempt('10.0.0.1', `g2p_${n}`)));
    expect(new Set(tries.map(({ status }) => status))).toEqual(new Set([401]));
    const refused = await attempt('10.0.0.1', tokenOf('payer'));
    expect([refused.status, refused.body.code]).toEqual([429, 'TOO_MANY_ATTEMPTS']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await upgradeFrom('10.0.0.1')).toBe(429);
    expect((await attempt('10.0.0.2', tokenOf('payer'))).status).toBe(200);
    await limited.close();

    function upgradeFrom(address: string): Promise<number> {
      return upgrade(`${limited.url}/feed?ticket=x`, { 'x-forwarded-for': address });
    }
  });

  it('do not fail by asking without a token, or for more than the role allows', async () => {
    const limited = await serveOperators(api);
    for (let n = 0; n < 70; n += 1) await fetch(`${limited.url}/operator/session`);
    expect((await limited.as('viewer').get('/operator/session')).status).toBe(200);
    await limited.close();
  });
});
