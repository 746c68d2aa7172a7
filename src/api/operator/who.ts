import type { Who } from '../../runtime/who.ts';
import type { Operator } from './wire/common.ts';

/**
 * An operator as the journal names them: by the id, which nobody chooses, with the name in front of it where that is
 * another. People may call themselves what they like with their provider, so the name alone proves nothing.
 */
export const journalNameOf = ({ id, name }: Pick<Operator, 'id' | 'name'>): string =>
  name === id ? id : `${name} (${id})`;

/** Who does something and why, as the journal has it. */
export const whoActs = (operator: Operator, reason: string): Who => ({ by: journalNameOf(operator), reason });
