import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApi, type TestApi } from '../support/api.ts';
import { type Documented, type Json, readDocument, resolve } from '../support/documented.ts';
import { disbursementFixture, envelopeFixture, messageFixture } from '../support/payloads.ts';

const STRING_FIELDS_OF_AN_OPERATION = ['operationId', 'summary'];
const OPERATION_FIELDS = [...STRING_FIELDS_OF_AN_OPERATION, 'tags', 'security', 'requestBody', 'responses'];

/** Every place of a document, with the way to it. */
function* places(value: Json, way = '#'): Generator<[way: string, value: Json]> {
  yield [way, value];
  if (value === null || typeof value !== 'object') return;
  for (const [key, member] of Object.entries(value)) {
    yield* places(member, `${way}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
}

const operationsOf = (document: Json): [path: string, method: string, operation: Json][] =>
  Object.entries<Json>(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([key]) => key !== 'servers')
      .map(([method, operation]): [string, string, Json] => [path, method, operation]),
  );

const read = async (url: string): Promise<Json> => (await fetch(url)).json();

const PORTAL = {
  issuer: 'http://127.0.0.1:9',
  jwksUrl: 'http://127.0.0.1:9/jwks',
  audiences: [],
  beneficiaryIdClaim: 'sub',
} as Json;

describe('the published document', () => {
  let api: TestApi;
  let document: Json;
  let documented: Documented;
  beforeAll(async () => {
    api = await openApi({ rootPath: '/bridge/v1', metrics: async () => '', portal: PORTAL });
    documented = await readDocument(`${api.url}/bridge/v1`);
    document = documented.document;
  });
  afterAll(() => api.close());

  it('says what OpenAPI 3.1 asks of a document', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: expect.any(String), version: expect.stringMatching(/^\d/) });
    expect(Object.keys(document).sort()).toEqual(
      ['components', 'info', 'openapi', 'paths', 'servers', 'tags'].sort(),
    );
    const tags = new Set(document.tags.map(({ name }: { name: string }) => name));
    const ids = new Set<string>();
    for (const [path, method, operation] of operationsOf(document)) {
      expect(path).toMatch(/^\/[\w/]+$/);
      expect(['get', 'post']).toContain(method);
      for (const key of Object.keys(operation)) expect(OPERATION_FIELDS).toContain(key);
      for (const key of STRING_FIELDS_OF_AN_OPERATION)
        expect(operation[key], path).toEqual(expect.any(String));
      expect(ids, operation.operationId).not.toContain(operation.operationId);
      ids.add(operation.operationId);
      for (const tag of operation.tags) expect(tags).toContain(tag);
      for (const [status, given] of Object.entries<Json>(operation.responses)) {
        expect(status).toMatch(/^[2-5]\d\d$/);
        const response = given.$ref ? resolve(document, given.$ref) : given;
        expect(response.description, `${path} ${status}`).toEqual(expect.any(String));
        for (const media of Object.values<Json>(response.content)) expect(media.schema).toBeTypeOf('object');
      }
      for (const proof of operation.security ?? [])
        for (const [name, scopes] of Object.entries(proof)) {
          expect(document.components.securitySchemes).toHaveProperty(name);
          expect(scopes).toEqual([]);
        }
    }
    for (const scheme of Object.values<Json>(document.components.securitySchemes)) {
      const needed = { apiKey: ['in', 'name'], http: ['scheme'] }[scheme.type as 'apiKey' | 'http'];
      expect(Object.keys(scheme)).toEqual(expect.arrayContaining(needed));
    }
    for (const kind of Object.values<Json>(document.components))
      for (const name of Object.keys(kind)) expect(name).toMatch(/^[\w.-]+$/);
  });

  it('has everything that it refers to, and needs nothing that it has not', () => {
    const refs = [...places(document)].filter(([way]) => way.endsWith('/$ref')).map(([, ref]) => ref);
    expect(refs.length).toBeGreaterThan(50);
    for (const ref of refs) expect(resolve(document, ref), ref).toBeTypeOf('object');
    for (const [way, value] of places(document)) {
      if (!way.endsWith('/required') || !Array.isArray(value)) continue;
      expect(value.length, way).toBeGreaterThan(0);
      expect(Object.keys(resolve(document, way.slice(0, -'/required'.length)).properties)).toEqual(
        expect.arrayContaining(value),
      );
    }
  });

  it('has schemas that are JSON Schema 2020-12', () => {
    const ajv = new Ajv2020();
    const names = Object.keys(document.components.schemas);
    expect(names.length).toBeGreaterThan(15);
    for (const name of names) {
      expect(ajv.validateSchema(document.components.schemas[name]), name).toBe(true);
      expect(documented.component(name), name).toBeTypeOf('function');
    }
  });

  it('has every path that the server has, with its methods, and no other', () => {
    const served = api.app
      .printRoutes({ commonPrefix: false })
      .split('\n')
      .flatMap((line) => {
        const [, path = '', methods = ''] = /(\/[^ ]*) \(([A-Z, ]+)\)/.exec(line) ?? [];
        return methods.split(', ').flatMap((method) => (path && method ? [`${method} ${path}`] : []));
      })
      .filter((route) => !/^(HEAD|OPTIONS) /.test(route) && !/\/(docs(\/\*)?|openapi\.json)$/.test(route));
    const published = operationsOf(document).map(([path, method]) => {
      const root = document.paths[path].servers?.[0].url ?? document.servers[0].url;
      return `${method.toUpperCase()} ${root === '/' ? '' : root}${path}`;
    });
    expect(published.sort()).toEqual(served.sort());
  });

  it('says of every list, text and number how much it may be', () => {
    for (const [name, schema] of Object.entries<Json>(document.components.schemas)) {
      if (!/(Request|Payload|Header)$/.test(name)) continue;
      for (const [way, value] of places(schema)) {
        if (value?.type === 'array') expect(value.maxItems, name + way).toBeGreaterThan(0);
        if (value?.type === 'string' && !value.enum && !value.format)
          expect(value.maxLength, name + way).toBeGreaterThan(0);
        if (value?.type === 'integer') expect(value.maximum, name + way).toBeGreaterThan(0);
      }
    }
  });

  it('takes and refuses the same requests as the server', async () => {
    const asked: [path: string, payload: Json, body?: Json][] = [
      ['/create_disbursement_envelopes', [envelopeFixture()]],
      [
        '/create_disbursements',
        [disbursementFixture('ENV-nobody')],
        { disbursement_batch_control_id: 'B-1' },
      ],
      ['/get_disbursement_status', ['D-1']],
      ['/get_disbursement_envelope_status', 'ENV-1'],
    ];
    const values = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        undefined,
        '',
        ' ',
        'x',
        'x'.repeat(70),
        'x'.repeat(300),
        '\u0000',
        '\ud800',
      ),
      fc.constantFrom<unknown>(
        0,
        -1,
        1.5,
        2 ** 31,
        2 ** 53,
        1e20,
        1e19,
        '1e5',
        '0012.500',
        '1'.repeat(21),
        '-0',
      ),
      fc.constantFrom<unknown>(
        '2026-02-30',
        '2026-02-28',
        '2026-02-28T10:00:00Z',
        'Monthly',
        [],
        {},
        [1],
        true,
      ),
      fc.constantFrom<unknown>(
        'A\nB',
        'Ünïcödé 😀',
        'no-space',
        'with space',
        '-x',
        '0.0000001',
        '1.50',
        '.5',
      ),
    );
    const change = fc.tuple(fc.constantFrom(...asked), fc.array(fc.nat(30), { maxLength: 4 }), values);
    await fc.assert(
      fc.asyncProperty(change, async ([[path, payload, body], steps, value]) => {
        // Of its own: what one case changes, the next must not meet.
        const message: Json = structuredClone(messageFixture(payload, body));
        let place = message;
        let last = 'request_body';
        for (const step of steps) {
          if (place[last] === null || typeof place[last] !== 'object') break;
          place = place[last];
          last = Object.keys(place)[step % Math.max(1, Object.keys(place).length)] ?? 'extra';
        }
        place[last] = structuredClone(value);
        // As it arrives.
        const sent = JSON.parse(JSON.stringify(message));
        const name = resolve(document, `#/paths/${path.replaceAll('/', '~1')}/post`).requestBody.content[
          'application/json'
        ].schema.$ref.replace('#/components/schemas/', '');
        const reply = await api.post(path, JSON.stringify(sent));
        const refusedBySchema =
          reply.header.response_error_code === 'REQUEST_VALIDATION_ERROR' &&
          !reply.header.response_error_message?.includes('at least one item');
        const check = documented.component(name);
        expect(check(sent), `${reply.text} ${JSON.stringify(check.errors)}`).toBe(!refusedBySchema);
      }),
      { numRuns: 400 },
    );
  });

  it('is at the root of the API and says where that is', async () => {
    expect(document.servers).toEqual([{ url: '/bridge/v1' }]);
    expect((await fetch(`${api.url}/openapi.json`)).status).toBe(404);
  });

  it('says what callers have to prove', async () => {
    const proofs = (path: string) => document.paths[path].post.security;
    expect(document.components.securitySchemes.signature).toMatchObject({ in: 'header', name: 'Signature' });
    expect(proofs('/create_disbursements')).toEqual([{ signature: [] }, {}]);
    expect(proofs('/upload_mt940')).toEqual([{ token: [] }, {}]);
    expect(proofs('/disbursement/get_all_disbursements')).toEqual([{ token: [] }]);
    const guarded = await openApi({ uploadToken: 'secret' });
    try {
      const { paths } = await read(`${guarded.url}/openapi.json`);
      expect(paths['/upload_mt940'].post.security).toEqual([{ token: [] }]);
      expect(paths).not.toHaveProperty('/disbursement/get_all_disbursements');
    } finally {
      await guarded.close();
    }
  });

  describe('can be read at /docs', () => {
    const page = (path: string) => fetch(`${api.url}/bridge/v1/docs${path}`);

    it('with files of our own only', async () => {
      for (const path of ['', '/']) {
        const response = await page(path);
        expect(response.status).toBe(200);
        expect(response.headers.get('content-type')).toContain('text/html');
        const html = await response.text();
        const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
        expect(files.length).toBeGreaterThan(4);
        expect(html.replaceAll(/<script src="[^"]+"[^>]*> <\/script>/g, '')).not.toContain('<script');
        for (const file of files) {
          const url = new URL(file, `${api.url}/bridge/v1/docs${path}`);
          expect(url.origin).toBe(api.url);
          expect((await fetch(url)).status, url.href).toBe(200);
        }
      }
    });

    it('shows this document', async () => {
      expect(await (await page('/json')).json()).toEqual(document);
    });

    it('may load nothing from elsewhere', async () => {
      const policy = (await page('/')).headers.get('content-security-policy');
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).not.toMatch(/https?:|upgrade-insecure/);
    });

    it('and nothing else is below it', async () => {
      for (const path of [
        '/static/../../package.json',
        '/static/%2e%2e/index.js',
        '/nothing',
        '/static/nothing',
      ]) {
        const response = await page(path);
        expect(response.status, path).toBe(404);
        expect(await response.json()).toMatchObject({
          response_header: { response_error_code: 'PATH_NOT_FOUND' },
        });
      }
    });
  });
});
