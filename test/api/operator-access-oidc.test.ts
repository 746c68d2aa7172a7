import { decodeProtectedHeader } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openAccess } from '../../src/api/operator/access/open.ts';
import { loadConfig } from '../../src/config.ts';
import { movableClock } from '../support/clock.ts';
import {
  clientOf,
  type OperatorApiOptions,
  type OperatorReply,
  type OperatorSurface,
  openOperatorApi,
  readReply,
  serveOperators,
  type TestOperatorApi,
  tokenOf,
} from '../support/operators.ts';
import { type Simulator, startIdentity } from '../support/simulators.ts';
import { storedBatches, storedEnvelope } from '../support/stopped-work.ts';

const clock = movableClock(new Date());
let identity: Simulator;
let api: TestOperatorApi;
const problems: string[] = [];

beforeAll(async () => {
  identity = await startIdentity();
  api = await openOperatorApi({ ...optionsOf(), system: { clock } });
});

afterAll(async () => {
  await api.close();
  await identity.stop();
});

afterEach(async () => {
  await atIdentity('/_admin/reset', {});
});

/** Keys are fetched again at every token with an unknown key. */
function optionsOf(more: Record<string, string> = {}, keyLimits = {}): OperatorApiOptions {
  const settings = {
    operator_oidc_issuer: identity.url,
    operator_oidc_audience: 'g2p-bridge-dashboard',
    operator_oidc_client_id: 'g2p-bridge-dashboard',
    ...more,
  };
  const env = Object.entries(settings).map(([name, value]) => [`G2P_BRIDGE_${name.toUpperCase()}`, value]);
  return {
    settings,
    access: (database) =>
      openAccess(loadConfig(Object.fromEntries(env)), {
        database,
        clock,
        onProblem: (problem) => problems.push(problem),
        keyLimits: { cooldownMs: 0, pauseMs: 0, ...keyLimits },
      }),
  };
}

async function atIdentity(path: string, body: object): Promise<Record<string, string>> {
  const response = await fetch(identity.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, string>;
}

const USUAL = { sub: 'paula', aud: 'g2p-bridge-dashboard', roles: ['payer'] };
const mint = async (claims: object = {}, more: object = {}): Promise<string> =>
  (await atIdentity('/_admin/tokens', { claims: { ...USUAL, ...claims }, ...more })).token ?? '';

const ask = async (token: string, surface: OperatorSurface = api): Promise<OperatorReply> =>
  readReply(
    await fetch(`${surface.url}/operator/session`, { headers: { authorization: `Bearer ${token}` } }),
  );

describe('an operator of the identity provider', () => {
  it('is told where to sign in', async () => {
    const reply = await clientOf(api.url, { id: '', name: '', role: 'viewer' }).get('/operator/access');
    expect(reply.body).toMatchObject({
      kind: 'oidc',
      oidc: { issuer: identity.url, client_id: 'g2p-bridge-dashboard', scope: 'openid profile' },
    });
    expect(api.access.connectOrigins).toEqual([identity.url]);
    const elsewhere = await serveOperators(
      api,
      optionsOf({ operator_oidc_connect_origins: `https://tokens.example, ${identity.url}` }),
    );
    expect(elsewhere.access.connectOrigins).toEqual([identity.url, 'https://tokens.example']);
    const page = await fetch(`${elsewhere.url}/`);
    expect(page.headers.get('content-security-policy')).toContain(
      `connect-src 'self' ${identity.url} https://tokens.example;`,
    );
    await elsewhere.close();
  });

  it.each<[object, object]>([
    [
      { preferred_username: 'paula.p', name: 'Paula' },
      { id: 'paula', name: 'paula.p', role: 'payer' },
    ],
    [
      { name: 'Paula Payer', roles: 'viewer' },
      { id: 'paula', name: 'Paula Payer', role: 'viewer' },
    ],
    [{ roles: ['viewer', 'operator', 'x'] }, { id: 'paula', name: 'paula', role: 'operator' }],
    [
      { preferred_username: 'p\u202eau\u200bla\n\u2066.p\u0007' },
      { id: 'paula', name: 'paula.p', role: 'payer' },
    ],
    [
      { preferred_username: '\u200b\u2060', name: 'Paula' },
      { id: 'paula', name: 'Paula', role: 'payer' },
    ],
    [
      { name: ' ', preferred_username: 7 },
      { id: 'paula', name: 'paula', role: 'payer' },
    ],
  ])('with the claims %j is %j', async (claims, operator) => {
    const reply = await ask(await mint(claims));
    expect([reply.status, reply.body]).toEqual([200, { operator }]);
  });

  it('is in the journal and in pauses by the id, whatever they call themselves', async () => {
    const headers = { authorization: `Bearer ${await mint({ preferred_username: 'otto' })}` };
    const paula = clientOf(api.url, { id: 'paula', name: 'otto', role: 'payer' }, headers);
    const envelope = await storedEnvelope(api.database);
    const [batch = ''] = await storedBatches(api.database, envelope, 1, {
      region: 'fa_resolution',
      status: 'ERROR',
      code: 'FA_UNRESOLVED',
    });
    const reason = 'to be somebody else';
    const target = { stage: 'mapper_resolution', ids: [batch] };
    expect((await paula.post('/operator/actions/retry', { target, reason })).body).toMatchObject({
      accepted: 1,
    });
    const later = await storedEnvelope(api.database, { disbursement_schedule_date: '2999-01-01' });
    expect((await paula.post(`/operator/envelopes/${later.id}/cancel`, { reason })).status).toBe(200);
    const rows = await api.database.sql`
      select distinct by from actor_transitions where correlation_id in (${envelope.id ?? ''}, ${later.id ?? ''})
        and event in ('retry', 'cancel')`;
    expect(rows).toEqual([{ by: 'otto (paula)' }]);
    await paula.post('/operator/stages/geo_resolution/pause', { reason });
    const { body } = await paula.get('/operator/operations');
    const { paused } = body.stages.find(({ stage }: { stage: string }) => stage === 'geo_resolution');
    expect(paused).toMatchObject({ by: 'otto (paula)', reason });
    await paula.post('/operator/stages/geo_resolution/resume', { reason });
    const [entry] = (await paula.get('/operator/audit?operator=paula&limit=1')).body.actions;
    expect(entry.operator).toEqual({ id: 'paula', name: 'otto', role: 'payer' });
  });

  it.each(['pau\u202ela', 'pau\nla', 'paula\u200b'])('is nobody with the id %j', async (sub) => {
    const reply = await ask(await mint({ sub }));
    expect([reply.status, reply.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('invalid_token'),
    ]);
  });

  it.each([[[]], ['admin'], [null], [{ payer: true }], [['Payer']], [[['payer']]], [true]])(
    'with the roles %j is none',
    async (roles) => {
      const reply = await ask(await mint({ roles, name: 'Nora Nobody' }));
      expect([reply.status, reply.body.code]).toEqual([403, 'ROLE_MISSING']);
      expect(reply.body.detail).toContain('Nora Nobody is no operator');
    },
  );

  it('may have the role elsewhere and under other names', async () => {
    const keycloak = await serveOperators(
      api,
      optionsOf({
        operator_role_claim: 'realm_access.roles',
        operator_role_names: '{"payer":["g2p-payers"]}',
      }),
    );
    const roles = (names: string[]) => mint({ roles: undefined, realm_access: { roles: names } });
    expect((await ask(await roles(['g2p-payers']), keycloak)).body.operator.role).toBe('payer');
    expect((await ask(await roles(['viewer']), keycloak)).body.operator.role).toBe('viewer');
    expect((await ask(await roles(['payer']), keycloak)).status).toBe(403);
    expect((await ask(await mint(), keycloak)).status).toBe(403);
    await keycloak.close();
  });

  it('opens a WebSocket by a ticket', async () => {
    const headers = { authorization: `Bearer ${await mint()}` };
    const client = clientOf(api.url, { id: 'paula', name: 'paula', role: 'payer' }, headers);
    const { ticket, expires_at: until } = (await client.post('/operator/tickets')).body;
    const livesMs = new Date(until).getTime() - clock.now().getTime();
    expect(livesMs > 20_000 && livesMs <= 30_000).toBe(true);
    const socket = await clientOf(api.url, client.operator).ws(`/feed?ticket=${ticket}`);
    socket.close();
  });
});

describe('a token', () => {
  it('for several audiences is taken, whichever client it was issued to', async () => {
    const reply = await ask(await mint({ aud: ['g2p-bridge-dashboard', 'account'], azp: 'reports' }));
    expect(reply.status).toBe(200);
  });

  it.each<[string, object, object, RegExp]>([
    ['expired', {}, { expires_in: -3_600 }, /has expired/],
    ['never expires', { exp: null }, {}, /right claim exp/],
    ['is not valid yet', { nbf: 4_000_000_000 }, {}, /not valid yet/],
    ['was issued in the future', { iat: 4_000_000_000, exp: 4_000_000_300 }, {}, /not valid yet/],
    ['is of another issuer', { iss: 'https://other.example' }, {}, /right claim iss/],
    ['is of no issuer', { iss: null }, {}, /right claim iss/],
    ['is for another audience', { aud: 'portal' }, {}, /right claim aud/],
    [
      'is for others, though issued to the dashboard',
      { aud: ['a', 'b'], azp: 'g2p-bridge-dashboard' },
      {},
      /right claim aud/,
    ],
    ['is for no audience', { aud: null }, {}, /right claim aud/],
    ['is not signed', {}, { alg: 'none' }, /cannot be verified|not accepted/],
    ['is signed with the public key as a secret', {}, { alg: 'HS256' }, /not accepted/],
    ['is signed with an unknown key', {}, { key: 'unknown' }, /unknown key/],
    ['names nobody', { sub: null }, {}, /names nobody/],
    ['names something that is no id', { sub: 'a\nb' }, {}, /names nobody/],
  ])('that %s is refused', async (_, claims, more, sentence) => {
    const reply = await ask(await mint(claims, more));
    expect([reply.status, reply.body.code]).toEqual([401, 'TOKEN_INVALID']);
    expect(reply.body.detail).toMatch(sentence);
    expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer realm="operators", error="invalid_token"/);
  });

  it('forged under the name of a known key is refused', async () => {
    const { kid } = decodeProtectedHeader(await mint());
    const reply = await ask(await mint({}, { key: 'unknown', kid }));
    expect(reply.body).toMatchObject({ status: 401, detail: 'The signature of the token is wrong.' });
  });

  it('of those that are stored opens nothing where there is a provider', async () => {
    expect((await ask(tokenOf('payer'))).body).toMatchObject({ status: 401, code: 'TOKEN_INVALID' });
  });

  it('leaves nothing of itself in the log', async () => {
    await ask(await mint());
    await ask(await mint({}, { expires_in: -3_600 }));
    expect(api.logs.join('')).toContain('TOKEN_INVALID');
    expect(api.logs.join('')).not.toContain('eyJ');
  });
});

describe("the provider's keys", () => {
  it('are followed when they change', async () => {
    const before = await mint();
    expect((await ask(before)).status).toBe(200);
    await atIdentity('/_admin/rotate', {});
    expect((await ask(await mint())).status).toBe(200);
    expect((await ask(before)).status).toBe(401);
  });

  it('that cannot be had are answered 503, and those that are known go on serving', async () => {
    const fresh = await serveOperators(api, optionsOf({}, { freshMs: 0 }));
    const token = await mint();
    const away = { faults: [{ path: '/jwks', kind: 'error_before', status: 500 }] };
    await atIdentity('/_control', away);
    expect((await ask(token, fresh)).body).toMatchObject({
      status: 503,
      code: 'IDENTITY_PROVIDER_UNAVAILABLE',
    });
    expect(problems.join()).toContain('Expected 200 OK');
    await atIdentity('/_control', { faults: [] });
    expect((await ask(token, fresh)).status).toBe(200);
    await atIdentity('/_control', away);
    expect((await ask(token, fresh)).status).toBe(200);
    await fresh.close();
  });
});
