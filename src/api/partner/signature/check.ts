import type { Clock } from '../../../runtime/clock.ts';
import { CanonicalJsonError, canonicalJson } from './canonical-json.ts';
import { type DetachedJws, isSignedBy, readDetachedJws } from './detached-jws.ts';
import { signatureInvalid } from './invalid.ts';
import { type KeySource, KeysUnavailableError, partnerOf } from './key-source.ts';
import type { PartnerKey, PartnerKeys, SignatureAlgorithm } from './partner-key.ts';

/** Checks who a request is from. */
export interface SignatureCheck {
  /**
   * Passes a request that its sender has signed.
   *
   * @throws Refusal `rjct.jwt.invalid` saying what is wrong
   */
  verify(input: {
    /** The header `Signature`. */
    readonly signature: string | undefined;
    /** The body as it came; JSON. */
    readonly body: Buffer;
    /** `sender_app_mnemonic`, null when the body has none. */
    readonly sender: string | null;
  }): Promise<void>;
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
      const payload = canonical(body);
      for (const key of keys) if (await isSignedBy(jws, payload, key)) return;
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
    throw signatureInvalid(
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

const upperFirst = (sentence: string): string => sentence.charAt(0).toUpperCase() + sentence.slice(1);

function canonical(body: Buffer): Buffer {
  try {
    return canonicalJson(body);
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error;
    throw signatureInvalid(error.message);
  }
}
