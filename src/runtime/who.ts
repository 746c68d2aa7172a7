import { RuntimeError } from './errors.ts';

/** Who does something and why. An event that carries it puts it into the journal entries of what it causes. */
export interface Who {
  /** The person's or program's name. */
  readonly by: string;
  /** In their own words. */
  readonly reason: string;
}

/** @throws RuntimeError `WHO_MISSING` when either is empty */
export function requireWho({ by, reason }: Who): Who {
  if (by.trim() === '' || reason.trim() === '')
    throw new RuntimeError('WHO_MISSING', 'Say who does this, and why.');
  return { by, reason };
}

/** What of an event goes into the journal; null for what happens by itself. */
export function whoOf(event: object): { readonly by: string | null; readonly reason: string | null } {
  return {
    by: 'by' in event && typeof event.by === 'string' ? event.by : null,
    reason: 'reason' in event && typeof event.reason === 'string' ? event.reason : null,
  };
}
