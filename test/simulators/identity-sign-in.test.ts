import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startIdentity } from '../support/simulators.ts';

const VERIFIER = 'v'.repeat(43);
const REDIRECT = 'http://127.0.0.1:4711/';
const REQUEST = {
  response_type: 'code',
  client_id: 'g2p-bridge-dashboard',
  redirect_uri: REDIRECT,
  scope: 'openid profile',
  state: 'state-1',
  nonce: 'nonce-1',
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
};

let identity: Simulator;
beforeAll(async () => {
  identity = await startIdentity();
});
afterAll(() => identity.stop());

const authorizeUrl = (change: Record<string, string> = {}): string =>
  `${identity.url}/authorize?${new URLSearchParams({ ...REQUEST, ...change })}`;

/** Chooses somebody on the page; @returns where the browser is sent */
async function choose(user: string, change: Record<string, string> = {}): Promise<URL> {
  const response = await fetch(authorizeUrl(change), {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ user }),
  });
  expect(response.status).toBe(303);
  return new URL(response.headers.get('location') ?? '');
}

async function redeem(code: string | null, change: Record<string, string> = {}) {
  const form = {
    grant_type: 'authorization_code',
    code: code ?? '',
    client_id: 'g2p-bridge-dashboard',
    redirect_uri: REDIRECT,
    code_verifier: VERIFIER,
    ...change,
  };
  const response = await fetch(`${identity.url}/token`, { method: 'POST', body: new URLSearchParams(form) });
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

describe('somebody who signs in', () => {
  it('finds a button on the page, and the client gets tokens about them', async () => {
    const page = await fetch(authorizeUrl());
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await page.text()).toContain('<button name="user" value="paula">Paula Payer</button>');
    const back = await choose('paula');
    expect(back.origin + back.pathname).toBe(REDIRECT);
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ state: 'state-1', iss: identity.url });
    const { status, body } = await redeem(back.searchParams.get('code'));
    expect(status).toBe(200);
    expect(decodeJwt(body.access_token ?? '')).toMatchObject({
      iss: identity.url,
      aud: 'g2p-bridge-dashboard',
      sub: 'paula',
      name: 'Paula Payer',
      roles: ['payer'],
    });
    expect(decodeJwt(body.id_token ?? '')).toMatchObject({ sub: 'paula', nonce: 'nonce-1' });
  });

  it('gets tokens once', async () => {
    const code = (await choose('vera')).searchParams.get('code');
    expect((await redeem(code)).status).toBe(200);
    expect(await redeem(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  it.each<[string, Record<string, string>]>([
    ['another verifier', { code_verifier: 'w'.repeat(43) }],
    ['another client', { client_id: 'g2p-bridge' }],
    ['another redirect_uri', { redirect_uri: 'http://127.0.0.1:4712/' }],
    ['no code', { code: '' }],
  ])('gets none for %s', async (_, change) => {
    const code = (await choose('otto')).searchParams.get('code');
    expect(await redeem(code, change)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    // Whoever tries has used it up.
    if (change.code === undefined) expect((await redeem(code)).status).toBe(400);
  });

  it('is sent back without a code when nobody knows them', async () => {
    expect(Object.fromEntries((await choose('stranger')).searchParams)).toEqual({
      error: 'access_denied',
      state: 'state-1',
      iss: identity.url,
    });
  });
});

describe('a client', () => {
  it.each(['http://127.0.0.1:4711/other', 'https://evil.example/', 'http://127.0.0.1.evil.example/', 'x'])(
    'is not sent anybody at %s',
    async (uri) => {
      const response = await fetch(authorizeUrl({ redirect_uri: uri }), { redirect: 'manual' });
      expect([response.status, response.headers.get('location')]).toEqual([400, null]);
    },
  );

  it.each<[string, Record<string, string>]>([
    ['without PKCE', { code_challenge: '' }],
    ['with PKCE in the clear', { code_challenge_method: 'plain' }],
    ['for a token at once', { response_type: 'token' }],
  ])('that asks %s is refused', async (_, change) => {
    const response = await fetch(authorizeUrl(change), { redirect: 'manual' });
    const back = new URL(response.headers.get('location') ?? '');
    expect([response.status, back.searchParams.get('error')]).toEqual([303, 'invalid_request']);
  });

  it('that is unknown is refused', async () => {
    expect((await fetch(authorizeUrl({ client_id: 'nobody' }))).status).toBe(400);
  });
});

it('people and their claims are those it is told', async () => {
  const users = [{ sub: 'k1', name: 'Käthe <K>', claims: { realm_access: { roles: ['viewer'] } } }];
  const told = await startIdentity({ users });
  const page = await (await fetch(`${told.url}/authorize?${new URLSearchParams(REQUEST)}`)).text();
  expect(page).toContain('Käthe &lt;K&gt;');
  expect(page).not.toContain('paula');
  await told.stop();
});
