import type { Uploaded } from '../../../api/operator/wire/statements.ts';
import { counted } from '../../text.ts';

/** One file on its way to the server, or what became of it. */
export interface Upload {
  readonly key: number;
  readonly name: string;
  readonly bytes: number;
  readonly status:
    | { readonly kind: 'waiting' }
    | { readonly kind: 'sending' }
    | { readonly kind: 'stored'; readonly uploaded: Uploaded }
    | { readonly kind: 'refused'; readonly sentence: string; readonly code: string };
}

/** What became of a file, as a sentence. */
export function uploadSentence({ statements }: Uploaded): string {
  const known = statements.filter(({ already_uploaded }) => already_uploaded).length;
  const fresh = statements.length - known;
  if (fresh === 0) {
    return known === 1
      ? 'This statement was uploaded before; nothing has been added.'
      : `All ${counted(known, 'statement')} of it were uploaded before; nothing has been added.`;
  }
  const stored = `${counted(fresh, 'statement')} stored, and matched in a moment.`;
  return known === 0 ? stored : `${stored} ${counted(known, 'statement')} of it had been uploaded before.`;
}
