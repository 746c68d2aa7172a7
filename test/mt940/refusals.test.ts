import { describe, expect, it } from 'vitest';
import type { Mt940ErrorCode } from '../../src/connectors/mt940/error.ts';
import { readAll, refusal, sample } from './support.ts';

const header = [':20:REF1', ':25:ACCOUNT-1', ':28C:1/1', ':60F:C240131EUR100,00'];
const closing = [':62F:C240131EUR90,00', '-'];
const payment = ':61:2401310131D10,00NTRFPAY-1//B1';

/** One good statement, with some of its lines replaced; an empty list takes a line out. */
function file(changes: Record<number, string | string[]> = {}): string {
  const lines = [...header, payment, ':86:First line', 'second line', ...closing];
  return lines.flatMap((line, index) => changes[index + 1] ?? line).join('\r\n');
}

type Refusal = [what: string, text: string, code: Mt940ErrorCode, line: number, tag: string | null];

const malformed: Refusal[] = [
  ['an empty file', '', 'MT940_NOT_MT940', 1, null],
  ['a file of blank lines', '\n\n  \n', 'MT940_NOT_MT940', 3, null],
  ['a CSV file', 'date,amount\n2024-01-31,10.00\n', 'MT940_NOT_MT940', 1, null],
  ['an XML file', '<?xml version="1.0"?>\n<Document/>', 'MT940_NOT_MT940', 1, null],
  ['a lone terminator', '-\n', 'MT940_NOT_MT940', 1, null],
  ['an interim report', '{1:F01X}{2:O942X}{4:\n:20:REF1', 'MT940_NOT_MT940', 1, null],
  ['a SWIFT block that does not close', '{1:F01X{2:O940X}', 'MT940_BAD_ENVELOPE', 1, null],
  ['an unknown SWIFT block', '{1:F01X}{7:X}', 'MT940_BAD_ENVELOPE', 1, null],
  ['text behind the start of a block', '{4:hello', 'MT940_UNEXPECTED_TEXT', 1, null],
  ['no :20:', file({ 1: [] }), 'MT940_MISSING_TAG', 1, '20'],
  ['no :25:', file({ 2: [] }), 'MT940_MISSING_TAG', 3, '25'],
  ['no :28C:', file({ 3: [] }), 'MT940_MISSING_TAG', 3, '28C'],
  ['no opening balance', file({ 4: [] }), 'MT940_MISSING_TAG', 4, '60F'],
  ['no closing balance', file({ 8: [] }), 'MT940_MISSING_TAG', 8, '62F'],
  ['a message that follows an unclosed one', file({ 8: [':20:REF2'], 9: [] }), 'MT940_MISSING_TAG', 8, '62F'],
  ['a SWIFT block inside a message', file({ 6: '{5:{CHK:1}}' }), 'MT940_MISSING_TAG', 6, '62F'],
  ['a header that ends', file({ 4: '-' }), 'MT940_MISSING_TAG', 4, '60F'],
  [':20: twice', file({ 2: ':20:REF2' }), 'MT940_UNEXPECTED_TAG', 2, '20'],
  [':25: twice', file({ 3: ':25:ACCOUNT-2' }), 'MT940_UNEXPECTED_TAG', 3, '25'],
  [':60F: twice', file({ 5: ':60F:C240131EUR100,00' }), 'MT940_UNEXPECTED_TAG', 5, '60F'],
  [':25: among entries', file({ 5: ':25:ACCOUNT-2' }), 'MT940_UNEXPECTED_TAG', 5, '25'],
  ['an entry after the closing balance', file({ 9: payment }), 'MT940_UNEXPECTED_TAG', 9, '61'],
  ['a second closing balance', file({ 9: ':62F:C240131EUR90,00' }), 'MT940_UNEXPECTED_TAG', 9, '62F'],
  ['a tag that MT940 does not have', file({ 6: ':32A:240131EUR10,00' }), 'MT940_UNEXPECTED_TAG', 6, '32A'],
  [
    'an opening balance between messages',
    file({ 9: ['-', ':60F:C240131EUR1,'] }),
    'MT940_MISSING_TAG',
    10,
    '20',
  ],
  ['text behind a field of one line', file({ 3: [':28C:1/1', 'more'] }), 'MT940_UNEXPECTED_TEXT', 4, '28C'],
  ['text behind the closing balance', file({ 9: 'Total: 1' }), 'MT940_UNEXPECTED_TEXT', 9, '62F'],
  ['text after the message', `${file()}\r\nGoodbye`, 'MT940_UNEXPECTED_TEXT', 10, null],
  ['a tag without its second colon', file({ 6: ':86 First line' }), 'MT940_BAD_TAG', 6, null],
  ['a damaged entry behind a narrative', file({ 7: ':61 2401310131D10,00' }), 'MT940_BAD_TAG', 7, null],
  ['an empty reference', file({ 1: ':20:' }), 'MT940_BAD_TAG', 1, '20'],
  ['a statement number in words', file({ 3: ':28C:first' }), 'MT940_BAD_TAG', 3, '28C'],
  ['an opening balance without currency', file({ 4: ':60F:C240131100,00' }), 'MT940_BAD_TAG', 4, '60F'],
  ['an entry without type', file({ 5: ':61:2401310131D10,00' }), 'MT940_BAD_TAG', 5, '61'],
  [
    'an entry with a type in small letters',
    file({ 5: ':61:2401310131D10,00ntrfX' }),
    'MT940_BAD_TAG',
    5,
    '61',
  ],
  ['thousands in a balance', file({ 4: ':60F:C240131EUR1.100,00' }), 'MT940_BAD_AMOUNT', 4, '60F'],
  ['thousands in an entry', file({ 5: ':61:240131D1,010.00NTRFX' }), 'MT940_BAD_AMOUNT', 5, '61'],
  ['a point that may be of thousands', file({ 5: ':61:240131D1.000NTRFX' }), 'MT940_BAD_AMOUNT', 5, '61'],
  ['a negative amount', file({ 5: ':61:240131D-10,00NTRFX' }), 'MT940_BAD_AMOUNT', 5, '61'],
  ['an amount without digits', file({ 8: ':62F:C240131EUR,' }), 'MT940_BAD_AMOUNT', 8, '62F'],
  ['an amount beyond measure', file({ 5: `:61:240131D${'9'.repeat(31)}NTRFX` }), 'MT940_BAD_AMOUNT', 5, '61'],
  ['a month 13', file({ 4: ':60F:C241331EUR100,00' }), 'MT940_BAD_DATE', 4, '60F'],
  ['30 February', file({ 5: ':61:240230D10,00NTRFX' }), 'MT940_BAD_DATE', 5, '61'],
  [
    '29 February of a common year',
    file({ 5: ':61:230301 0229D10,00NTRFX'.replace(' ', '') }),
    'MT940_BAD_DATE',
    5,
    '61',
  ],
  ['a date of seven digits', file({ 5: ':61:2401310D10,00NTRFX' }), 'MT940_BAD_DATE', 5, '61'],
  ['an entry date that is none', file({ 5: ':61:2401319999D10,00NTRFX' }), 'MT940_BAD_DATE', 5, '61'],
  ['a balance without mark', file({ 8: ':62F:240131EUR90,00' }), 'MT940_BAD_MARK', 8, '62F'],
  ['a reversed balance', file({ 8: ':62F:RC240131EUR90,00' }), 'MT940_BAD_MARK', 8, '62F'],
  ['a mark R alone', file({ 5: ':61:240131R10,00NTRFX' }), 'MT940_BAD_MARK', 5, '61'],
  ['an expected credit', file({ 5: ':61:240131EC10,00NTRFX' }), 'MT940_BAD_MARK', 5, '61'],
  ['no mark', file({ 5: ':61:24013110,00NTRFX' }), 'MT940_BAD_DATE', 5, '61'],
  ['marks in small letters', file({ 5: ':61:240131d10,00NTRFX' }), 'MT940_BAD_MARK', 5, '61'],
  [
    'a closing balance in another currency',
    file({ 8: ':62F:C240131USD90,00' }),
    'MT940_CURRENCY_MISMATCH',
    8,
    '62F',
  ],
  ['a cent too much', file({ 8: ':62F:C240131EUR90,01' }), 'MT940_BALANCE_MISMATCH', 8, '62F'],
  ['the wrong side', file({ 8: ':62F:D240131EUR90,00' }), 'MT940_BALANCE_MISMATCH', 8, '62F'],
  ['an end in the header', header.slice(0, 3).join('\n'), 'MT940_TRUNCATED', 3, '28C'],
  ['an end in an entry', [...header, payment].join('\n'), 'MT940_TRUNCATED', 5, '61'],
  ['an end in a narrative', [...header, payment, ':86:One', 'two'].join('\n'), 'MT940_TRUNCATED', 7, '86'],
  ['a SWIFT message without end', `{1:F01X}{4:\n${file({ 9: [] })}`, 'MT940_TRUNCATED', 9, '62F'],
  ['a line of 2,001 bytes', file({ 7: 'x'.repeat(2001) }), 'MT940_LINE_TOO_LONG', 7, null],
  [
    '101 lines of narrative',
    file({ 7: new Array<string>(100).fill('x') }),
    'MT940_TOO_MANY_LINES',
    106,
    '86',
  ],
];

describe('a file that is not as MT940 must be', () => {
  it('would be read if it were whole', async () => {
    expect(await refusal([file()])).toBeNull();
    expect(await refusal([file({ 7: 'x'.repeat(2000) })])).toBeNull();
    expect(await refusal([file({ 7: new Array<string>(99).fill('x') })])).toBeNull();
  });

  it.each(malformed)('is refused: %s', async (_, text, code, line, tag) => {
    const error = await refusal([text]);
    expect({ code: error?.code, line: error?.line, tag: error?.tag }).toEqual({ code, line, tag });
  });

  it('is refused with a sentence that names line, tag and what was found', async () => {
    const error = await refusal([file({ 5: ':61:240131D1,010.00NTRFX' })]);
    expect(error?.message).toBe('Line 5 (:61:): "1,010.00" is not an amount.');
  });

  it('is refused with both figures when the balances do not add up', async () => {
    const error = await refusal([file({ 8: ':62F:C240131EUR90,01' })]);
    expect(error?.message).toBe(
      'Line 8 (:62F:): the opening balance and 1 entry make 90, but the closing balance is 90.01.',
    );
  });

  it('is read when only its balances are wrong and nobody asked for them', async () => {
    const [statement] = await readAll([file({ 8: ':62F:C240131EUR90,01' })], { checkBalances: false });
    expect(statement?.end.closing.amount).toBe('90.01');
  });

  it('is refused when a message does not go on from the balance of the one before', async () => {
    const text = sample('sparkasse-chain.sta').toString('utf8');
    const error = await refusal([text.replace(':60M:C240411EUR15,00', ':60M:C240411EUR15,01')]);
    expect(error).toMatchObject({ code: 'MT940_BALANCE_MISMATCH', line: 12, tag: '60M' });
    expect(error?.message).toContain('a balance of EUR 15.01, but the one before ended with EUR 15.');
  });

  it('is read when a message of another account, begun elsewhere, comes between', async () => {
    const text = sample('sparkasse-chain.sta').toString('utf8').split('-\r\n')[0] ?? '';
    const other = file({ 4: ':60M:C240131EUR100,00' });
    expect(await refusal([`${text}-\r\n${other}`])).toBeNull();
  });

  it('shows no control characters and no long text in its message', async () => {
    const error = await refusal([`\u0007${'y'.repeat(1000)}\u001b[31m`]);
    expect(error?.message).toMatch(/^[^\p{Cc}]{1,120}$/u);
  });
});

describe('encodings', () => {
  const before = [...header, payment, ':86:M'].join('\n');
  const after = `ller\n${closing.join('\n')}`;
  const umlaut = (bytes: number[]) =>
    Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);

  it('are found out line by line', async () => {
    for (const bytes of [[0xfc], [0xc3, 0xbc]]) {
      const [statement] = await readAll([umlaut(bytes)]);
      expect(statement?.entries[0]?.narrative).toEqual(['Müller']);
    }
  });

  it('can be forced, and then what does not fit is refused', async () => {
    const [statement] = await readAll([umlaut([0xc3, 0xbc])], { encoding: 'latin-1' });
    expect(statement?.entries[0]?.narrative).toEqual(['MÃ¼ller']);
    expect(await refusal([umlaut([0xfc])], { encoding: 'utf-8' })).toMatchObject({
      code: 'MT940_BAD_ENCODING',
      line: 6,
    });
  });
});
