import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DESCRIPTION_CHARS_MAX,
  ID_CHARS_MAX,
  NAME_CHARS_MAX,
  quantity,
  REFERENCE_CHARS_MAX,
} from '../../src/api/partner/fields.ts';
import { checkFile, type FileCheck } from '../../src/cli/csv/check-file.ts';
import { FirstSeen } from '../../src/cli/csv/first-seen.ts';
import { CSV_COLUMNS } from '../../src/cli/csv/header.ts';
import { describeProblem } from '../../src/cli/csv/problem.ts';
import { type CsvItem, readCsv } from '../../src/cli/csv/read.ts';
import {
  QUANTITY_FRACTION_DIGITS_MAX,
  QUANTITY_WHOLE_DIGITS_MAX,
  TEXT_CHARACTERS_MAX,
} from '../../src/cli/csv/text-rules.ts';
import { sumDecimals } from '../../src/decimal.ts';
import { COLUMNS, csvOf, type Dialect, type Row, rowFixtures } from './files.ts';
import { type Folder, makeFolder } from './run.ts';

let folder: Folder;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

async function read(content: string | Uint8Array): Promise<CsvItem[]> {
  return Array.fromAsync(readCsv(await folder.write('read.csv', content)));
}

async function check(content: string | Uint8Array, batchSize = 10): Promise<FileCheck> {
  return checkFile(await folder.write('check.csv', content), { batchSize });
}

/** What is wrong with a file, as people read it. */
async function problemsOf(content: string | Uint8Array): Promise<string[]> {
  const checked = await check(content);
  return checked.ok ? [] : checked.problems.map(describeProblem);
}

const HEADER = COLUMNS.join(',');

/** Texts with everything that CSV has to quote, and characters of one to four bytes. */
const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom('"', ',', '\n', '\r', '\r\n', ' ', ';', 'é', '語', '😀'),
    fc.string({ minLength: 1, maxLength: 1 }),
  ),
});
const anyRow: fc.Arbitrary<Row> = fc.record({
  disbursement_id: anyText,
  beneficiary_id: anyText,
  beneficiary_name: anyText,
  disbursement_quantity: anyText,
  narrative: anyText,
});
const anyDialect: fc.Arbitrary<Required<Dialect>> = fc.record({
  columns: fc.shuffledSubarray([...COLUMNS], { minLength: COLUMNS.length }),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  byteOrderMark: fc.boolean(),
  quoteAll: fc.boolean(),
  lastLineEnd: fc.boolean(),
});

describe('reading', () => {
  it('gives back the content of any file, and the line on which each row begins', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { maxLength: 8 }), anyDialect, async (rows, dialect) => {
        const items = await read(csvOf(rows, dialect));
        let line = 2;
        const expected = rows.map((row) => {
          const item = { kind: 'row', row: { line, fields: CSV_COLUMNS.map((column) => row[column]) } };
          line +=
            1 +
            Object.values(row)
              .join('x')
              .split(/\r\n|\n|\r/).length -
            1;
          return item;
        });
        expect(items).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('counts empty lines, which are nothing', async () => {
    const items = await read(`\n\n${HEADER}\n\na,b,c,1,e\n\n\nf,g,h,2,j\n\n`);
    expect(items.map((item) => (item.kind === 'row' ? item.row.line : item.problem))).toEqual([5, 8]);
  });

  it('reads a file of another line end in the same file, and one whose chunks end anywhere', async () => {
    const rows = rowFixtures('X', 3_000);
    const text = csvOf(rows, { lineEnd: '\r\n' }).replaceAll(/(\d00\.10.*)\r\n/g, '$1\n');
    const items = await read(text);
    expect(items.map((item) => (item.kind === 'row' ? item.row.fields[0] : item.problem))).toEqual(
      rows.map(({ disbursement_id }) => disbursement_id),
    );
  });
});

describe('checking', () => {
  it('adds up exactly, and knows the content whatever way it is written down', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(1e9), fc.nat(999_999)), { minLength: 1, maxLength: 30 }),
        anyDialect,
        fc.integer({ min: 1, max: 40 }),
        async (amounts, dialect, batchSize) => {
          const rows = rowFixtures('P', amounts.length).map((row, n) => {
            const [whole = 0, fraction = 0] = amounts[n] ?? [];
            const disbursement_quantity = `${whole}.${String(fraction).padStart(6, '0')}`;
            return { ...row, disbursement_quantity, narrative: 'Paid "now", 語' };
          });
          const checked = await check(csvOf(rows, dialect), batchSize);
          const plain = await check(csvOf(rows), batchSize);
          expect(checked).toEqual(plain);
          expect(checked.ok && checked.facts).toMatchObject({
            disbursements: rows.length,
            totalQuantity: sumDecimals(rows.map(({ disbursement_quantity }) => disbursement_quantity)),
          });
          expect(checked.ok && checked.facts.batchDigests.length).toBe(Math.ceil(rows.length / batchSize));
        },
      ),
    );
  });

  it('gives another digest as soon as any field or the order of rows is another', async () => {
    const rows = rowFixtures('D', 3);
    const digest = async (changed: readonly Row[]) => {
      const checked = await check(csvOf(changed));
      return checked.ok ? checked.facts.contentDigest : checked.problems;
    };
    const changed = COLUMNS.map((column) =>
      rows.map((row, n) =>
        n === 1 ? { ...row, [column]: column === 'disbursement_quantity' ? '1' : 'other' } : row,
      ),
    );
    const digests: unknown[] = [];
    for (const some of [rows, rows.toReversed(), ...changed]) digests.push(await digest(some));
    expect(new Set(digests).size).toBe(7);
    expect(digests.every((text) => typeof text === 'string')).toBe(true);
  });

  it.each([
    [
      'a column that there is not',
      HEADER.replace('quantity', 'amount'),
      [
        'line 1, column "disbursement_amount": there is no such column; is it disbursement_quantity?',
        'line 1, column disbursement_quantity: this column is missing.',
      ],
    ],
    [
      'a column too many',
      `${HEADER},phone`,
      [`line 1, column "phone": there is no such column; the columns are ${COLUMNS.join(', ')}.`],
    ],
    ['a column twice', `${HEADER},narrative`, ['line 1, column "narrative": this column is there twice.']],
    [
      'another separator',
      HEADER.replaceAll(',', ';'),
      [
        expect.stringContaining('the fields seem to be separated by ";"; they must be by commas.'),
        ...COLUMNS.map((column) => `line 1, column ${column}: this column is missing.`),
      ],
    ],
    ['no content', '', ['line 1: the file is empty.']],
    ['no row', `${HEADER}\n`, ['line 1: there is a header, but no disbursement.']],
  ])('refuses a header with %s', async (_, content, expected) => {
    expect(await problemsOf(content)).toEqual(expected);
  });

  const good = 'D1,B1,Almaz,12.50,July';
  it.each([
    ['', '"" is not a decimal'],
    ['12,5', 'not a decimal'],
    ['1e3', 'not a decimal'],
    ['+1', 'not a decimal'],
    [' 1', 'not a decimal'],
    ['1.', 'not a decimal'],
    ['.5', 'not a decimal'],
    ['NaN', 'not a decimal'],
    ['0x10', 'not a decimal'],
    ['1 000', 'not a decimal'],
    ['-0.01', 'is negative'],
    ['1.1234567', 'has more than 20 digits before or 6 after the point'],
    [`1${'0'.repeat(20)}`, 'has more than 20 digits before or 6 after the point'],
  ])('refuses the quantity %j', async (text, why) => {
    const problems = await problemsOf(`${HEADER}\n${good}\nD2,B2,Bekele,"${text}",July`);
    const sentence = text === '' ? 'the field is empty.' : why;
    expect(problems).toEqual([expect.stringContaining(sentence)]);
    expect(problems[0]).toMatch(/^line 3, column disbursement_quantity: /);
  });

  it('takes zero and needless zeros', async () => {
    const checked = await check(`${HEADER}\nD1,B1,A,0,N\nD2,B2,A,-0.00,N\nD3,B3,A,007.500000000,N`);
    expect(checked).toMatchObject({ ok: true, facts: { totalQuantity: '7.5' } });
  });

  it.each([
    [',B2,Bekele,1,July', 'line 3, column disbursement_id: the field is empty.'],
    ['D2,"  ",Bekele,1,July', 'line 3, column beneficiary_id: the field is empty.'],
    ['D2,B2,,1,July', 'line 3, column beneficiary_name: the field is empty.'],
    ['D2,B2,Bekele,1,', 'line 3, column narrative: the field is empty.'],
    ['D2 ,B2,Bekele,1,July', 'line 3, column disbursement_id: "D2" begins or ends with a space.'],
    ['D2,B2,Bekele,1', 'line 3: this line has 4 fields, the header has 5.'],
    ['D2,B2,Bekele,1,July,', 'line 3: this line has 6 fields, the header has 5.'],
    ['D2,B2,Bekele,1,"July', 'line 3, column narrative: a quoted field is never closed.'],
    [
      'D2,B2,"Bekele"a,1,July',
      expect.stringContaining('line 3, column beneficiary_name: a quoted field is followed'),
    ],
    [
      'D2,B2,Be"kele,1,July',
      expect.stringContaining('line 3, column beneficiary_name: a quote stands inside'),
    ],
    [
      'D2,B2,"Be\nkele",1,July',
      expect.stringContaining('column beneficiary_name: "Be kele" holds a line break'),
    ],
    [`D2,B2,${'x'.repeat(501)},1,July`, expect.stringContaining('has more than 500 characters.')],
    [
      `D2,B2,"${'x'.repeat(70_000)}",1,July`,
      expect.stringContaining('line 3, column beneficiary_name: this record is'),
    ],
  ])('refuses the line %.40j', async (line, expected) => {
    expect(await problemsOf(`${HEADER}\n${good}\n${line}`)).toEqual([expected]);
  });

  it('refuses a file that is not UTF-8', async () => {
    const latin1 = Buffer.from(`${HEADER}\nD1,B1,José,1,July\nD2,B2,Ana,1,Julho`, 'latin1');
    expect(await problemsOf(latin1)).toEqual([
      expect.stringMatching(/^line 2, column beneficiary_name: .*not UTF-8/),
    ]);
  });

  it('tells a person who made the mistake without letting the file steer the terminal', async () => {
    const [problem] = await problemsOf(`${HEADER}\nD1,B1,A,\u001b[2Jmuch,N`);
    expect(problem).not.toContain('\u001b');
  });

  it('holds texts to the same lengths as the API does', () => {
    expect(TEXT_CHARACTERS_MAX).toMatchObject({
      disbursement_id: REFERENCE_CHARS_MAX,
      beneficiary_id: ID_CHARS_MAX,
      beneficiary_name: NAME_CHARS_MAX,
      narrative: DESCRIPTION_CHARS_MAX,
    });
    const longest = `${'9'.repeat(QUANTITY_WHOLE_DIGITS_MAX)}.${'9'.repeat(QUANTITY_FRACTION_DIGITS_MAX)}`;
    expect([longest, `9${longest}`, `${longest}9`].map((text) => quantity.safeParse(text).success)).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('remembering what was seen', () => {
  it('finds exactly the texts seen before, with their first line, however many there are', () => {
    const seen = new FirstSeen();
    const count = 50_000;
    for (let n = 1; n <= count; n++) expect(seen.note(`id-${n}`, n)).toBeNull();
    for (let n = 1; n <= count; n += 7) expect(seen.note(`id-${n}`, count + n)).toBe(n);
    expect(seen.note('id-0', 1)).toBeNull();
    expect(seen.size).toBe(count + 1);
  });

  it('agrees with a map for any texts', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 3 })), (texts) => {
        const seen = new FirstSeen();
        const map = new Map<string, number>();
        for (const [at, text] of texts.entries()) {
          expect(seen.note(text, at + 1)).toBe(map.get(text) ?? null);
          if (!map.has(text)) map.set(text, at + 1);
        }
      }),
    );
  });
});
