import { createHash } from 'node:crypto';
import type { Clock } from '../../../runtime/clock.ts';
import { CanonicalJsonError, canonicalJson, type FloatSpelling } from './canonical-json.ts';
import { type DetachedJws, isSignedBy, readDetachedJws } from './detached-jws.ts';
import { SignatureUncheckedRefusal, signatureInvalid } from './invalid.ts';
import { type KeySource, KeysUnavailableError, partnerOf } from './key-source.ts';
import type { PartnerKey, PartnerKeys, SignatureAlgorithm } from './partner-key.ts';

/** Checks who a request is from. */
export interface SignatureCheck {
  /**
   * Passes a request that its sender has signed.
   *
   * @returns SHA-256 (hexadecimal) of the very bytes that the signature is over: the same for every layout of the body that
   *   the signature fits, so that a request is known again however it is laid out
   * @throws Refusal `rjct.jwt.invalid` saying what is wrong; SignatureUncheckedRefusal when nobody can say now
   */
  verify(input: {
    /** The header `Signature`. */
    readonly signature: string | undefined;
    /** The body as it came; JSON. */
    readonly body: Buffer;
    /** `sender_app_mnemonic`, null when the body has none. */
    readonly sender: string | null;
  }): Promise<string>;
  /** Closes what the check holds open. */
  close(): Promise<void>;
}

export interface SignatureCheckOptions {
  readonly source: KeySource;
  /** Algorithms that are accepted. */
  readonly algorithms: readonly SignatureAlgorithm[];
  readonly clock: Clock;
}

/** Creates the check. */
export function createSignatureCheck({ source, algorithms, clock }: SignatureCheckOptions): SignatureCheck {
  return {
    async verify({ signature, body, sender }) {
      const jws = readDetachedJws(signature, algorithms);
      const partner = partnerOf(sender);
      if (partner === null) {
        throw signatureInvalid('request_header.sender_app_mnemonic must name who has signed the request.');
      }
      const published = await keysOf(source, partner, jws.kid);
      const keys = candidates(published, jws, partner, clock.now());
      const fits = async (payload: Buffer) => {
        for (const key of keys) if (await isSignedBy(jws, payload, key)) return true;
        return false;
      };
      const asWritten = canonical(body, 'as written');
      if (await fits(asWritten)) return sha256(asWritten);
      // What was signed may have been written by another library than what was sent.
      const respelled = canonical(body, 'orjson');
      if (!respelled.equals(asWritten) && (await fits(respelled))) return sha256(respelled);
      throw signatureInvalid(
        `The signature does not fit the body by ${keyName(jws.kid, partner)}; it is made over the canonical JSON of the body.`,
      );
    },
    close: () => source.close(),
  };
}

async function keysOf(source: KeySource, partner: string, kid: string | null): Promise<PartnerKeys> {
  try {
    return await source.keysOf(partner, kid);
  } catch (error) {
    if (!(error instanceof KeysUnavailableError)) throw error;
    throw new SignatureUncheckedRefusal(
      `The keys of ${partner} cannot be had at the moment; send the request again later.`,
    );
  }
}

/** @throws Refusal when no key can have made the signature; the same for a partner nobody knows */
function candidates(
  published: PartnerKeys,
  jws: DetachedJws,
  partner: string,
  at: Date,
): readonly PartnerKey[] {
  const isNamed = ({ kid }: { readonly kid: string | null }) =>
    jws.kid === null || kid === null || kid === jws.kid;
  const now = at.getTime();
  const named = published.keys.filter((key) => isNamed(key) && key.alg === jws.alg);
  const keys = named.filter(({ notBeforeMs, notAfterMs }) => notBeforeMs <= now && now <= notAfterMs);
  if (keys.length > 0) return keys;
  if (named.length > 0)
    throw signatureInvalid(`${upperFirst(keyName(jws.kid, partner))} is not valid today.`);
  const unusable = published.unusable.find(isNamed);
  if (unusable) throw signatureInvalid(`${upperFirst(keyName(unusable.kid, partner))} ${unusable.why}.`);
  throw signatureInvalid(`${partner} has no key${jws.kid === null ? '' : ` "${jws.kid}"`} for ${jws.alg}.`);
}

const keyName = (kid: string | null, partner: string): string =>
  kid === null ? `the key of ${partner}` : `the key "${kid}" of ${partner}`;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const upperFirst = (sentence: string): string => sentence.charAt(0).toUpperCase() + sentence.slice(1);

function canonical(body: Buffer, floats: FloatSpelling): Buffer {
  try {
    return canonicalJson(body, floats);
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error;
    throw signatureInvalid(error.message);
  }
}
