import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { faStrategies, loadConfig } from '../../src/config.ts';
import {
  deconstructFa,
  FA_CHARS_MAX,
  type FaStrategies,
} from '../../src/connectors/mapper/deconstruct-fa.ts';
import {
  compileFaStrategy,
  type FaStrategy,
  type FaType,
  re2Matcher,
} from '../../src/connectors/mapper/fa-strategy.ts';

const STRATEGIES = faStrategies(loadConfig({}));
const SEPARATORS =
  /\.(account_number|branch_code|bank_code|mobile_number|email_address|wallet_provider_name|wallet_provider_code|fa_type):/;

/** Any text that an address can hold: no line break, no separator of its own parts, storable. */
const part = fc
  .string({ unit: 'binary', maxLength: 40 })
  .filter((text) => !/[\n\0]/.test(text) && text.isWellFormed() && !SEPARATORS.test(`${text}.`));
const essential = part.filter((text) => text.trim() !== '');

function bankFa(
  account: string,
  branch: string,
  bank: string,
  mobile: string,
  email: string,
  type = 'BANK_ACCOUNT',
) {
  return `account_number:${account}.branch_code:${branch}.bank_code:${bank}.mobile_number:${mobile}.email_address:${email}.fa_type:${type}`;
}

function walletFa(type: 'MOBILE_WALLET' | 'EMAIL_WALLET', owner: string, name: string, code: string) {
  const first = type === 'MOBILE_WALLET' ? 'mobile_number' : 'email_address';
  return `${first}:${owner}.wallet_provider_name:${name}.wallet_provider_code:${code}.fa_type:${type}`;
}

function compiled(faType: FaType, pattern: string): FaStrategy {
  const result = compileFaStrategy(faType, pattern);
  if ('problem' in result) throw new Error(result.problem);
  return result.strategy;
}

function orNull(text: string): string | null {
  return text.trim() === '' ? null : text;
}

describe('taking an address apart', () => {
  test('gives the parts of a bank account', () => {
    const fa = bankFa('123', 'B1', 'EXAMPLE-BANK', '+911234567890', 'a.b@example.org');
    expect(deconstructFa(fa, STRATEGIES)).toEqual({
      faType: 'BANK_ACCOUNT',
      accountNumber: '123',
      branchCode: 'B1',
      bankCode: 'EXAMPLE-BANK',
      mobileNumber: '+911234567890',
      emailAddress: 'a.b@example.org',
      walletProviderName: null,
      walletProviderCode: null,
    });
  });

  test('reads BANK, which mappers also write, as a bank account', () => {
    expect(deconstructFa(bankFa('123', '', '', '', '', 'BANK'), STRATEGIES)).toMatchObject({
      faType: 'BANK_ACCOUNT',
    });
  });

  test('gives back any parts of a bank account', () => {
    const roundTrip = fc.property(
      essential,
      part,
      part,
      part,
      part,
      (account, branch, bank, mobile, email) => {
        expect(deconstructFa(bankFa(account, branch, bank, mobile, email), STRATEGIES)).toMatchObject({
          accountNumber: account,
          branchCode: orNull(branch),
          bankCode: orNull(bank),
          mobileNumber: orNull(mobile),
          emailAddress: orNull(email),
        });
      },
    );
    fc.assert(roundTrip, { numRuns: 500 });
  });

  test.each(['MOBILE_WALLET', 'EMAIL_WALLET'] as const)('gives back any parts of a %s', (type) => {
    const roundTrip = fc.property(essential, part, part, (owner, name, code) => {
      expect(deconstructFa(walletFa(type, owner, name, code), STRATEGIES)).toMatchObject({
        faType: type,
        [type === 'MOBILE_WALLET' ? 'mobileNumber' : 'emailAddress']: owner,
        walletProviderName: orNull(name),
        walletProviderCode: orNull(code),
      });
    });
    fc.assert(roundTrip, { numRuns: 300 });
  });

  test.each([
    ['nothing', ''],
    ['no type', 'account_number:1.branch_code:2'],
    ['an unknown type', bankFa('1', '', '', '', '', 'CASH')],
    ['the type of another pattern', bankFa('1', '', '', '', '', 'MOBILE_WALLET')],
    ['a missing part', 'account_number:1.bank_code:2.fa_type:BANK_ACCOUNT'],
    ['something in front', ` ${bankFa('1', '', '', '', '')}`],
    ['a line break', bankFa('1\n2', '', '', '', '')],
    ['no account number', bankFa(' ', 'B1', 'X', '', '')],
    ['no mobile number', walletFa('MOBILE_WALLET', '', 'n', 'c')],
    ['no e-mail address', walletFa('EMAIL_WALLET', '', 'n', 'c')],
    ['a NUL', bankFa('1\0', '', '', '', '')],
    ['half a character', bankFa('1\ud800', '', '', '', '')],
    ['more characters than an address has', bankFa('1'.repeat(FA_CHARS_MAX), '', '', '', '')],
    ['ten thousand separators', `account_number:${'.branch_code:'.repeat(10_000)}.fa_type:BANK_ACCOUNT`],
  ])('refuses an address with %s, without repeating it', (_, fa) => {
    const result = deconstructFa(fa, STRATEGIES);
    expect(result).toMatchObject({ error: 'FA_MALFORMED' });
    expect(result).toHaveProperty('message', expect.stringMatching(/^The resolved address .{1,80}\.$/));
  });

  test('answers for any text whatever', () => {
    const total = fc.property(
      fc.string({ unit: 'binary', maxLength: 3_000 }),
      fc.constantFrom('', 'BANK', 'BANK_ACCOUNT'),
      (text, end) => {
        const result = deconstructFa(text + end, STRATEGIES);
        expect('faType' in result || result.error === 'FA_MALFORMED').toBe(true);
      },
    );
    fc.assert(total);
  });

  // Every `x` could end every group: a backtracking engine would try more ways than could be counted.
  test('takes hostile text through a careless pattern', () => {
    const careless = compiled('BANK_ACCOUNT', '^((?P<account_number>.*)*x)*(.*)*(.*)*BANK_ACCOUNT$');
    const strategies: FaStrategies = { ...STRATEGIES, BANK_ACCOUNT: careless };
    const hostile = `${'x'.repeat(FA_CHARS_MAX - 13)}!BANK_ACCOUNT`;
    expect(deconstructFa(hostile, strategies)).toMatchObject({ faType: 'BANK_ACCOUNT' });
    expect(deconstructFa(`${hostile.slice(0, -12)}\nBANK_ACCOUNT`, strategies)).toMatchObject({
      error: 'FA_MALFORMED',
    });
  });
});

describe('a pattern', () => {
  test('may be written as Python does, and then begins at the beginning as with re.match', () => {
    const strategy = compiled('BANK_ACCOUNT', '(?P<account_number>\\d+)@(?P<bank_code>[A-Z]+):');
    expect(strategy.match('12@XY:BANK_ACCOUNT')).toEqual({ account_number: '12', bank_code: 'XY' });
    expect(strategy.match('a12@XY:BANK_ACCOUNT')).toBeNull();
  });

  test('may leave parts out', () => {
    const BANK_ACCOUNT = compiled(
      'BANK_ACCOUNT',
      '^(?<account_number>\\d+)/(?<bank_code>[A-Z]+)?/BANK_ACCOUNT$',
    );
    expect(deconstructFa('12//BANK_ACCOUNT', { ...STRATEGIES, BANK_ACCOUNT })).toMatchObject({
      accountNumber: '12',
      bankCode: null,
      branchCode: null,
    });
  });

  test.each([
    ['does not compile', '(?<account_number>.*'],
    ['refers back', '^(?<account_number>.*)\\1$'],
    ['looks ahead', '^(?=x)(?<account_number>.*)$'],
    ['repeats beyond measure', '^(?<account_number>(a{1000}){1000})$'],
    ['has two groups of one name', '(?<account_number>a)(?<account_number>b)'],
    ['does not name the account number', '^(?<account>.*)$'],
    ['is too long', `^(?<account_number>.*)${'x'.repeat(2_000)}$`],
  ])('that %s is refused with one line', (_, pattern) => {
    expect(compileFaStrategy('BANK_ACCOUNT', pattern)).toEqual({ problem: expect.stringMatching(/^.+$/) });
  });

  test('of groups between separators matches exactly as RE2 does', () => {
    const piece = fc.constantFrom('', '.', ':', 'a', 'ab', '.b:', '.c:', 'aa', '\r', '\n', '\u2028', '😀');
    const text = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''));
    const separator = fc.constantFrom<string[]>('', 'a', '\\.', '\\.b:', '\\.c:', 'aa', ':');
    const pattern = fc
      .array(separator, { minLength: 2, maxLength: 5 })
      .map(
        (all) =>
          `^${all.reduce((left, right, n) => `${left}(?<${n === 1 ? 'account_number' : `g${n}`}>.*)${right}`)}$`,
      );
    const same = fc.property(pattern, text, (source, input) => {
      const re2 = RE2JS.compile(source);
      const expected = re2Matcher(re2, Object.keys(re2.namedGroups()))(input);
      expect(compiled('BANK_ACCOUNT', source).match(input)).toEqual(expected);
    });
    fc.assert(same, { numRuns: 5_000 });
  });
});
