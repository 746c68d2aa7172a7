import { readFileSync } from 'node:fs';
import { Mt940Error } from '../../src/connectors/mt940/error.ts';
import { parseMt940 } from '../../src/connectors/mt940/parser.ts';
import type {
  Mt940Balance,
  Mt940End,
  Mt940Entry,
  Mt940Header,
  Mt940Options,
  Mt940Source,
  Mt940Structured,
} from '../../src/connectors/mt940/types.ts';

export interface ReadStatement {
  header: Mt940Header;
  entries: Mt940Entry[];
  /** Without what only matters to who cuts files. */
  end: Omit<Mt940End, 'next'>;
}

/** The bytes of a file in samples/. */
export function sample(name: string): Buffer {
  return readFileSync(new URL(`./samples/${name}`, import.meta.url));
}

/** Reads a source to its end and checks that events come as statement, entries, end. */
export async function readAll(source: Mt940Source, options?: Mt940Options): Promise<ReadStatement[]> {
  const statements: ReadStatement[] = [];
  let open: Omit<ReadStatement, 'end'> | null = null;
  for await (const event of parseMt940(source, options)) {
    if (event.type === 'statement') {
      if (open !== null) throw new Error('a statement began inside another');
      open = { header: event.header, entries: [] };
      continue;
    }
    if (open === null) throw new Error(`${event.type} outside a statement`);
    if (event.type === 'entry') open.entries.push(event.entry);
    else {
      const { next: _, ...end } = event.end;
      statements.push({ ...open, end });
      open = null;
    }
  }
  if (open !== null) throw new Error('the last statement has no end');
  return statements;
}

/** The refusal of a source, or null when it is read. Anything thrown that is no Mt940Error goes through. */
export async function refusal(source: Mt940Source, options?: Mt940Options): Promise<Mt940Error | null> {
  try {
    await readAll(source, options);
    return null;
  } catch (error) {
    if (error instanceof Mt940Error) return error;
    throw error;
  }
}

/** `C 2024-01-31 EUR 12.50`, with `intermediate` behind where it is. */
export function balance(text: string): Mt940Balance {
  const [mark, date = '', currency = '', amount = '', intermediate] = text.split(' ');
  return {
    mark: mark === 'D' ? 'D' : 'C',
    date,
    currency,
    amount,
    intermediate: intermediate === 'intermediate',
  };
}

type EntryDefaults = 'sequence' | 'entryDate' | 'fundsCode' | 'bankReference' | 'supplementaryDetails';

/** An entry with everything optional absent, unless given. */
export function entry(
  parts: Partial<Mt940Entry> & Omit<Mt940Entry, EntryDefaults | 'narrative' | 'structured'>,
): Mt940Entry {
  return {
    sequence: 1,
    entryDate: null,
    fundsCode: null,
    bankReference: null,
    supplementaryDetails: null,
    narrative: [],
    structured: null,
    ...parts,
  };
}

/** A structured narrative from `20 first text`, `32 second text`, … */
export function structured(transactionCode: string | null, ...parts: string[]): Mt940Structured {
  const subfields = parts.map((part) => ({ code: part.slice(0, 2), text: part.slice(3) }));
  return { transactionCode, subfields };
}
