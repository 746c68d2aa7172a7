import { calculateJwkThumbprint, exportJWK, FlattenedSign, generateKeyPair, importJWK, type JWK } from 'jose';
import type { Sql } from 'postgres';

/** What a key is for. */
export interface KeyUse {
  applicationId: string;
  referenceId: string;
}

export type Algorithm = 'RS256' | 'ES256';

/** Parts of a JWS in compact serialization. */
export interface Signed {
  header: string;
  payload: string;
  signature: string;
}

/**
 * Makes a key for a use, which signs from now on. The keys that it takes over from are no longer published, unless they
 * are to be kept.
 */
export async function makeKey(sql: Sql, use: KeyUse, alg: Algorithm, keep: boolean): Promise<JWK> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const publicJwk = { ...jwk, kid, alg, use: 'sig' };
  const privateJwk = await exportJWK(privateKey);
  await sql.begin(async (tx) => {
    await tx`
      update signing_keys set published = published and ${keep}
      where application_id = ${use.applicationId} and reference_id = ${use.referenceId}`;
    await tx`
      insert into signing_keys (kid, application_id, reference_id, alg, private_jwk, public_jwk, published)
      values (${kid}, ${use.applicationId}, ${use.referenceId}, ${alg}, ${JSON.stringify(privateJwk)}::text::json,
        ${JSON.stringify(publicJwk)}::text::json, true)`;
  });
  return publicJwk;
}

/** Makes a key for a use that has none. */
export async function needKey(sql: Sql, use: KeyUse): Promise<void> {
  const [existing] = await sql`
    select from signing_keys
    where application_id = ${use.applicationId} and reference_id = ${use.referenceId} limit 1`;
  if (existing === undefined) await makeKey(sql, use, 'RS256', false);
}

/** The public keys that signatures are to be checked with. */
export async function publishedKeys(sql: Sql): Promise<{ keys: JWK[] }> {
  const rows = await sql<{ public_jwk: JWK }[]>`
    select public_jwk from signing_keys where published order by position desc`;
  return { keys: rows.map((row) => row.public_jwk) };
}

/** Signs text with the current key of a use. @returns null when the use has no key */
export async function signText(sql: Sql, use: KeyUse, text: Buffer): Promise<Signed | null> {
  const [row] = await sql<{ kid: string; alg: Algorithm; private_jwk: JWK }[]>`
    select kid, alg, private_jwk from signing_keys
    where application_id = ${use.applicationId} and reference_id = ${use.referenceId}
    order by position desc limit 1`;
  if (row === undefined) return null;
  const { kid, alg, private_jwk: jwk } = row;
  const jws = await new FlattenedSign(text).setProtectedHeader({ alg, kid }).sign(await importJWK(jwk, alg));
  return { header: jws.protected ?? '', payload: jws.payload, signature: jws.signature };
}
