import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { type Simulator, startSpar } from '../support/simulators.ts';
import { get, post } from './fixtures.ts';

let database: TestDatabase;
let spar: Simulator;

beforeAll(async () => {
  database = await createDatabase('spar');
  spar = await startSpar({ databaseUrl: database.url });
});

afterAll(async () => {
  await spar.stop();
  await database.drop();
});

afterEach(async () => {
  await post(spar.url, '/_admin/reset', {});
});

const timestamp = '2025-01-31T10:00:00Z';

function envelope(payload: object): object {
  return {
    request_header: {
      sender_app_mnemonic: 'g2p_bridge',
      sender_app_url: 'https://bridge.example',
      request_id: 'request-1',
      request_timestamp: timestamp,
      instance_id: null,
    },
    request_body: { pagination_request: null, request_payload: payload },
  };
}

type Items = Record<string, unknown>[];

async function send(name: 'link' | 'unlink' | 'resolve', items: Items): Promise<Items> {
  const payload = { transaction_id: 'transaction-1', [`${name}_request`]: items };
  const answer = await post(spar.url, `/${name}`, envelope(payload));
  expect(answer).toMatchObject({
    status: 200,
    body: {
      response_header: { request_id: 'request-1', response_status: 'SUCCESS', response_error_code: null },
      response_body: { pagination_response: null, response_payload: { transaction_id: 'transaction-1' } },
    },
  });
  const body = answer.body.response_body as { response_payload: Record<string, Items> };
  return body.response_payload[`${name}_response`] ?? [];
}

const resolveItem = (id: string) => ({
  reference_id: `r-${id}`,
  timestamp,
  id,
  fa: '',
  scope: 'details',
  locale: 'eng',
});
const linkItem = (id: string, fa: object) => ({
  reference_id: `r-${id}`,
  timestamp,
  id,
  fa: { strategy_id: 1, ...fa },
  name: 'Asha',
  additional_info: [],
  locale: 'eng',
});
const bankAddress = { fa_type: 'BANK', account_number: '0098', branch_code: 'B1', bank_code: 'FAR' };

/** The patterns by which address strings are taken apart unless configured otherwise. */
const patterns = {
  BANK: /^account_number:(?<account_number>.*)\.branch_code:(?<branch_code>.*)\.bank_code:(?<bank_code>.*)\.mobile_number:(?<mobile_number>.*)\.email_address:(?<email_address>.*)\.fa_type:(?<fa_type>.*)$/,
  MOBILE_WALLET:
    /^mobile_number:(?<mobile_number>.*)\.wallet_provider_name:(?<wallet_provider_name>.*)\.wallet_provider_code:(?<wallet_provider_code>.*)\.fa_type:(?<fa_type>.*)$/,
  EMAIL_WALLET:
    /^email_address:(?<email_address>.*)\.wallet_provider_name:(?<wallet_provider_name>.*)\.wallet_provider_code:(?<wallet_provider_code>.*)\.fa_type:(?<fa_type>.*)$/,
};

describe('an address', () => {
  it.each([
    [
      'BANK' as const,
      {
        account_number: '0098',
        branch_code: 'B1',
        bank_code: 'FAR',
        mobile_number: '',
        email_address: 'a.b@c.example',
      },
      'BANK_ACCOUNT',
      { name: 'FAR', code: 'FAR' },
    ],
    [
      'MOBILE_WALLET' as const,
      { mobile_number: '+255700', wallet_provider_name: 'Pesa Ltd.', wallet_provider_code: 'PESA' },
      'MOBILE_WALLET',
      { name: 'Pesa Ltd.', code: 'PESA' },
    ],
    [
      'EMAIL_WALLET' as const,
      { email_address: 'asha@mail.example', wallet_provider_name: 'Mail Pay', wallet_provider_code: 'MP' },
      'EMAIL_WALLET',
      { name: 'Mail Pay', code: 'MP' },
    ],
  ])(
    'of type %s is linked, resolved and taken apart, and unlinked',
    async (type, parts, stringType, provider) => {
      const [linked] = await send('link', [linkItem('B-1', { fa_type: type, ...parts })]);
      expect(linked).toMatchObject({ reference_id: 'r-B-1', id: 'B-1', status: 'succ' });
      const [resolved] = await send('resolve', [resolveItem('B-1')]);
      expect(resolved).toMatchObject({
        reference_id: 'r-B-1',
        status: 'succ',
        account_provider_info: provider,
      });
      expect(patterns[type].exec(String(resolved?.fa))?.groups).toEqual({ ...parts, fa_type: stringType });
      const [unlinked] = await send('unlink', [{ reference_id: 'r1', timestamp, id: 'B-1' }]);
      expect(unlinked).toMatchObject({ status: 'succ', fa: resolved?.fa });
      expect(await send('resolve', [resolveItem('B-1')])).toMatchObject([
        {
          reference_id: 'r-B-1',
          id: 'B-1',
          fa: null,
          status: 'rjct',
          status_reason_code: 'rjct.id.not_found',
          account_provider_info: null,
        },
      ]);
    },
  );

  it('that is linked stays when another comes, and the same one again is a success', async () => {
    await send('link', [linkItem('B-1', bankAddress)]);
    const answers = await send('link', [
      linkItem('B-1', bankAddress),
      linkItem('B-1', { ...bankAddress, account_number: '7' }),
      linkItem('B-2', { fa_type: 'BANK', branch_code: 'B1', bank_code: 'FAR' }),
    ]);
    expect(answers.map((item) => [item.status, item.status_reason_code])).toEqual([
      ['succ', 'succ.id.active'],
      ['rjct', 'rjct.id.already_linked'],
      ['rjct', 'rjct.fa.invalid'],
    ]);
    expect(await send('unlink', [{ reference_id: 'r', timestamp, id: 'B-2' }])).toMatchObject([
      { status: 'rjct', status_reason_code: 'rjct.id.not_found' },
    ]);
  });

  it('survives the process', async () => {
    await send('link', [linkItem('B-1', bankAddress)]);
    await spar.kill();
    spar = await startSpar({ databaseUrl: database.url });
    expect(await send('resolve', [resolveItem('B-1')])).toMatchObject([{ status: 'succ' }]);
  });
});

describe('many links', () => {
  it('are written at once, the last for an id counting, and resolved in the order asked', async () => {
    const links = Array.from({ length: 20_000 }, (_, index) => ({
      id: `B-${index}`,
      fa_type: 'BANK',
      account_number: `${index}`,
      bank_code: 'FAR',
    }));
    const written = await post(spar.url, '/_admin/links', [...links, { ...links[5], account_number: 'new' }]);
    expect(written).toEqual({ status: 200, body: { status: 'success', links: 20_001 } });
    const ids = ['B-19999', 'B-5', 'nobody', 'B-19999', 'B-0'];
    const answers = await send('resolve', ids.map(resolveItem));
    expect(answers.map((item) => [item.id, /^account_number:(\w+)\./.exec(String(item.fa))?.[1]])).toEqual([
      ['B-19999', '19999'],
      ['B-5', 'new'],
      ['nobody', undefined],
      ['B-19999', '19999'],
      ['B-0', '0'],
    ]);
  });
});

describe('a request that is not as it should be', () => {
  const good = { transaction_id: 't', resolve_request: [resolveItem('B-1')] };
  const badLink = (fa: object) => ({ transaction_id: 't', link_request: [linkItem('B-1', fa)] });

  it.each([
    ['/resolve', { ...good, extra: 1 }, 'request_body.request_payload.extra: is an unknown field'],
    [
      '/resolve',
      { ...good, resolve_request: [resolveItem('B-1'), { ...resolveItem('B-2'), scope: 'all' }] },
      'request_body.request_payload.resolve_request[1].scope: ',
    ],
    ['/resolve', { transaction_id: 't' }, 'request_body.request_payload.resolve_request: must be a list'],
    [
      '/link',
      badLink({ ...bankAddress, fa_type: 'CASH' }),
      'request_body.request_payload.link_request[0].fa.fa_type: ',
    ],
    [
      '/link',
      badLink({ ...bankAddress, branch_code: 'x.bank_code:EVIL' }),
      'request_body.request_payload.link_request[0].fa.branch_code: may not look like',
    ],
    [
      '/unlink',
      { transaction_id: 't', unlink_request: [{ reference_id: 'r', timestamp, id: 5 }] },
      'request_body.request_payload.unlink_request[0].id: ',
    ],
  ])('to %s is an ERROR envelope that names the field', async (path, payload, problem) => {
    const answer = await post(spar.url, path, envelope(payload));
    expect(answer).toMatchObject({
      status: 200,
      body: {
        response_header: {
          request_id: 'request-1',
          response_status: 'ERROR',
          response_error_code: 'REQUEST_VALIDATION_ERROR',
        },
        response_body: { response_payload: null },
      },
    });
    const { response_error_message: message } = answer.body.response_header as Record<string, unknown>;
    expect(String(message).slice(0, problem.length)).toBe(problem);
  });

  it('because it has no envelope or is not JSON, is told so', async () => {
    expect((await post(spar.url, '/resolve', good)).body.response_header).toMatchObject({
      request_id: '',
      response_status: 'ERROR',
    });
    expect((await post(spar.url, '/resolve', '{')).status).toBe(400);
  });
});

describe('faults', () => {
  it('refuse every item, or come after the effect', async () => {
    await post(spar.url, '/_control', {
      faults: [
        { path: '/resolve', kind: 'refuse', count: 1 },
        { path: '/link', kind: 'error_after', count: 1 },
      ],
    });
    const lost = { transaction_id: 't', link_request: [linkItem('B-1', bankAddress)] };
    expect((await post(spar.url, '/link', envelope(lost))).status).toBe(500);
    expect(await send('resolve', [resolveItem('B-1')])).toMatchObject([{ status: 'rjct', fa: null }]);
    expect(await send('resolve', [resolveItem('B-1')])).toMatchObject([{ status: 'succ' }]);
    expect((await get(spar.url, '/_admin/stats')).body).toMatchObject({
      requests: { '/resolve': expect.any(Number) },
      faults: [{ fired: 1 }, { fired: 1 }],
    });
  });
});
