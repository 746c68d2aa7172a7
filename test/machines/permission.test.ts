import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type End, Town } from './post.ts';
import { seen, stageOf } from './records.ts';

/** The permission to pay: batches ask when they are ready, the envelope answers once its funds are blocked. */

type Move =
  | { readonly kind: 'batch' | 'letter to batch'; readonly n: number; readonly end: End }
  | { readonly kind: 'funds' | 'letter to envelope' | 'circular' | 'cancel'; readonly end: End };

const end = fc.constantFrom<End>('succeeded', 'succeeded', 'succeeded', 'refused', 'failed', 'final');
const move = (kinds: readonly Move['kind'][]): fc.Arbitrary<Move> =>
  fc.record({ kind: fc.constantFrom(...kinds), n: fc.nat({ max: 3 }), end }) as fc.Arbitrary<Move>;
const MOVES = [
  'batch',
  'batch',
  'letter to batch',
  'funds',
  'funds',
  'letter to envelope',
  'circular',
] as const;

function play(town: Town, one: Move): void {
  if (one.kind === 'batch') town.advanceBatch(one.n, one.end);
  else if (one.kind === 'funds') town.advanceFunds(one.end);
  else if (one.kind === 'letter to batch') town.deliver(one.n);
  else if (one.kind === 'letter to envelope') town.deliver('envelope');
  else if (one.kind === 'circular') town.deliver(null);
}

const batches = fc.integer({ min: 1, max: 4 });
const benefitType = fc.constantFrom('CASH_DIGITAL', 'CASH_PHYSICAL');
const moves = (kinds: readonly Move['kind'][]) =>
  fc.noBias(fc.array(move(kinds), { maxLength: 90, size: 'max' }));

describe('the permission to pay', () => {
  it('reaches exactly the ready batches in whatever order they become ready and the funds are blocked', () => {
    const met = { before: 0, after: 0, circular: 0 };
    fc.assert(
      fc.property(batches, benefitType, moves(MOVES), (count, type, sequence) => {
        const town = new Town(count, type);
        for (const one of sequence) {
          play(town, one);
          for (const n of town.paying) expect(town.isPermitted(n)).toBe(true);
        }
        town.settle();
        const all = town.batches.map((_, n) => n);
        // None forgotten: every batch is paid, without any tick.
        expect(all.map((n) => town.state(n))).toEqual(all.map(() => 'PROCESSED'));
        expect(seen(town.envelope).context.facts.number_of_batches_ready).toBe(count);
        // None needlessly: one circular if anybody had asked by then, one answer for everybody who asked later.
        const { before, after } = town.asked;
        expect([...before, ...after].toSorted()).toEqual(all);
        expect(town.permissions).toEqual([...(before.length > 0 ? (['all'] as const) : []), ...after]);
        met.before += before.length === count ? 1 : 0;
        met.after += after.length === count ? 1 : 0;
        met.circular += before.length > 0 && after.length > 0 ? 1 : 0;
      }),
      { numRuns: 100 },
    );
    for (const cases of Object.values(met)) expect(cases).toBeGreaterThan(0);
  });

  it('is given to nobody before the funds are blocked', () => {
    fc.assert(
      fc.property(batches, benefitType, moves(MOVES), (count, type, sequence) => {
        const town = new Town(count, type);
        for (const one of sequence) {
          play(town, one);
          if (seen(town.envelope).value.funds_blocked === 'FUNDS_BLOCK_SUCCESS') return;
          expect(town.permissions).toEqual([]);
          expect(town.batches.filter((_, n) => town.isPermitted(n))).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('and a cancellation exclude each other, whichever comes first', () => {
    const met = { accepted: 0, refused: 0, blocked: 0 };
    fc.assert(
      fc.property(
        batches,
        benefitType,
        moves([...MOVES, ...MOVES, ...MOVES, ...MOVES, ...MOVES, 'cancel']),
        (count, type, sequence) => {
          const town = new Town(count, type);
          for (const one of sequence) {
            if (one.kind !== 'cancel' || town.isCancelled) {
              play(town, one);
              continue;
            }
            const accepted = town.cancel();
            met[accepted ? 'accepted' : 'refused'] += 1;
            expect(accepted).toBe(town.permissions.length === 0);
          }
          town.settle();
          const states = town.batches.map((_, n) => town.state(n));
          expect(new Set(states)).toEqual(new Set([town.isCancelled ? 'NOT_APPLICABLE' : 'PROCESSED']));
          if (!town.isCancelled) return;
          expect([...town.paying]).toEqual([]);
          expect(town.permissions).toEqual([]);
          // Nothing is left waiting for an answer that never comes.
          expect(stageOf(town.envelope, 'funds_available').dueAt).toBeNull();
          expect(stageOf(town.envelope, 'funds_blocked').dueAt).toBeNull();
          // What was blocked has been given back.
          const { value, context } = seen(town.envelope);
          const blocked = context.facts.funds_blocked_reference_number;
          expect(value.funds_released).toBe(blocked === null ? 'NOT_APPLICABLE' : 'PROCESSED');
          expect(context.facts.funds_released_reference_number).toBe(blocked);
          met.blocked += blocked === null ? 0 : 1;
        },
      ),
      { numRuns: 250 },
    );
    for (const cases of Object.values(met)) expect(cases).toBeGreaterThan(0);
  });
});

/** Moves the funds on until they are in a state. */
function fundsUntil(town: Town, region: 'funds_available' | 'funds_blocked', state: string): void {
  while (seen(town.envelope).value[region] !== state) expect(town.advanceFunds('succeeded')).toBe(true);
}

function resolve(town: Town, n: number): void {
  while (town.state(n, 'fa_resolution') !== 'PROCESSED') expect(town.advanceBatch(n, 'succeeded')).toBe(true);
}

describe('a cancellation', () => {
  it('reaches every batch at once, whatever is still on its way', () => {
    const town = new Town(2, 'CASH_PHYSICAL');
    town.advanceBatch(1, 'succeeded');
    expect(town.cancel()).toBe(true);
    expect(town.state(0, 'geo_resolution')).toBe('NOT_APPLICABLE');
    // What a worker has in its hands is its own affair.
    expect(town.state(1, 'geo_resolution')).toBe('PROCESSING');
  });

  it('is still accepted while the only question is on its way, and then nobody is paid', () => {
    const town = new Town(1, 'CASH_DIGITAL');
    resolve(town, 0);
    fundsUntil(town, 'funds_blocked', 'FUNDS_BLOCK_SUCCESS');
    expect(town.permissions).toEqual([]);
    expect(town.cancel()).toBe(true);
    town.settle();
    expect(town.paying.size).toBe(0);
    expect(town.state(0)).toBe('NOT_APPLICABLE');
  });

  it('is refused once a batch was permitted', () => {
    const town = new Town(2, 'CASH_DIGITAL');
    resolve(town, 0);
    town.deliver('envelope');
    fundsUntil(town, 'funds_blocked', 'FUNDS_BLOCK_SUCCESS');
    expect(town.permissions).toEqual(['all']);
    expect(town.cancel()).toBe(false);
  });

  it('is not undone by funds that were being blocked meanwhile, nor by a batch that was being resolved', () => {
    const town = new Town(2, 'CASH_DIGITAL');
    resolve(town, 0);
    town.deliver('envelope');
    town.advanceBatch(1, 'succeeded');
    expect(town.state(1, 'fa_resolution')).toBe('PROCESSING');
    fundsUntil(town, 'funds_blocked', 'CHECK_IN_PROGRESS');
    expect(town.cancel()).toBe(true);
    resolve(town, 1);
    fundsUntil(town, 'funds_blocked', 'FUNDS_BLOCK_SUCCESS');
    town.settle();
    expect(town.permissions).toEqual([]);
    expect([town.state(0), town.state(1)]).toEqual(['NOT_APPLICABLE', 'NOT_APPLICABLE']);
  });

  it.each(['refused', 'failed'] as const)('ends the asking when the check under way is %s', (answer) => {
    const town = new Town(1, 'CASH_DIGITAL');
    fundsUntil(town, 'funds_available', 'CHECK_IN_PROGRESS');
    expect(town.cancel()).toBe(true);
    expect(town.advanceFunds(answer)).toBe(true);
    expect(seen(town.envelope).value.funds_available).toBe('NOT_APPLICABLE');
    expect(town.advanceFunds('succeeded')).toBe(false);
  });
});
