import { decodeProtectedHeader } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { portalSettings } from '../../src/api/portal/settings.ts';
import { loadConfig } from '../../src/config.ts';
import { openApi } from '../support/api.ts';
import { movableClock } from '../support/clock.ts';
import {
  ALL,
  openPortal,
  type PortalReply,
  SUMMARY,
  storeDisbursement,
  type TestPortal,
} from '../support/portal.ts';
import { startIdentity } from '../support/simulators.ts';

const HOUR_MS = 3_600_000;

let portal: TestPortal;
let atIdentity: (path: string, body: object) => Promise<unknown>;

beforeAll(async () => {
  portal = await openPortal();
  atIdentity = async (path, body) =>
    (
      await fetch(portal.identity.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    ).json();
  await storeDisbursement(portal.api);
  await storeDisbursement(portal.api, { disbursement: { beneficiary_id: 'BEN-2', id: 'D-OF-BEN-2' } });
});

afterAll(() => portal.close());
afterEach(() => atIdentity('/_admin/reset', {}));

/** What the provider was asked since the last test, by path. */
const fetches = async (): Promise<Record<string, number>> => {
  const response = await fetch(`${portal.identity.url}/_admin/stats`);
  return ((await response.json()) as { requests: Record<string, number> }).requests;
};

function expectTaken(reply: PortalReply): void {
  expect([reply.status, reply.header.response_status]).toEqual([200, 'SUCCESS']);
}

function expectUnauthorized(reply: PortalReply, code: string, sentence: RegExp | string): void {
  expect(reply.status).toBe(401);
  expect(reply.header).toMatchObject({ response_status: 'ERROR', response_error_code: code });
  expect(reply.header.response_error_message).toMatch(sentence);
  expect(reply.payload).toEqual([]);
  expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer realm="beneficiary portal"/);
  expect(reply.text).not.toContain('BEN-');
}

describe('a beneficiary', () => {
  it('sees what is theirs, whether or not the request names them', async () => {
    const token = await portal.token();
    for (const payload of [{}, null, undefined, { beneficiary_id: 'BEN-1' }, { beneficiary_id: null }]) {
      const reply = await portal.ask(ALL, token, payload);
      expectTaken(reply);
      expect(reply.payload).toHaveLength(1);
      expect(reply.text).not.toContain('D-OF-BEN-2');
      expect(reply.headers.get('cache-control')).toBe('no-store');
    }
  });

  it.each([ALL, SUMMARY])('sees nothing of another at %s', async (path) => {
    const reply = await portal.ask(path, await portal.token(), { beneficiary_id: 'BEN-2' });
    expect(reply.status).toBe(200);
    expect(reply.header).toMatchObject({
      response_status: 'ERROR',
      response_error_code: 'BENEFICIARY_ID_MISMATCH',
    });
    expect(reply.payload).toEqual([]);
  });

  it('may be named by another claim than the subject', async () => {
    const other = await openPortal({ beneficiaryIdClaim: 'uin' }, { beside: portal });
    await storeDisbursement(portal.api, { disbursement: { beneficiary_id: 'UIN-7' } });
    expectTaken(await other.ask(ALL, await other.token({ uin: 'UIN-7' })));
    expectUnauthorized(
      await other.ask(ALL, await other.token()),
      'TOKEN_INVALID',
      'names no beneficiary: its claim uin is missing',
    );
    await other.close();
  });

  it.each([null, '', '  ', 17, ['BEN-1'], { id: 'BEN-1' }, 'a\nb', 'x'.repeat(300)])(
    'is not found in a token whose subject is %j',
    async (sub) => {
      const reply = await portal.ask(ALL, await portal.token({ sub }));
      expectUnauthorized(reply, 'TOKEN_INVALID', 'names no beneficiary');
    },
  );

  it('is not found in what every object has', async () => {
    const other = await openPortal({ beneficiaryIdClaim: 'constructor' }, { beside: portal });
    expectUnauthorized(await other.ask(ALL, await portal.token()), 'TOKEN_INVALID', 'names no beneficiary');
    await other.close();
  });
});

describe('a request', () => {
  it.each([ALL, SUMMARY])('without a token is refused at %s', async (path) => {
    const reply = await portal.ask(path, null);
    expectUnauthorized(reply, 'TOKEN_MISSING', 'has no bearer token');
    expect(reply.headers.get('www-authenticate')).toBe('Bearer realm="beneficiary portal"');
    expect(reply.header.request_id).toMatch(/^REQ-/);
  });

  it.each(['Basic QkVOLTE6eA==', 'Bearer', 'Bearer a b', 'Token abc', 'Bearer ä'.normalize('NFC')])(
    'with the header %j is refused',
    async (authorization) => {
      const reply = await portal.post(ALL, null, '{}', { authorization });
      expectUnauthorized(reply, 'TOKEN_INVALID', 'has no bearer token');
    },
  );

  it.each(['x', 'a.b', 'a.b.c', '..', 'e30.e30.e30', `${'x'.repeat(8_000)}`])(
    'with the token %.20s, which is no JWT, is refused',
    async (token) => {
      expectUnauthorized(await portal.ask(ALL, token), 'TOKEN_INVALID', 'cannot be verified');
    },
  );

  it('leaves neither its token nor the beneficiary in the log', async () => {
    const token = await portal.token();
    await portal.ask(ALL, token);
    await portal.ask(ALL, await portal.token({}, { expires_in: -HOUR_MS / 1_000 }));
    const logs = portal.api.logs.join('');
    expect(logs).toContain('get_all_disbursements');
    expect(logs).not.toMatch(/BEN-1|eyJ/);
  });
});

describe('a token', () => {
  it.each(['RS256', 'ES256'])('signed with %s is taken', async (alg) => {
    expectTaken(await portal.ask(ALL, await portal.token({}, { alg })));
  });

  it('is taken for one of the audiences, whichever client it was issued to', async () => {
    expectTaken(await portal.ask(ALL, await portal.token({ aud: ['other', 'portal'] })));
    expectTaken(await portal.ask(ALL, await portal.token({ aud: ['portal', 'account'], azp: 'portal-web' })));
  });

  it.each<[string, object, object, RegExp]>([
    ['expired', {}, { expires_in: -3_600 }, /has expired/],
    ['never expires', { exp: null }, {}, /right claim exp/],
    ['expires at no time', { exp: 'tomorrow' }, {}, /right claim exp/],
    ['is not valid yet', { nbf: 4_000_000_000 }, {}, /not valid yet/],
    ['was issued in the future', { iat: 4_000_000_000, exp: 4_000_000_300 }, {}, /not valid yet/],
    ['is of another issuer', { iss: 'https://other.example' }, {}, /right claim iss/],
    ['is of no issuer', { iss: null }, {}, /right claim iss/],
    ['is for another audience', { aud: 'partner' }, {}, /right claim aud/],
    ['is for others, though issued to the portal', { aud: ['a', 'b'], azp: 'portal' }, {}, /right claim aud/],
    ['is for no audience', { aud: null }, {}, /right claim aud/],
    ['is not signed', {}, { alg: 'none' }, /cannot be verified|not accepted/],
    ['is signed with the public key as a secret', {}, { alg: 'HS256' }, /not accepted/],
    ['is signed with an unknown key', {}, { key: 'unknown' }, /unknown key/],
    ['names a key that is not there', {}, { kid: 'nobody' }, /unknown key/],
  ])('that %s is refused', async (_, claims, more, sentence) => {
    const reply = await portal.ask(ALL, await portal.token(claims, more));
    expectUnauthorized(reply, 'TOKEN_INVALID', sentence);
    expect(reply.headers.get('www-authenticate')).toMatch(/, error="invalid_token", error_description=".+"$/);
  });

  it('forged under the name of a known key is refused, and so is one that was altered', async () => {
    const good = await portal.token();
    const { kid } = decodeProtectedHeader(good);
    const forged = await portal.token({}, { key: 'unknown', kid });
    expectUnauthorized(await portal.ask(ALL, forged), 'TOKEN_INVALID', 'signature of the token is wrong');
    const [head, , signature] = good.split('.');
    const [, claims] = (await portal.token({ sub: 'BEN-2' })).split('.');
    expectUnauthorized(
      await portal.ask(ALL, [head, claims, signature].join('.')),
      'TOKEN_INVALID',
      'signature of the token is wrong',
    );
  });

  it('is looked at by the time of the system, with a few seconds of grace', async () => {
    const clock = movableClock(new Date());
    const timed = await openPortal({}, { clock });
    await storeDisbursement(timed.api);
    const token = await timed.token({}, { expires_in: 600 });
    expectTaken(await timed.ask(ALL, token));
    clock.advance(605_000);
    expectTaken(await timed.ask(ALL, token));
    clock.advance(10_000);
    expectUnauthorized(await timed.ask(ALL, token), 'TOKEN_INVALID', 'has expired');
    await timed.close();
  });

  it('of any audience is taken where none is configured', async () => {
    const open = await openPortal({ audiences: [] }, { beside: portal });
    expectTaken(await open.ask(ALL, await open.token({ aud: null })));
    await open.close();
  });
});

describe("the provider's keys", () => {
  it('are fetched once for many requests, also for those that come at once', async () => {
    const fresh = await openPortal({ keyLimits: { cooldownMs: 60_000 } }, { beside: portal });
    const token = await fresh.token();
    const replies = await Promise.all(Array.from({ length: 20 }, () => fresh.ask(ALL, token)));
    for (const reply of replies) expectTaken(reply);
    for (const _ of [1, 2, 3]) {
      expectUnauthorized(
        await fresh.ask(ALL, await fresh.token({}, { key: 'unknown' })),
        'TOKEN_INVALID',
        'unknown key',
      );
    }
    expect(await fetches()).toEqual({ '/jwks': 1, '/.well-known/openid-configuration': 1 });
    await fresh.close();
  });

  it('are followed when they change: the new one is taken, the old one no longer', async () => {
    const before = await portal.token();
    expectTaken(await portal.ask(ALL, before));
    await atIdentity('/_admin/rotate', { keep: true });
    expectTaken(await portal.ask(ALL, await portal.token()));
    expectTaken(await portal.ask(ALL, before));
    await atIdentity('/_admin/rotate', {});
    expectTaken(await portal.ask(ALL, await portal.token()));
    expectUnauthorized(await portal.ask(ALL, before), 'TOKEN_INVALID', 'unknown key');
  });

  it('may be named in the configuration, without discovery', async () => {
    const direct = await openPortal(
      { jwksUrl: `${portal.identity.url}/jwks`, issuer: 'https://login.example/realm/' },
      { beside: portal },
    );
    expectTaken(await direct.ask(ALL, await portal.token({ iss: 'https://login.example/realm/' })));
    expectUnauthorized(await direct.ask(ALL, await portal.token()), 'TOKEN_INVALID', 'right claim iss');
    await direct.close();
  });

  it.each<[string, object, number?]>([
    ['has errors', { path: '/jwks', kind: 'error_before', status: 500 }],
    ['cuts connections', { path: '/jwks', kind: 'drop_before' }],
    ['takes too long', { path: '/jwks', kind: 'slow_body', delay_ms: 10_000 }, 1_000],
    ['does not say where its keys are', { path: '/.well-known/openid-configuration', kind: 'refuse' }],
  ])(
    'cannot be had while the provider %s: 503, and those that are known go on serving',
    async (_, fault, timeoutMs = 10_000) => {
      const fresh = await openPortal({ keyLimits: { timeoutMs, freshMs: 0 } }, { beside: portal });
      const control = (faults: object[]) => atIdentity('/_control', { faults });
      const token = await fresh.token();
      await control([fault]);
      const refused = await fresh.ask(ALL, token);
      expect(refused.status).toBe(503);
      expect(refused.header).toMatchObject({
        response_status: 'ERROR',
        response_error_code: 'IDENTITY_PROVIDER_UNAVAILABLE',
        response_error_message: 'The identity provider cannot be asked for its keys. Try again later.',
      });
      expect(refused.payload).toEqual([]);
      expect(fresh.api.logs.join('')).toContain("The identity provider's keys could not be fetched");
      await control([]);
      expectTaken(await fresh.ask(ALL, token));
      await control([fault]);
      expectTaken(await fresh.ask(ALL, token));
      // It may be signed with a key that the provider has had since.
      expect((await fresh.ask(ALL, await fresh.token({}, { kid: 'newer' }))).status).toBe(503);
      await fresh.close();
    },
  );

  it('serve no longer than they may while the provider is down', async () => {
    const fresh = await openPortal(
      { keyLimits: { freshMs: 0, staleMs: 0 } },
      { beside: portal, identity: await startIdentity() },
    );
    const token = await fresh.token();
    expectTaken(await fresh.ask(ALL, token));
    await fresh.identity.stop();
    expect((await fresh.ask(ALL, token)).status).toBe(503);
    await fresh.close();
  });

  it('are not asked for again at every request while the provider is down', async () => {
    const fresh = await openPortal({ keyLimits: { pauseMs: 60_000 } }, { beside: portal });
    await atIdentity('/_control', { faults: [{ path: '/jwks', kind: 'error_before', status: 503 }] });
    const token = await portal.token();
    for (const _ of [1, 2, 3]) expect((await fresh.ask(ALL, token)).status).toBe(503);
    expect(await fetches()).toMatchObject({ '/jwks': 1 });
    await fresh.close();
  });
});

describe('a discovery document', () => {
  it('of another issuer is not believed', async () => {
    const identity = await startIdentity({ issuer: 'https://other.example' });
    const fresh = await openPortal({ issuer: identity.url }, { beside: portal, identity });
    const reply = await fresh.ask(ALL, await fresh.token({ iss: identity.url }));
    expect(reply.status).toBe(503);
    expect(fresh.api.logs.join('')).toContain('is of another issuer');
    await fresh.close();
  });
});

describe('the portal', () => {
  const issuer = 'https://login.example/realm/';
  const enabled = { G2P_BRIDGE_PORTAL_ENABLED: 'true' };

  it('is not there unless it is switched on, nor at a worker', async () => {
    const off = await openApi();
    expect((await off.call(ALL, {})).status).toBe(404);
    await off.close();
    const settings = portalSettings(loadConfig({ ...enabled, G2P_BRIDGE_PORTAL_OIDC_ISSUER: issuer }));
    const worker = await openApi({ role: 'worker', portal: settings });
    expect((await worker.call(ALL, {})).status).toBe(404);
    await worker.close();
  });

  it('is under the root path', async () => {
    const rooted = await openPortal({}, { rootPath: '/bridge', beside: portal });
    expectTaken(await rooted.ask(ALL, await rooted.token()));
    await rooted.close();
  });

  it('is configured by the environment', () => {
    expect(portalSettings(loadConfig({}))).toBeNull();
    expect(portalSettings(loadConfig({ ...enabled, G2P_BRIDGE_PORTAL_OIDC_ISSUER: issuer }))).toEqual({
      issuer,
      jwksUrl: null,
      audiences: [],
      beneficiaryIdClaim: 'sub',
    });
    const all = {
      ...enabled,
      G2P_BRIDGE_PORTAL_OIDC_ISSUER: issuer,
      G2P_BRIDGE_PORTAL_OIDC_JWKS_URL: 'https://login.example/keys',
      G2P_BRIDGE_PORTAL_OIDC_AUDIENCE: 'portal, app',
      G2P_BRIDGE_PORTAL_BENEFICIARY_ID_CLAIM: 'uin',
    };
    expect(portalSettings(loadConfig(all))).toEqual({
      issuer,
      jwksUrl: 'https://login.example/keys',
      audiences: ['portal', 'app'],
      beneficiaryIdClaim: 'uin',
    });
  });

  it.each<[Record<string, string>, string]>([
    [enabled, 'G2P_BRIDGE_PORTAL_ENABLED needs G2P_BRIDGE_PORTAL_OIDC_ISSUER.'],
    [
      { ...enabled, G2P_BRIDGE_PORTAL_OIDC_ISSUER: 'login.example' },
      'G2P_BRIDGE_PORTAL_OIDC_ISSUER must be an http:// or https:// URL without credentials.',
    ],
  ])('does not start with %j', (env, message) => {
    expect(() => loadConfig(env)).toThrow(message);
  });
});
