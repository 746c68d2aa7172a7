const KEYS: ReadonlySet<string> = new Set(['BANK', 'BRANCH', 'ACCOUNT', 'TYPE']);

/**
 * Takes the `additional_info` of PBMS apart: `#KEY#value#KEY#value`, with the keys BANK, BRANCH, ACCOUNT and TYPE for
 * payment details. People type it, so keys may come in any order and case, with spaces and line breaks around keys and
 * values. Of a key that is given twice the first value counts; a key without a value is left out, also when the next key
 * follows at once, and so is whatever stands before the first `#`.
 *
 * @param text free text as well, of which nothing sensible comes out
 * @returns values by key in capitals
 */
export function parseAdditionalInfo(text: string): ReadonlyMap<string, string> {
  const [, ...pieces] = text.split('#');
  const info = new Map<string, string>();
  for (let at = 0; at + 1 < pieces.length; at += 2) {
    const key = pieces[at]?.trim().toUpperCase() ?? '';
    const value = pieces[at + 1]?.trim() ?? '';
    if (KEYS.has(key) && KEYS.has(value.toUpperCase())) {
      // The value was forgotten, and this is the next key: nobody's account is called TYPE.
      at -= 1;
      continue;
    }
    if (key !== '' && value !== '' && !info.has(key)) info.set(key, value);
  }
  return info;
}
