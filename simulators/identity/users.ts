import { z } from 'zod';

const usersMax = 100;
const text = z.string().min(1).max(1_000);

/** Who can sign in, without a password; `roles` and `claims` go into their tokens. */
export const usersSchema = z
  .array(
    z.strictObject({
      sub: text,
      name: text,
      preferred_username: text.optional(),
      roles: z.array(text).max(usersMax).default([]),
      /** Further claims, which may replace the others. */
      claims: z.record(z.string(), z.unknown()).default({}),
    }),
  )
  .max(usersMax);

export type User = z.infer<typeof usersSchema>[number];

/** One for each role that operators of the bridge have, and one who has none. */
export const usersDefault: readonly User[] = [
  { sub: 'vera', name: 'Vera Viewer', roles: ['viewer'], claims: {} },
  { sub: 'otto', name: 'Otto Operator', roles: ['operator'], claims: {} },
  { sub: 'paula', name: 'Paula Payer', roles: ['payer'], claims: {} },
  { sub: 'nora', name: 'Nora Nobody', roles: [], claims: {} },
];

/** What the tokens of a person say of them. */
export function personalClaims({ sub, name, preferred_username, roles, claims }: User) {
  return { sub, name, preferred_username: preferred_username ?? sub, roles, ...claims };
}
