/**
 * JSON text in the form that signatures are made over: compact, with the keys of every object sorted.
 *
 * For values that this system made: keys of ASCII, and no numbers that two writers could write differently.
 *
 * @param value objects, lists, strings, booleans and null
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
