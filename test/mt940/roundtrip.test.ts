import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Statement,
  type StatementEntry,
  streamMt940,
  writeMt940,
} from '../../simulators/bank/mt940-writer.ts';
import { summariseMt940 } from '../../src/connectors/mt940/digest.ts';
import { anyStatement, cutAnywhere } from './statement-arbitrary.ts';
import { type ReadStatement, readAll, refusal, sample } from './support.ts';

const sampleNames = readdirSync(new URL('./samples/', import.meta.url)).filter((name) =>
  name.endsWith('.sta'),
);
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

/** What the parser must give for what the writer was given: amounts as spelled, without leading zeros. */
function expected(statement: Statement & { entries: StatementEntry[] }) {
  return {
    reference: statement.reference,
    account: statement.account,
    statementNumber: statement.statementNumber,
    sequenceNumber: statement.sequenceNumber,
    opening: { ...statement.opening, amount: plain(statement.opening.amount) },
    closing: { ...statement.closing, amount: plain(statement.closing.amount) },
    entries: statement.entries.map((entry) => ({
      valueDate: entry.valueDate,
      entryDate: entry.entryDate ?? null,
      mark: entry.mark,
      amount: plain(entry.amount),
      transactionType: entry.transactionType,
      customerReference: entry.customerReference || 'NONREF',
      bankReference: entry.bankReference || null,
      supplementaryDetails: entry.supplementaryDetails || null,
      narrative: withoutEmptyEnd(entry.narrative),
    })),
  };
}

function found({ header, entries, end }: ReadStatement) {
  const bare = ({ mark, date, amount }: ReadStatement['end']['closing']) => ({ mark, date, amount });
  return {
    reference: header.reference,
    account: header.account,
    statementNumber: header.statementNumber,
    sequenceNumber: header.sequenceNumber,
    opening: bare(header.opening),
    closing: bare(end.closing),
    entries: entries.map(({ line: _l, sequence: _s, fundsCode: _f, structured: _t, ...entry }) => entry),
  };
}

function plain(amount: string): string {
  return amount.replace(/^0+(?=[0-9])/, '');
}

function withoutEmptyEnd(lines: readonly string[]): string[] {
  const kept = [...lines];
  while (kept.at(-1) === '') kept.pop();
  return kept;
}

function bytesOf(statement: Statement): Buffer {
  return Buffer.from([...writeMt940(statement)].join(''), 'utf8');
}

describe('a statement that our writer wrote', () => {
  it('is read back as it was, wherever its bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyStatement, { minLength: 1, maxLength: 3 }),
        cuts,
        async (statements, sizes) => {
          const chunks = cutAnywhere(Buffer.concat(statements.map(bytesOf)), sizes);
          expect((await readAll(chunks)).map(found)).toEqual(statements.map(expected));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is read back the same from text, wherever the text is cut', async () => {
    await fc.assert(
      fc.asyncProperty(anyStatement, fc.integer({ min: 1, max: 9 }), async (statement, size) => {
        const text = [...writeMt940(statement)].join('');
        const chunks = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
        expect((await readAll(chunks)).map(found)).toEqual([expected(statement)]);
      }),
    );
  });

  it('stays within the line lengths of SWIFT, ends lines with CR LF and the message with a dash', async () => {
    fc.assert(
      fc.property(anyStatement, (statement) => {
        const lines = [...writeMt940(statement)].join('').split('\r\n');
        expect(lines.splice(-2)).toEqual(['-', '']);
        for (const line of lines) {
          expect(line).not.toMatch(/[\r\n]|^-$/);
          const limit = line.startsWith(':61:') ? 4 + 6 + 4 + 2 + 15 + 4 + 16 + 2 + 16 : 65 + ':86:'.length;
          expect([...line].length).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });

  it('is the same whether its entries come at once or over time', async () => {
    await fc.assert(
      fc.asyncProperty(anyStatement, async (statement) => {
        const over = async function* () {
          yield* statement.entries;
        };
        const chunks: string[] = [];
        for await (const chunk of streamMt940({ ...statement, entries: over() })) chunks.push(chunk);
        expect(chunks.join('')).toBe([...writeMt940(statement)].join(''));
      }),
    );
  });

  it('is refused when one of its amounts is changed', async () => {
    await fc.assert(
      fc.asyncProperty(anyStatement, fc.nat(), async (statement, pick) => {
        fc.pre(statement.entries.length > 0);
        const changed = statement.entries.map((entry, index) =>
          index === pick % statement.entries.length ? { ...entry, amount: `1${entry.amount}` } : entry,
        );
        const error = await refusal([bytesOf({ ...statement, entries: changed })]);
        expect(error?.code).toBe('MT940_BALANCE_MISMATCH');
      }),
    );
  });
});

describe('the digest of what a file says', () => {
  const digestOf = async (bytes: Uint8Array) =>
    (await summariseMt940([bytes])).statements.map(({ digest }) => digest).join(' ');

  it('is the same with other line ends, trailing spaces, blank lines, a byte order mark, SWIFT blocks', async () => {
    await fc.assert(
      fc.asyncProperty(anyStatement, async (statement) => {
        const text = bytesOf(statement).toString('utf8');
        const wanted = await digestOf(Buffer.from(text));
        const others = [
          text.replaceAll('\r\n', '\n'),
          text.replaceAll('\r\n', '\r'),
          text.replaceAll('\r\n', '\r\r\n'),
          text.replaceAll('\r\n', '   \r\n'),
          text.replaceAll('\r\n:', '\r\n\r\n:'),
          `\uFEFF${text}`,
          `{1:F01X}{2:O940X}{4:\r\n${text.slice(0, -3)}-}{5:{CHK:1}}`,
          text.replace(':60F:', ':13D:2401311200+0000\r\n:60F:'),
        ];
        for (const other of others) expect(await digestOf(Buffer.from(other))).toBe(wanted);
      }),
      { numRuns: 50 },
    );
  });

  it('is the same in latin-1 and in UTF-8', async () => {
    const latin = sample('commerzbank-latin1.sta');
    expect(await digestOf(Buffer.from(latin.toString('latin1'), 'utf8'))).toBe(await digestOf(latin));
  });

  it('is the same with amounts spelled otherwise', async () => {
    const text = sample('sponsor-bank.sta').toString('utf8');
    const other = text
      .replaceAll('D1000,00', 'D01000,')
      .replaceAll('1500,50', '1500,5')
      .replace('4000,00', '4000.0');
    expect(other).not.toBe(text);
    expect(await digestOf(Buffer.from(other))).toBe(await digestOf(Buffer.from(text)));
  });

  it('differs between any two statements that say different things', async () => {
    await fc.assert(
      fc.asyncProperty(anyStatement, anyStatement, async (a, b) => {
        const same = JSON.stringify(expected(a)) === JSON.stringify(expected(b)) && a.currency === b.currency;
        expect((await digestOf(bytesOf(a))) === (await digestOf(bytesOf(b)))).toBe(same);
      }),
    );
  });

  it('changes with every part of a statement', async () => {
    const wanted = await digestOf(sample('sponsor-bank.sta'));
    const text = sample('sponsor-bank.sta').toString('utf8');
    const others = [
      ['STMT-000042', 'STMT-000043'],
      ['PROGRAM-ACCOUNT-1', 'PROGRAM-ACCOUNT-2'],
      [':28C:42/1', ':28C:42/2'],
      ['NTRF', 'NMSC'],
      ['AAAAA7001', 'AAAAA7009'],
      ['BEN-000001', 'BEN-000002'],
      ['ACCOUNT CLOSED', 'ACCOUNT BLOCKED'],
      ['C240902ETB4000,00', 'C240903ETB4000,00'],
      ['PSNP\r\n2024', 'PSNP\r\n\r\n2024'],
    ].map(([from = '', to = '']) => text.replace(from, to));
    const digests = await Promise.all(others.map((other) => digestOf(Buffer.from(other))));
    expect(new Set([wanted, ...digests]).size).toBe(others.length + 1);
  });

  it('comes with what the file holds', async () => {
    expect(await summariseMt940([sample('sparkasse-chain.sta')])).toMatchObject({
      entries: 3,
      statements: [
        {
          digest: expect.stringMatching(/^[0-9a-f]{64}$/),
          start: { line: 1, column: 0 },
          line: 1,
          account: '44550045/0000000001',
          sequenceNumber: '001',
          currency: 'EUR',
          opening: { mark: 'C', amount: '10.00', intermediate: false },
          closing: { mark: 'D', amount: '4.99', intermediate: false },
          entries: 3,
        },
      ],
    });
  });

  it('is refused for a file of too many statements', async () => {
    const one = sample('sparkasse-chain.sta');
    const bytes = Buffer.concat([one, one, one]);
    expect((await summariseMt940([bytes], { statementsMax: 3 })).statements).toHaveLength(3);
    await expect(summariseMt940([bytes], { statementsMax: 2 })).rejects.toMatchObject({
      code: 'MT940_TOO_MANY_STATEMENTS',
      line: 47,
      tag: '20',
    });
  });
});

/** How many messages a file has. */
const messages = async (source: Uint8Array[]): Promise<number> => (await readAll(source)).length;

describe('any bytes', () => {
  const mutation = fc.record({
    at: fc.nat(5000),
    remove: fc.integer({ min: 0, max: 30 }),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.constantFrom(
        ...[':61:', ':86:', '-', '-}', '{1:', '{4:', '\r', '\n', ':62F:', ':20:', '?20', '$', '\u0001'].map(
          (text) => Buffer.from(text),
        ),
      ),
    ),
  });

  it('are read or refused with a Mt940Error when a sample is changed anywhere, at any cutting', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sampleNames),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        cuts,
        async (name, mutations, sizes) => {
          let bytes: Buffer = sample(name);
          for (const { at, remove, insert } of mutations) {
            const place = at % (bytes.length + 1);
            bytes = Buffer.concat([bytes.subarray(0, place), insert, bytes.subarray(place + remove)]);
          }
          const whole = await refusal([bytes]);
          const cut = await refusal(cutAnywhere(bytes, sizes));
          expect(cut?.message).toBe(whole?.message);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('are refused when a sample ends early, except where nothing but its end is cut off', async () => {
    for (const name of sampleNames) {
      const bytes = sample(name);
      const lastClosing = bytes.lastIndexOf(':62F:');
      for (let length = 0; length < lastClosing; length += 1) {
        const cut = bytes.subarray(0, length);
        const error = await refusal([cut]);
        if (error === null) expect(await messages([cut])).toBeLessThan(await messages([bytes]));
      }
    }
  });

  it('are refused or read when they are noise', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), async (chunks) => {
        expect(await refusal(chunks)).toMatchObject({ code: expect.stringMatching(/^MT940_/) });
      }),
    );
  });
});
