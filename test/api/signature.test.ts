import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createSignatureCheck } from '../../src/api/partner/signature/check.ts';
import { KeyService } from '../../src/api/partner/signature/key-service.ts';
import { openApi, type TestApi } from '../support/api.ts';
import { movableClock } from '../support/clock.ts';
import { startKeyService, type TestKeyService } from '../support/key-service.ts';
import { envelopeFixture, messageFixture } from '../support/payloads.ts';
import { PYTHON_REQUEST } from '../support/python-request.ts';
import {
  base64url,
  makeKey,
  type SignatureChanges,
  type SigningKey,
  signDetached,
  sortedJson,
} from '../support/signing.ts';

const CREATE = '/create_disbursement_envelopes';
const PARTNER = 'PARTNER_PBMS';

const rsa = makeKey('rsa-1');
const ec = makeKey('ec-1', 'ES256');
const stranger = makeKey('rsa-1');
const weak = makeKey('weak-1', 'RS256', 1_024);

let keys: TestKeyService;
let api: TestApi;
const clock = movableClock(new Date());

beforeAll(async () => {
  keys = await startKeyService();
  keys.publish(PARTNER, rsa, ec, weak);
  keys.publish('PARTNER_OTHER', stranger);
  keys.publish(PYTHON_REQUEST.partner, {
    ...rsa,
    published: { kid: PYTHON_REQUEST.kid, algorithm: 'RS256', public_key: PYTHON_REQUEST.publicKey },
  });
  const source = new KeyService({
    apiUrl: keys.url,
    requestTimeoutMs: 2_000,
    freshMs: 300_000,
    staleMs: 3_600_000,
    missingMs: 30_000,
    cooldownMs: 10_000,
    clock,
    warn: () => {},
  });
  const signatures = createSignatureCheck({ source, algorithms: ['RS256', 'ES256'], clock });
  api = await openApi({ signatures, bodyBytesMax: 4 * 1024 * 1024 });
});
afterAll(async () => {
  await api?.close();
  await keys?.close();
});
afterEach(() => {
  api.logs.length = 0;
});

/** POSTs a body as it is, with this header. */
async function send(body: string, signature: string | readonly string[] | null, path = CREATE) {
  const headers = new Headers({ 'content-type': 'application/json' });
  for (const one of [signature ?? []].flat()) headers.append('signature', one);
  const response = await fetch(api.url + path, { method: 'POST', headers, body });
  const { response_header: header } = (await response.json()) as { response_header: Record<string, string> };
  return {
    status: response.status,
    code: header.response_error_code,
    message: header.response_error_message,
    header,
  };
}

const newBody = (changes: Record<string, unknown> = {}) =>
  JSON.stringify(messageFixture([envelopeFixture(changes)]));

/** The same members in another order. */
const reversed = (body: string) =>
  JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(body)).reverse()));

/** Sends an envelope signed so; answers what came back. */
async function signed(key: SigningKey, changes: SignatureChanges = {}) {
  const body = newBody();
  return send(body, signDetached(body, key, changes));
}

const refused = (sentence: RegExp) => ({
  status: 200,
  code: 'rjct.jwt.invalid',
  message: expect.stringMatching(sentence),
});
const taken = { status: 200, code: null };

describe('a signed request', () => {
  it.each([rsa, ec])('is taken with a key of its partner ($alg)', async (key) => {
    expect(await signed(key)).toMatchObject(taken);
  });

  it('is taken as the libraries of the Python systems make it', async () => {
    const { body, signature } = PYTHON_REQUEST;
    const answer = await send(body, signature);
    // Past the signature; it is no envelope.
    expect(answer).toMatchObject({ code: 'REQUEST_VALIDATION_ERROR', header: { request_id: 'REQ-1' } });
    expect(await send(body.replace('100.0', '100.1'), signature)).toMatchObject(
      refused(/does not fit the body/),
    );
  });

  it('is taken whatever the order of its members, spaces and escapes are', async () => {
    const { request_header: header, request_body: body } = messageFixture([envelopeFixture()]);
    const message = {
      request_body: body,
      request_header: Object.fromEntries(Object.entries(header ?? {}).reverse()),
    };
    const text = JSON.stringify(message, null, 3).replaceAll('PBMS', '\\u0050BMS');
    expect(await send(text, signDetached(JSON.stringify(message), rsa))).toMatchObject(taken);
  });

  it('is taken when its floats are written as another library writes them than the one that signed', async () => {
    const body = newBody({ benefit_program_description: '1e+16 is no number' });
    const numbers = '[1e+16,1.5e-07,1E2,0.10,12345678901234567890.10]';
    const sent = body.replace('"request_payload"', `"x":${numbers},"request_payload"`);
    const payload = sortedJson(JSON.parse(body)).replace(
      /"request_payload":(\[.*\])(?=\})/,
      '$&,"x":[1e16,1.5e-7,100.0,0.1,12345678901234567890.10]',
    );
    expect(payload).toContain('"x":');
    const signature = signDetached(body, rsa, { payload });
    expect(await send(sent, signature)).toMatchObject(taken);
    // A number says the same in both spellings, or it is another one.
    for (const other of ['1e15', '1.6e-07', '1E3', '0.11', '12345678901234567890.1']) {
      const at = ['1e15', '1.6e-07', '1E3', '0.11', '12345678901234567890.1'].indexOf(other);
      const altered = numbers.slice(1, -1).split(',').with(at, other);
      expect(await send(sent.replace(numbers, `[${altered}]`), signature)).toMatchObject(
        refused(/does not fit the body/),
      );
    }
    const { body: python, signature: theirs } = PYTHON_REQUEST;
    expect(await send(python.replace('100.0', '1e2'), theirs)).toMatchObject({
      code: 'REQUEST_VALIDATION_ERROR',
    });
    expect(await send(python.replace('100.0', '100'), theirs)).toMatchObject(
      refused(/does not fit the body/),
    );
  });

  it('is known again at another path however its floats are written', async () => {
    const body = newBody().replace('"request_payload"', '"x":100.0,"request_payload"');
    const payload = sortedJson(JSON.parse(body)).replace('"x":100', '"x":100.0');
    const signature = signDetached(body, rsa, { payload });
    expect(await send(body, signature)).toMatchObject(taken);
    expect(await send(body.replace('100.0', '1e2'), signature, '/amend_disbursement_envelope')).toMatchObject(
      refused(/was sent to \/create_disbursement_envelopes before/),
    );
  });

  it('is taken without saying what it is', async () => {
    const body = newBody();
    const headers = { signature: signDetached(body, rsa) };
    const response = await fetch(api.url + CREATE, { method: 'POST', headers, body: Buffer.from(body) });
    expect(await response.text()).toContain('"SUCCESS"');
  });

  it.each([undefined, null, ''])(
    'is taken without a kid (%j) when a key of the partner fits',
    async (kid) => {
      expect(await signed(ec, { header: { kid } })).toMatchObject(taken);
      expect(await signed(stranger, { header: { kid } })).toMatchObject(
        refused(/does not fit the body by the key of PARTNER_PBMS/),
      );
    },
  );

  it('has its partner looked up in capitals, with underscores for hyphens', async () => {
    keys.publish('PARTNER_ÄGYPTEN_1/2', rsa);
    const message = messageFixture([envelopeFixture()]);
    Object.assign(message.request_header as object, { sender_app_mnemonic: 'Ägypten-1/2' });
    const body = JSON.stringify(message);
    expect(await send(body, signDetached(body, rsa))).toMatchObject(taken);
    expect(keys.received.at(-1)?.path).toBe(`/keys/${encodeURIComponent('PARTNER_ÄGYPTEN_1/2')}`);
  });

  it('is looked at before its schema, and then as any other', async () => {
    const body = JSON.stringify(messageFixture('no list'));
    expect(await send(body, null)).toMatchObject(refused(/not signed/));
    expect(await send(body, signDetached(body, rsa))).toMatchObject({ code: 'REQUEST_VALIDATION_ERROR' });
    expect((await send('{"', signDetached('{}', rsa))).status).toBe(400);
  });
});

describe('a request is refused', () => {
  it('whose number is written in another way than was signed', async () => {
    const body = newBody({ total_disbursement_quantity: 1000 });
    const signature = signDetached(body, rsa);
    const rewritten = body.replace(
      '"total_disbursement_quantity":1000',
      '"total_disbursement_quantity":1000.0',
    );
    expect(rewritten).not.toBe(body);
    expect(await send(rewritten, signature)).toMatchObject(refused(/does not fit the body/));
  });

  it('whose body has been altered, whose signature was made for another, or over members not sorted', async () => {
    const body = newBody();
    const signature = signDetached(body, rsa);
    expect(await send(body.replace('SAFETY-NET', 'SAFETY-NOT'), signature)).toMatchObject(
      refused(/^The signature does not fit the body by the key "rsa-1" of PARTNER_PBMS; .*canonical JSON/),
    );
    expect(await send(newBody(), signature)).toMatchObject(refused(/does not fit/));
    const unsorted = signDetached(body, rsa, { payload: body });
    expect(await send(body, unsorted)).toMatchObject(refused(/does not fit/));
  });

  it.each([null, ''])('that has no signature (%j)', async (signature) => {
    expect(await send(newBody(), signature)).toMatchObject(refused(/has no header Signature/));
  });

  it('that has several', async () => {
    const body = newBody();
    const signature = signDetached(body, rsa);
    expect(await send(body, [signature, signature])).toMatchObject(refused(/must be one detached JWS/));
  });

  it.each<[string, (body: string) => string]>([
    ['words', () => 'Bearer token'],
    ['two parts', (body) => signDetached(body, rsa).replace('..', '.')],
    ['four parts', (body) => `${signDetached(body, rsa)}.e30`],
    ['its payload', (body) => signDetached(body, rsa).replace('..', `.${base64url(body)}.`)],
    ['no signature', (body) => signDetached(body, rsa).replace(/\.[^.]+$/, '.')],
    ['plain base64', (body) => `${signDetached(body, rsa)}==`],
    ['a header that is no JSON', (body) => signDetached(body, rsa).replace(/^[^.]+/, base64url('{"alg'))],
    ['a header that is a list', (body) => signDetached(body, rsa).replace(/^[^.]+/, base64url('[]'))],
  ])('whose signature has %s', async (_, make) => {
    const body = newBody();
    expect(await send(body, make(body))).toMatchObject(refused(/JWS/));
  });

  it('whose header Signature is too long', async () => {
    expect(await signed(rsa, { header: { x5c: ['A'.repeat(9_000)] } })).toMatchObject(
      refused(/at most 8192 characters/),
    );
  });

  it.each<[string, SignatureChanges]>([
    ['none', { header: { alg: 'none' } }],
    ['None', { header: { alg: 'None' } }],
    ['HMAC with a secret', { header: { alg: 'HS256' }, secret: 'secret' }],
    [
      'HMAC with the public key as the secret',
      { header: { alg: 'HS256' }, secret: String(rsa.published.public_key) },
    ],
    ['RS512', { header: { alg: 'RS512' } }],
    ['a list', { header: { alg: ['RS256'] } }],
    ['nothing', { header: { alg: undefined } }],
  ])('whose algorithm is %s', async (_, changes) => {
    expect(await signed(rsa, changes)).toMatchObject(
      refused(/algorithm of the signature must be RS256 or ES256/),
    );
  });

  it('whose alg is none and whose signature is empty', async () => {
    const header = base64url(JSON.stringify({ alg: 'none', kid: 'rsa-1' }));
    expect(await send(newBody(), `${header}..`)).toMatchObject(refused(/must be one detached JWS/));
  });

  it('whose algorithm is that of another key', async () => {
    expect(await signed(rsa, { header: { alg: 'ES256' } })).toMatchObject(
      refused(/^PARTNER_PBMS has no key "rsa-1" for ES256/),
    );
  });

  it.each([{ crit: ['exp'] }, { crit: ['b64'], b64: false }, { b64: false }, { crit: [] }])(
    'whose signature asks for an extension: %j',
    async (header) => {
      expect(await signed(rsa, { header })).toMatchObject(refused(/extension/));
    },
  );

  it.each([[7], [false], ['k'.repeat(256)], ['a\nb']])('whose kid is %j', async (kid) => {
    expect(await signed(rsa, { header: { kid } })).toMatchObject(refused(/kid of the signature/));
  });

  it('that is signed with a key nobody knows, of another partner, or that it brings along', async () => {
    expect(await signed(rsa, { header: { kid: 'rsa-9' } })).toMatchObject(
      refused(/^PARTNER_PBMS has no key "rsa-9" for RS256/),
    );
    expect(await signed(stranger)).toMatchObject(refused(/does not fit the body/));
    const { jwk } = stranger;
    expect(await signed(stranger, { header: { jwk, jku: `${keys.url}/jwks` } })).toMatchObject(
      refused(/does not fit the body/),
    );
  });

  it('that is signed with a weak key', async () => {
    expect(await signed(weak)).toMatchObject(
      refused(/^The key "weak-1" of PARTNER_PBMS has fewer than 2048 bits/),
    );
  });

  it('whose sender nobody knows, or that names none', async () => {
    const message = messageFixture([]);
    for (const sender of [`no-${randomUUID()}`, undefined, '', 7, 'a\nb', '\ud800', 'x'.repeat(256)]) {
      Object.assign(message.request_header as object, { sender_app_mnemonic: sender });
      const body = JSON.stringify(message);
      expect(await send(body, signDetached(body, rsa))).toMatchObject(
        refused(
          typeof sender === 'string' && sender.startsWith('no-') ? /has no key/ : /sender_app_mnemonic/,
        ),
      );
    }
    expect(await send('[]', signDetached('[]', rsa))).toMatchObject(refused(/sender_app_mnemonic/));
    expect(await send('null', signDetached('null', rsa))).toMatchObject(refused(/sender_app_mnemonic/));
  });

  it('that is nested too deeply', async () => {
    const message = messageFixture([]);
    const body = JSON.stringify({ ...message, x: 0 }).replace(
      '"x":0',
      `"x":${'['.repeat(300)}${']'.repeat(300)}`,
    );
    expect(await send(body, signDetached(JSON.stringify(message), rsa))).toMatchObject(
      refused(/nested more than 254 deep/),
    );
  });

  it('and nothing is written, and the log says why without the body or the signature', async () => {
    const before = await api.written();
    const body = newBody({ benefit_program_description: 'Secret-of-Almaz' });
    const signature = signDetached(body, stranger);
    const answer = await send(body, signature);
    expect(answer.header).toMatchObject({
      response_status: 'ERROR',
      request_id: JSON.parse(body).request_header.request_id,
    });
    expect(await api.written()).toEqual(before);
    const log = api.logs.join('');
    expect(log).toContain('"claimed_partner":"PARTNER_PBMS"');
    expect(log).toContain('does not fit the body');
    expect(log).not.toMatch(/Secret-of-Almaz|SAFETY-NET/);
    expect(log).not.toContain(signature.split('..')[1]);
  });

  it('that came to another path before, where the same words would do something else', async () => {
    const envelope = envelopeFixture();
    const body = JSON.stringify(messageFixture([envelope]));
    const signature = signDetached(body, rsa);
    expect(await send(body, signature)).toMatchObject(taken);
    expect(await send(body, signature, '/cancel_disbursement_envelope')).toMatchObject(
      refused(/was sent to \/create_disbursement_envelopes before/),
    );
    // Nor in another layout that the signature fits as well.
    for (const laidOut of [` ${body}`, JSON.stringify(JSON.parse(body), null, 2), reversed(body)]) {
      expect(await send(laidOut, signature, '/cancel_disbursement_envelope')).toMatchObject(
        refused(/was sent to \/create_disbursement_envelopes before/),
      );
    }
    expect(await send(body, signature)).toMatchObject(taken);
    const cancel = JSON.stringify(messageFixture([{ id: envelope.id }]));
    expect(await send(cancel, signDetached(cancel, rsa), '/cancel_disbursement_envelope')).toMatchObject(
      taken,
    );
  });

  it('on every operation', async () => {
    for (const path of [
      '/create_disbursements',
      '/amend_disbursement_envelope',
      '/cancel_disbursement_envelope',
      '/cancel_disbursements',
      '/get_disbursement_status',
      '/get_disbursement_envelope_status',
      '/get_disbursement_batch_control',
    ]) {
      expect(await send(newBody(), null, path)).toMatchObject(refused(/not signed/));
    }
    expect((await fetch(`${api.url}/ping`)).status).toBe(200);
  });
});

it('a key counts from its first to its last day', async () => {
  const day = (days: number) =>
    new Date(clock.now().getTime() + days * 86_400_000).toISOString().slice(0, 19);
  const dated = (kid: string, from: string | null, to: string | null): SigningKey => {
    const key = makeKey(kid, 'ES256');
    return { ...key, published: { ...key.published, not_before: from, not_after: to } };
  };
  const [past, now, future] = [
    dated('a', null, day(-1)),
    dated('b', day(-1), day(1)),
    dated('c', day(1), null),
  ];
  keys.publish(PARTNER, past, now, future);
  clock.advance(400_000);
  expect(await signed(past)).toMatchObject(refused(/^The key "a" of PARTNER_PBMS is not valid today/));
  expect(await signed(now)).toMatchObject(taken);
  expect(await signed(future)).toMatchObject(refused(/not valid today/));
  clock.advance(25 * 3_600_000);
  expect(await signed(now)).toMatchObject(refused(/not valid today/));
  expect(await signed(future)).toMatchObject(taken);
});
