/** As the API takes it. */
const REASON_LENGTH_MIN = 3;
export const REASON_LENGTH_MAX = 500;

/** What is wrong with a reason, as a sentence; null when nothing is. */
export function reasonFault(reason: string): string | null {
  const { length } = reason.trim();
  if (length === 0) return 'Say why: it is kept with your name.';
  if (length < REASON_LENGTH_MIN) return `Say a little more: at least ${REASON_LENGTH_MIN} characters.`;
  if (length > REASON_LENGTH_MAX) return `Say it in ${REASON_LENGTH_MAX} characters or fewer.`;
  return null;
}
