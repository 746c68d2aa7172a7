import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeMt940 } from '../../simulators/bank/mt940-writer.ts';
import { SpoolBudget } from '../../src/api/partner/spool-budget.ts';
import { StatementFile } from '../../src/api/partner/statement-file.ts';
import { summariseMt940 } from '../../src/connectors/mt940/digest.ts';
import { Mt940Error } from '../../src/connectors/mt940/error.ts';
import { anyStatement, cutAnywhere } from './statement-arbitrary.ts';
import { readAll, refusal, sample } from './support.ts';

const names = readdirSync(new URL('./samples/', import.meta.url)).filter((name) => name.endsWith('.sta'));
const cuts = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 8 });

async function* chunked(bytes: Uint8Array, sizes: readonly number[]) {
  yield* cutAnywhere(bytes, sizes);
}

/** Takes a file in as an upload does. @returns what is in it, and the text of each of its statements */
async function takeIn(bytes: Uint8Array, sizes: readonly number[]) {
  const file = new StatementFile(new SpoolBudget(2 * bytes.length + 256 * 1024));
  const { statements } = await summariseMt940(file.keep(chunked(bytes, sizes)));
  const texts = statements.map(() => '');
  for (const { statement, text } of file.pieces(statements.map(({ start }) => start)))
    texts[statement] += text;
  return { statements, texts };
}

/** Checks that each part of a file says by itself what it says in the file. */
async function expectWholeParts(bytes: Uint8Array, sizes: readonly number[]): Promise<number> {
  const { statements, texts } = await takeIn(bytes, sizes);
  const digests: string[] = [];
  for (const text of texts) {
    const part = await summariseMt940([text], { isPart: true });
    expect(part.statements).toHaveLength(1);
    digests.push(...part.statements.map(({ digest }) => digest));
  }
  expect(digests).toEqual(statements.map(({ digest }) => digest));
  return statements.length;
}

describe('the statements of a file', () => {
  it.each(names)('can be read one by one: %s', async (name) => {
    expect(await expectWholeParts(sample(name), [70_000])).toBeGreaterThan(0);
  });

  it('are cut inside a line where SWIFT messages meet on one', async () => {
    const { texts } = await takeIn(sample('swift-envelope.sta'), [70_000]);
    expect(texts.length).toBeGreaterThan(1);
    for (const text of texts) expect(text.trimStart()).toMatch(/^\{1:[\s\S]*\n-\}/);
  });

  it('are cut from nothing: their texts together are the file, with LF line ends', async () => {
    const bytes = Buffer.concat(['swift-envelope.sta', 'swift-rje.sta', 'sponsor-bank.sta'].map(sample));
    const { texts } = await takeIn(bytes, [777]);
    expect(texts.join('')).toBe(bytes.toString('utf8').replaceAll('\r\n', '\n'));
  });

  it('can be read one by one where a SWIFT block holds several, or ends with no dash', async () => {
    const one = (n: number) => `:20:R${n}\n:25:A${n}\n:28C:${n}/1\n:60F:C240131EUR1,\n:62F:C240131EUR1,\n`;
    expect(await expectWholeParts(Buffer.from(`{1:F01X}{4:\n${one(1)}${one(2)}-}\n`), [9])).toBe(2);
    expect(await expectWholeParts(Buffer.from(`{1:F01X}{4:\n${one(1)}{1:F01X}{4:\n${one(2)}-}`), [9])).toBe(
      2,
    );
    expect(await expectWholeParts(Buffer.from(`${one(1)}-\n-\n940\n${one(2)}-\n-\n`), [9])).toBe(2);
  });

  it('can be read one by one when they are of many banks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...names), { minLength: 2, maxLength: 6 }),
        cuts,
        async (some, sizes) => {
          const bytes = Buffer.concat(some.flatMap((name) => [sample(name), Buffer.from('\n')]));
          fc.pre((await refusal([bytes])) === null);
          await expectWholeParts(bytes, sizes);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('can be read one by one as our writer wrote them, wherever their bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStatement, { minLength: 1, maxLength: 5 }), cuts, async (all, sizes) => {
        const bytes = Buffer.from(all.flatMap((one) => [...writeMt940(one)]).join(''));
        expect(await expectWholeParts(bytes, sizes)).toBe(all.length);
      }),
      { numRuns: 200 },
    );
  });

  it('can be read one by one, or are refused by line, when a file is damaged anywhere', async () => {
    const damage = fc.record({
      at: fc.nat(5_000),
      remove: fc.integer({ min: 0, max: 30 }),
      insert: fc.constantFrom(
        '',
        '-',
        '-}',
        '{1:X}',
        '{4:',
        '{5:{CHK:1}}',
        '$',
        '\n',
        '-}{1:X}{4:',
        '\0',
        ':62M:',
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
        fc.array(damage, { minLength: 1, maxLength: 3 }),
        async (some, damages) => {
          let bytes: Buffer = Buffer.concat(some.map(sample));
          for (const { at, remove, insert } of damages) {
            const place = at % (bytes.length + 1);
            bytes = Buffer.concat([
              bytes.subarray(0, place),
              Buffer.from(insert),
              bytes.subarray(place + remove),
            ]);
          }
          const lines = bytes.toString('latin1').split(/\r\n|\r|\n/).length;
          await expectWholeParts(bytes, [500]).catch((error: unknown) => {
            if (!(error instanceof Mt940Error)) throw error;
            expect(error.line).toBeGreaterThan(0);
            expect(error.line).toBeLessThanOrEqual(lines);
            expect(error.message).toMatch(/^Line \d+( \(:\w+:\))?: .+\.$/);
          });
        },
      ),
      { numRuns: 1_500 },
    );
  });
});

describe('a statement over several messages', () => {
  it('is one, when each goes on with account, number and balance of the one before', async () => {
    const chain = sample('sparkasse-chain.sta');
    const { statements } = await takeIn(Buffer.concat([chain, chain]), [70_000]);
    expect(statements.map(({ entries }) => entries)).toEqual([3, 3]);
    expect(statements[1]?.digest).toBe(statements[0]?.digest);
    expect((await readAll([chain])).length).toBe(3);
  });

  it('ends where the account or the number is another', async () => {
    const chain = sample('sparkasse-chain.sta').toString('utf8');
    const numbered = chain.replace(':28C:00000/002', ':28C:00001/002');
    expect((await summariseMt940([numbered])).statements.map(({ entries }) => entries)).toEqual([1, 1, 1]);
    const [first = '', second = '', third = ''] = chain.split(/(?<=^-\r?\n)/m);
    const other = second.replace(/:25:.*/, ':25:OTHER');
    const { statements } = await summariseMt940([first, other, third]);
    expect(statements.map(({ account, entries }) => [account, entries])).toEqual([
      ['44550045/0000000001', 1],
      ['OTHER', 1],
      ['44550045/0000000001', 1],
    ]);
  });
});
