import { z } from 'zod';
import type { ProviderSettings } from './settings.ts';

/** A key set and a discovery document have a few kilobytes. */
const DOCUMENT_BYTES_MAX = 1_048_576;

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

/**
 * Fetches the provider's key set, from where the settings or else its discovery document say.
 *
 * @param signal ends the fetch
 * @returns an answer with a body within bounds; its status may be any
 * @throws Error when there is no answer, when it is too large, or when the discovery document is not the issuer's
 */
export async function fetchKeys(settings: ProviderSettings, signal: AbortSignal): Promise<Response> {
  return fetchBounded(settings.jwksUrl ?? (await discoveredUrl(settings.issuer, signal)), signal);
}

/** OpenID Connect Discovery 1.0, sections 4.1 and 4.3: the document must name the issuer that it was asked of. */
async function discoveredUrl(issuer: string, signal: AbortSignal): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetchBounded(url, signal);
  if (response.status !== 200) throw new Error(`${url} was answered ${response.status}.`);
  const parsed = discoverySchema.safeParse(await response.json());
  if (!parsed.success) throw new Error(`${url} has no discovery document.`);
  if (parsed.data.issuer !== issuer) throw new Error(`${url} is of another issuer.`);
  if (issuer.startsWith('https:') && !parsed.data.jwks_uri.startsWith('https:')) {
    throw new Error(`${url} names keys that are not behind https.`);
  }
  return parsed.data.jwks_uri;
}

async function fetchBounded(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, {
    signal,
    redirect: 'manual',
    headers: { accept: 'application/json, application/jwk-set+json' },
  });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > DOCUMENT_BYTES_MAX) throw new Error(`${url} has more than ${DOCUMENT_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  // An answer without a body must not be given one, not even an empty one.
  const body = bytes === 0 ? null : Buffer.concat(chunks);
  return new Response(body, { status: response.status });
}
