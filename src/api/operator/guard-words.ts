/** Where a guard is looked at: what is known of the state without looking at any actor. */
export interface Place {
  readonly region: string;
  readonly state: string;
}

/** The parts of a guard that XState's `and`, `or`, `not` and `stateIn` leave readable. */
interface Composite {
  readonly name: string;
  readonly guards?: readonly unknown[];
  readonly stateValue?: unknown;
}

/**
 * Says in words what a guard asks for, by the names of its parts. What it asks of the state of the region that it is in is
 * decided here and left out.
 *
 * @param here null for a guard that is in no region
 * @returns true when nothing must hold, false when it can never hold here
 */
export function guardInWords(guard: unknown, here: Place | null): string | boolean {
  if (guard === undefined) return true;
  if (typeof guard === 'string') return words(guard);
  if (typeof guard === 'function') return compositeInWords(guard as unknown as Composite, here);
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return words(String(guard.type));
  throw new Error(`${String(guard)} is no guard that can be described.`);
}

function compositeInWords(
  { name, guards = [], stateValue }: Composite,
  here: Place | null,
): string | boolean {
  const parts = guards.map((part) => guardInWords(part, here));
  switch (name) {
    case 'and':
      if (parts.includes(false)) return false;
      return joined(parts, 'and') ?? true;
    case 'or':
      if (parts.includes(true)) return true;
      return joined(parts, 'or') ?? false;
    case 'not': {
      const [part = true] = parts;
      return typeof part === 'boolean' ? !part : `not ${part}`;
    }
    case 'stateIn':
      return stateInWords(stateValue, here);
    default:
      return words(name);
  }
}

/** Null when nothing is left of the parts but what has been decided. */
function joined(parts: readonly (string | boolean)[], word: 'and' | 'or'): string | null {
  const texts = parts.filter((part) => typeof part === 'string');
  if (texts.length < 2) return texts[0] ?? null;
  return `(${texts.join(` ${word} `)})`;
}

function stateInWords(stateValue: unknown, here: Place | null): string | boolean {
  const entries = Object.entries(stateValue as Readonly<Record<string, string>>);
  const known = entries.every(([region]) => region === here?.region);
  if (known) return entries.every(([, state]) => state === here?.state);
  return entries.map(([region, state]) => `${words(region)} is ${state}`).join(' and ');
}

/** `mayHaveSubmittedBlock` and `agency_allocation` as one says them. */
const words = (name: string): string =>
  name.replaceAll('_', ' ').replace(/(?<=[a-z])[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);

/** What is left when outer brackets are not needed. */
export const unbracketed = (text: string): string =>
  text.startsWith('(') && closesAtEnd(text) ? text.slice(1, -1) : text;

function closesAtEnd(text: string): boolean {
  let depth = 0;
  for (const [at, character] of [...text].entries()) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (depth === 0) return at === text.length - 1;
  }
  return false;
}
