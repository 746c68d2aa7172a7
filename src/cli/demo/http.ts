import { Client } from 'undici';

const TIMEOUT_MS = 60_000;

/** Talks to a simulator: posts JSON, or gets when there is no body. @throws Error when it does not answer with 2xx */
export async function post(url: string, path: string, body?: unknown): Promise<unknown> {
  const client = new Client(url, { headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
  try {
    const response = await client.request({
      path,
      method: body === undefined ? 'GET' : 'POST',
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.body.text();
    if (response.statusCode >= 300)
      throw new Error(`${path} answered ${response.statusCode}: ${text.slice(0, 200)}`);
    return JSON.parse(text);
  } finally {
    await client.close();
  }
}
