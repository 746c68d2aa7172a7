import type { ServerResponse } from 'node:http';
import { json, startHttpServer, type TestServer } from '../connectors/http-servers.ts';
import type { SigningKey } from './signing.ts';

/** A key service of a test's own, which publishes what the test says and breaks as it says. */
export interface TestKeyService extends TestServer {
  /** Publishes keys of a partner; none makes it unknown. */
  publish(partner: string, ...keys: readonly SigningKey[]): void;
  /** From now on answers so; null answers with the keys. */
  answers(answer: ((response: ServerResponse) => unknown) | null): void;
  /** Header `Cache-Control` of its answers. */
  cacheControl: string;
}

/** Starts it; it speaks as the partner management service does. */
export async function startKeyService(): Promise<TestKeyService> {
  const partners = new Map<string, readonly SigningKey[]>();
  let answer: ((response: ServerResponse) => unknown) | null = null;
  const server = await startHttpServer((request, response) => {
    if (answer) return answer(response);
    const partner = decodeURIComponent(request.path.replace('/keys/', ''));
    const keys = partners.get(partner) ?? [];
    if (keys.length === 0) return json(response, 404, { errors: [{ code: 'PM-KEY-404' }] });
    response.setHeader('cache-control', service.cacheControl);
    return json(response, 200, { partner_id: partner, keys: keys.map(({ published }) => published) });
  });
  const service: TestKeyService = {
    ...server,
    cacheControl: 'public, max-age=300',
    publish: (partner, ...keys) => partners.set(partner, keys),
    answers(given) {
      answer = given;
    },
  };
  return service;
}
