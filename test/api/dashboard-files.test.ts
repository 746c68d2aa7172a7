import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOperatorApi, type TestOperatorApi } from '../support/operators.ts';

const PAGE =
  '<!doctype html><title>G2P Bridge</title><script type="module" src="./assets/app-1a2b.js"></script>';
const SCRIPT = `console.log('${'live '.repeat(500)}');`;

interface Raw {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** What a browser gets: as it came, not decompressed, the path as it is written. */
function get(url: string, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { path, headers, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

let dir: string;
let api: TestOperatorApi;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dashboard-'));
  await mkdir(join(dir, 'assets'));
  await writeFile(join(dir, 'index.html'), PAGE);
  await writeFile(join(dir, 'secret.txt'), 'not for browsers');
  await writeFile(join(dir, 'assets/app-1a2b.js'), SCRIPT);
  await writeFile(join(dir, 'assets/app-1a2b.js.br'), brotliCompressSync(SCRIPT));
  await writeFile(join(dir, 'assets/app-1a2b.js.gz'), gzipSync(SCRIPT));
  await writeFile(join(dir, 'assets/app-3c4d.css'), 'body { margin: 0 }');
  api = await openOperatorApi({ dashboardDir: dir });
});

afterAll(async () => {
  await api.close();
  await rm(dir, { recursive: true });
});

describe('the page', () => {
  it('is answered to everybody, to be asked for anew every time', async () => {
    const answer = await get(api.url, '/');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^text\/html/);
    expect(answer.headers['cache-control']).toBe('no-cache');
    expect(answer.body.toString()).toBe(PAGE);
  });

  it('costs a few bytes when it has not changed', async () => {
    const { headers } = await get(api.url, '/');
    const again = await get(api.url, '/', { 'if-none-match': String(headers.etag) });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  it('may run scripts of its own files only, and be shown in no frame', async () => {
    const { headers } = await get(api.url, '/');
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
  });

  it('may ask the identity provider, and show the inspector, of the configuration', async () => {
    const other = await openOperatorApi({
      dashboardDir: dir,
      settings: { inspector_url: 'https://inspector.example.org/inspect' },
      access: () => ({ ...api.access, connectOrigins: ['https://id.example.org'] }),
    });
    try {
      const { headers } = await get(other.url, '/');
      const policy = String(headers['content-security-policy']).split('; ');
      expect(policy).toContain("connect-src 'self' https://id.example.org");
      expect(policy).toContain('frame-src https://inspector.example.org');
    } finally {
      await other.close();
    }
  });
});

describe('a file of the page', () => {
  it('is kept by browsers for good', async () => {
    const answer = await get(api.url, '/assets/app-3c4d.css');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^text\/css/);
    expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  it.each([
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
  ])('comes compressed for who accepts %s', async (accepted, encoding, decompress) => {
    const answer = await get(api.url, '/assets/app-1a2b.js', { 'accept-encoding': accepted });
    expect(answer.headers['content-encoding']).toBe(encoding);
    expect(answer.headers['content-type']).toMatch(/javascript/);
    expect(answer.headers.vary).toMatch(/accept-encoding/i);
    expect(decompress(answer.body).toString()).toBe(SCRIPT);
  });

  it('comes as it is for who accepts nothing else', async () => {
    const answer = await get(api.url, '/assets/app-1a2b.js');
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.body.toString()).toBe(SCRIPT);
  });

  it.each([
    '/assets/none-0000.js',
    '/assets/',
    '/assets',
    '/assets/..%2fsecret.txt',
    '/assets/%2e%2e/secret.txt',
    '/assets/..%5csecret.txt',
    '/assets/.hidden',
    '/assets/%00',
    '/secret.txt',
    '/index.html',
  ])('is nothing else of the folder: %s', async (path) => {
    const answer = await get(api.url, path);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body.toString()).response_header.response_error_code).toBe('PATH_NOT_FOUND');
  });
});

describe('the paths around it', () => {
  it('are what they were: unknown ones, and those of the API', async () => {
    expect((await get(api.url, '/nothing/here')).status).toBe(404);
    expect((await get(api.url, '/ping')).status).toBe(200);
    expect((await get(api.url, '/openapi.json')).headers['content-type']).toMatch(/json/);
    expect((await get(api.url, '/operator/access')).headers['content-security-policy']).toBeDefined();
  });

  it('take no other method', async () => {
    const answer = await get(api.url, '/', {}, 'POST');
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('GET, HEAD');
    expect(JSON.parse(answer.body.toString()).response_header.response_error_code).toBe('METHOD_NOT_ALLOWED');
  });
});

describe('under a root path', () => {
  it('leads to the folder that the page asks for its files in', async () => {
    const other = await openOperatorApi({ dashboardDir: dir, rootPath: '/benefits/bridge' });
    try {
      const bare = await get(other.url, '/benefits/bridge?state=1');
      expect([bare.status, bare.headers.location]).toEqual([308, 'bridge/?state=1']);
      expect(new URL('bridge/', `${other.url}/benefits/bridge`).pathname).toBe('/benefits/bridge/');
      expect((await get(other.url, '/benefits/bridge/')).body.toString()).toBe(PAGE);
      expect((await get(other.url, '/benefits/bridge/assets/app-3c4d.css')).status).toBe(200);
      expect((await get(other.url, '/')).status).toBe(404);
    } finally {
      await other.close();
    }
  });
});

describe('a dashboard that has not been built', () => {
  it('says how to build it, and is there as soon as it is', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'dashboard-'));
    const other = await openOperatorApi({ dashboardDir: join(empty, 'dashboard') });
    try {
      const before = await get(other.url, '/');
      expect(before.status).toBe(503);
      expect(before.headers['content-type']).toMatch(/^text\/html/);
      expect(before.body.toString()).toContain('npm run build');
      expect((await get(other.url, '/assets/app-1a2b.js')).status).toBe(404);
      await mkdir(join(empty, 'dashboard'));
      await writeFile(join(empty, 'dashboard/index.html'), PAGE);
      expect((await get(other.url, '/')).body.toString()).toBe(PAGE);
    } finally {
      await other.close();
      await rm(empty, { recursive: true });
    }
  });
});
