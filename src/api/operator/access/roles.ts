import { ROLES, type Role } from '../wire/common.ts';

/** Which values of the role claim stand for each role. */
export type RoleNames = Readonly<Record<Role, readonly string[]>>;

/** Groups of a person that are looked at. */
const VALUES_MAX = 1_000;

/**
 * The highest role that a token gives.
 *
 * @param claims of the token
 * @param path where the role or the list of roles is: the name of a claim, or names within each other with dots
 *   between them (`realm_access.roles`); names may have dots themselves
 * @returns null when it gives none
 */
export function roleIn(claims: object, path: string, names: RoleNames): Role | null {
  const values = new Set(textsOf(valueAt(claims, path)));
  return ROLES.findLast((role) => names[role].some((name) => values.has(name))) ?? null;
}

/** What is at a path; of several ways to read its dots the one with the longest names first counts. */
function valueAt(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (Object.hasOwn(value, path)) return (value as Record<string, unknown>)[path];
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const name = path.slice(0, dot);
    if (!Object.hasOwn(value, name)) continue;
    const found = valueAt((value as Record<string, unknown>)[name], path.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

function textsOf(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value.slice(0, VALUES_MAX) : [value];
  return values.filter((one) => typeof one === 'string');
}
