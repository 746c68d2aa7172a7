import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Signed } from './keys.ts';

/** What `POST /_control` takes as `rules`. */
export const rulesSchema = z
  .strictObject({
    /** What is answered in place of the signature that was asked for. */
    answer: z
      .enum(['with_payload', 'other_text', 'hmac', 'none', 'not_a_jws', 'no_response', 'errors', 'bare_text'])
      .nullable()
      .default(null),
  })
  .nullable();

export type RulesSpec = z.infer<typeof rulesSchema>;

export type WrongAnswer = NonNullable<NonNullable<RulesSpec>['answer']>;

/** The JWS that a rule makes of a right one; null: there is no signature in the answer. */
export function misSigned({ header, payload, signature }: Signed, answer: WrongAnswer | null): string | null {
  switch (answer) {
    case null:
      return `${header}..${signature}`;
    case 'with_payload':
      return `${header}.${payload}.${signature}`;
    case 'other_text':
      return `${header}.${encoded('{"other":"text"}')}.${signature}`;
    case 'hmac': {
      const forged = encoded('{"alg":"HS256"}');
      const mac = createHmac('sha256', 'secret').update(`${forged}.${payload}`).digest('base64url');
      return `${forged}..${mac}`;
    }
    case 'none':
      return `${encoded('{"alg":"none"}')}..`;
    case 'not_a_jws':
      return 'neither header nor signature';
    default:
      return null;
  }
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}
