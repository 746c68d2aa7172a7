import { z } from 'zod';

const secondsMax = 31_536_000;

/** What `POST /_control` takes as `tokens`: how the answers of `/token` depart from what is right. */
export const tokenRulesSchema = z
  .strictObject({
    /** The `expires_in` of the answer, whatever the token itself says; null leaves it out. */
    expires_in: z.int().min(-secondsMax).max(secondsMax).nullable().optional(),
    /** How long the token itself is good for, whatever the answer says; below 0 it has expired already. */
    lives_seconds: z.int().min(-secondsMax).max(secondsMax).optional(),
    token_type: z.string().max(100).optional(),
    /** `unknown` signs with a key that is not published. */
    key: z.enum(['current', 'unknown']).optional(),
  })
  .nullable();

export type TokenRules = NonNullable<z.infer<typeof tokenRulesSchema>>;
