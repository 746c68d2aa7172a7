import { afterEach, describe, expect, it } from 'vitest';
import { createSignatureCheck } from '../../src/api/partner/signature/check.ts';
import { KeysUnavailableError } from '../../src/api/partner/signature/key-source.ts';
import { NO_KEYS, readPartnerKeys } from '../../src/api/partner/signature/partner-key.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { openApi, type TestApi } from '../support/api.ts';
import { messageFixture } from '../support/payloads.ts';
import { beginUpload } from '../support/raw-upload.ts';
import { makeKey, signDetached } from '../support/signing.ts';

const STATUS = '/get_disbursement_status';
const PROXY = '127.0.0.1';

let api: TestApi | undefined;
afterEach(async () => {
  await api?.close();
  api = undefined;
});

/** Asks for the status of nothing. @param from what the proxy says about the client's address */
async function ask(
  { url }: TestApi,
  { sender = 'PBMS', from = '', path = STATUS, sign = (_body: string): string => '' } = {},
) {
  const message = messageFixture([]);
  Object.assign(message.request_header as object, { sender_app_mnemonic: sender });
  const body = JSON.stringify(message);
  const signature = sign(body);
  const headers = {
    'content-type': 'application/json',
    ...(from && { 'x-forwarded-for': from }),
    ...(signature && { signature }),
  };
  const response = await fetch(url + path, { method: 'POST', headers, body });
  const text = await response.text();
  const header = text.startsWith('{') ? JSON.parse(text).response_header : {};
  return {
    status: response.status,
    code: header.response_error_code,
    retryAfter: response.headers.get('retry-after'),
    text,
  };
}

describe('without signatures, a client address', () => {
  it('has its share of a minute, and is then told when to come again', async () => {
    api = await openApi({ requestsPerMinute: 3 });
    for (let i = 0; i < 3; i += 1) expect(await ask(api)).toMatchObject({ status: 200, code: null });
    const refused = await ask(api, { sender: 'OTHER' });
    expect(refused).toMatchObject({ status: 429, code: 'TOO_MANY_REQUESTS' });
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    expect(Number(refused.retryAfter)).toBeLessThanOrEqual(60);
    expect(JSON.parse(refused.text)).toMatchObject({
      response_header: {
        response_status: 'ERROR',
        response_error_message: expect.stringMatching(
          /^At most 3 requests a minute are taken; the next in \d+ s\.$/,
        ),
      },
      response_body: { response_payload: null },
    });
    expect((await api.upload('x')).status).toBe(429);
    for (const path of ['/ping', '/healthz', '/readyz'])
      expect((await fetch(api.url + path)).status).toBe(200);
  });

  it('is not taken from a header, unless a proxy that is trusted has set it', async () => {
    api = await openApi({ requestsPerMinute: 1 });
    expect((await ask(api, { from: '192.0.2.1' })).status).toBe(200);
    expect((await ask(api, { from: '192.0.2.2' })).status).toBe(429);
    await api.close();
    api = await openApi({ requestsPerMinute: 1, trustedProxies: ['10.0.0.0/8', PROXY] });
    expect((await ask(api, { from: '192.0.2.1' })).status).toBe(200);
    expect((await ask(api, { from: '192.0.2.2' })).status).toBe(200);
    // What the client itself says comes before what the proxy says.
    expect((await ask(api, { from: '192.0.2.3, 192.0.2.2' })).status).toBe(429);
  });

  it('has its share of the beneficiary portal, too', async () => {
    const portal = { issuer: 'https://id.example', jwksUrl: null, audiences: [], beneficiaryIdClaim: 'sub' };
    api = await openApi({ requestsPerMinute: 2, portal });
    const path = '/disbursement/get_all_disbursements';
    const answers = [await ask(api, { path }), await ask(api, { path }), await ask(api, { path })];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 429]);
  });

  it('sends what it likes where there is no limit', async () => {
    api = await openApi();
    for (let i = 0; i < 50; i += 1) expect((await ask(api)).status).toBe(200);
  });
});

describe('with signatures', () => {
  const key = makeKey('k', 'ES256');
  const stranger = makeKey('k', 'ES256');
  const published = readPartnerKeys({ keys: [key.jwk] }) ?? NO_KEYS;
  const signatures = createSignatureCheck({
    source: { keysOf: async () => published, close: async () => {} },
    algorithms: ['ES256'],
    clock: systemClock,
  });
  const options = { signatures, requestsPerMinute: 3, trustedProxies: [PROXY] };
  const right = (body: string) => signDetached(body, key);
  const wrong = (body: string) => signDetached(body, stranger);

  it('a partner has its share, wherever its requests come from', async () => {
    api = await openApi(options);
    for (const from of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      expect((await ask(api, { from, sign: right })).status).toBe(200);
    }
    const refused = await ask(api, { from: '192.0.2.4', sender: 'pbms', sign: right });
    expect(refused).toMatchObject({ status: 429, code: 'TOO_MANY_REQUESTS' });
    expect(JSON.parse(refused.text).response_header.request_id).toMatch(/^REQ-/);
    expect(await ask(api, { from: '192.0.2.1', sender: 'OTHER', sign: right })).toMatchObject({
      status: 200,
    });
  });

  it('nobody uses up the share of a partner by using its name', async () => {
    api = await openApi(options);
    const attacker = '192.0.2.66';
    for (let i = 0; i < 3; i += 1) {
      expect(await ask(api, { from: attacker, sign: wrong })).toMatchObject({ code: 'rjct.jwt.invalid' });
    }
    expect(await ask(api, { from: attacker, sign: wrong })).toMatchObject({ status: 429 });
    // Its body is not even read.
    expect(await ask(api, { from: attacker, sign: right })).toMatchObject({ status: 429 });
    for (let i = 0; i < 3; i += 1) {
      expect(await ask(api, { from: '192.0.2.1', sign: right })).toMatchObject({ status: 200, code: null });
    }
  });

  it('nobody is held to account for keys that cannot be had', async () => {
    const keysOf = async () => {
      throw new KeysUnavailableError('The key service does not answer.');
    };
    const unchecked = createSignatureCheck({
      source: { keysOf, close: async () => {} },
      algorithms: ['ES256'],
      clock: systemClock,
    });
    api = await openApi({ ...options, signatures: unchecked });
    for (let i = 0; i < 5; i += 1) {
      const answer = await ask(api, { sign: right });
      expect(answer).toMatchObject({ status: 200, code: 'rjct.jwt.invalid' });
      expect(answer.text).toContain('send the request again later');
      expect(JSON.parse(answer.text).response_body.response_payload).toEqual([]);
    }
    expect(api.logs.join('')).not.toContain('Signature refused');
    expect(api.logs.join('')).toContain('"code":"rjct.jwt.invalid"');
  });

  it('partners behind one address have a share each', async () => {
    api = await openApi(options);
    for (const sender of ['A', 'B', 'C']) {
      for (let i = 0; i < 3; i += 1) expect((await ask(api, { sender, sign: right })).status).toBe(200);
    }
  });
});

describe('the token of uploads', () => {
  const token = 'a-long-secret-token';
  const upload = async (authorization: string | null) => {
    const form = new FormData();
    form.append('statement_file', new Blob(['no MT940']), 'statement.sta');
    const headers = authorization === null ? {} : { authorization };
    const response = await fetch(`${api?.url}/upload_mt940`, { method: 'POST', headers, body: form });
    const text = await response.text();
    return { status: response.status, challenge: response.headers.get('www-authenticate'), text };
  };

  it('must be right where there is one', async () => {
    api = await openApi({ uploadToken: token });
    for (const wrong of [
      null,
      '',
      token,
      `Bearer ${token}x`,
      `Bearer ${token.slice(0, -1)}`,
      'Bearer',
      `Basic ${token}`,
    ]) {
      const answer = await upload(wrong);
      expect([wrong, answer.status, answer.challenge]).toEqual([wrong, 401, 'Bearer']);
      expect(JSON.parse(answer.text).response_header).toMatchObject({
        response_status: 'ERROR',
        response_error_code: 'UPLOAD_NOT_AUTHORIZED',
      });
    }
    for (const right of [`Bearer ${token}`, `bearer  ${token}`])
      expect((await upload(right)).status).toBe(200);
    expect(api.logs.join('')).not.toContain(token);
    expect(await ask(api)).toMatchObject({ status: 200 });
  });

  it('is not asked for where there is none', async () => {
    api = await openApi();
    expect((await upload(null)).status).toBe(200);
  });

  it('is looked at before the file is read', async () => {
    api = await openApi({ uploadToken: token });
    const raw = beginUpload(api.url);
    expect((await raw.answer()).status).toBe(401);
    raw.abort();
  });
});

describe('headers for browsers', () => {
  it('are on every answer, also on refusals', async () => {
    api = await openApi({ requestsPerMinute: 1, metrics: async () => 'up 1\n' });
    const answers = await Promise.all([
      fetch(`${api.url}/ping`),
      fetch(`${api.url}/healthz`),
      fetch(`${api.url}/metrics`),
      fetch(`${api.url}/nowhere`),
      fetch(api.url + STATUS),
      fetch(api.url + STATUS, { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } }),
    ]);
    const limited = await ask(api);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 404, 405, 400]);
    expect(limited.status).toBe(429);
    for (const { headers } of answers) {
      expect(Object.fromEntries(headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'strict-transport-security': 'max-age=15552000',
      });
      expect(headers.get('content-security-policy')).toMatch(/default-src 'self';.*frame-ancestors 'none'/);
      expect(headers.get('content-security-policy')).not.toContain('upgrade-insecure-requests');
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });
});
