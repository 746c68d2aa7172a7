import { z } from 'zod';

const names = z.array(z.string().min(1).max(1_000)).max(100);

/** What the identity provider calls the roles of operators; each goes by its own name unless told otherwise. */
export const roleNamesSchema = z.strictObject({
  viewer: names.default(['viewer']),
  operator: names.default(['operator']),
  payer: names.default(['payer']),
});
