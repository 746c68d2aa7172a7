import { FlattenedSign } from 'jose';
import type { RequestSigner } from '../mapper-connector.ts';
import type { SigningKey } from './signing-key.ts';

/** Signs requests with a key of this process: a detached JWS, which carries the body's signature without the body. */
export function localSigner({ key, alg, kid }: SigningKey): RequestSigner {
  return {
    async sign(body) {
      const jws = await new FlattenedSign(Buffer.from(body)).setProtectedHeader({ alg, kid }).sign(key);
      return `${jws.protected}..${jws.signature}`;
    },
  };
}
