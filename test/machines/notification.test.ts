import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type End, Village } from './village.ts';

/** The order in which people are told: a warehouse, then its agency, then its beneficiaries. */

interface Move {
  readonly kind: 'copy' | 'deliver' | 'advance' | 'retry';
  readonly who: number;
  readonly end: End;
}

const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom('copy', 'deliver', 'deliver', 'advance', 'advance', 'advance', 'retry'),
  who: fc.nat({ max: 5_039 }),
  end: fc.constantFrom<End>('succeeded', 'succeeded', 'failed', 'refused', 'stale', 'final'),
});
const moves = fc.noBias(fc.array(move, { maxLength: 90, size: 'max' }));
const geos = fc.integer({ min: 1, max: 3 });
const beneficiaries = fc.integer({ min: 0, max: 3 });

function play(village: Village, { kind, who, end }: Move): void {
  const { ids } = village;
  const id = ids[who % ids.length] ?? '';
  if (kind === 'copy') village.copy();
  else if (kind === 'deliver') village.deliver(id);
  else if (kind === 'advance') village.advance(id, end);
  else village.retry(id);
}

/** Whose first attempt has to end before anybody tells this one. */
function before(village: Village, began: string): string | null {
  const [id = '', region] = began.split(' ');
  if (region === 'agency_notification') return `${id} warehouse_notification`;
  return region === 'beneficiary_notification' ? `${village.parentOf(id)} agency_notification` : null;
}

describe('notifications', () => {
  it('begin with the warehouse, then its agency, then its beneficiaries, in whatever order things happen', () => {
    let [held, retold] = [0, 0];
    fc.assert(
      fc.property(geos, beneficiaries, moves, (ofGeos, each, sequence) => {
        const village = new Village(ofGeos, each);
        village.allocate(true);
        for (const one of sequence) {
          const seenBefore = village.began.length;
          play(village, one);
          for (const began of village.began.slice(seenBefore)) {
            const first = before(village, began);
            if (first !== null) expect(village.ended).toContain(first);
            held += first === null ? 0 : 1;
          }
        }
        for (let rounds = 0; rounds < 2; rounds += 1) {
          village.settle();
          for (const id of village.ids) village.retry(id);
        }
        // Nobody forgotten.
        expect(new Set(village.ids.flatMap((id) => village.states(id)))).toEqual(new Set(['PROCESSED']));
        retold += village.began.length > new Set(village.began).size ? 1 : 0;
        // One circular of the batch, two of each geo record, however often anybody was tried; a retry sends one again.
        const sent = [...new Set(village.circulars.map(({ to, event }) => `${to} ${event.type}`))];
        const names = village.ids.filter((id) => id.startsWith('geo'));
        expect(sent.toSorted()).toEqual(
          [
            'batch-1 allocated',
            ...names.flatMap((id) => [`${id} allocated`, `${id} beneficiary_notification.due`]),
          ].toSorted(),
        );
      }),
      { numRuns: 100 },
    );
    expect(held).toBeGreaterThan(0);
    expect(retold).toBeGreaterThan(0);
  });

  it.each<[string, End]>([
    ['fails for good', 'final'],
    ['is refused', 'refused'],
    ['gets no answer', 'stale'],
  ])('hold nobody back when one of them %s', (_, end) => {
    const village = new Village(2, 2);
    village.allocate(true);
    village.copy();
    village.deliver('geo-0');
    // The warehouse, then the agency of the first geo record: taken by a worker, and ended badly.
    for (let n = 0; n < 2; n += 1) village.advance('geo-0', end);
    village.settle();
    const told = village.ids.filter((id) => id.startsWith('beneficiary')).map((id) => village.states(id));
    expect(told).toEqual(told.map(() => ['PROCESSED']));
    expect(village.states('geo-0')[1]).toBe('PROCESSED');
    expect(village.states('geo-0')[0]).toBe(end === 'final' ? 'ERROR' : 'PROCESSED');
  });

  it('end with a cancellation: nobody is told any more, and nobody waits', () => {
    let [untold, told] = [0, 0];
    fc.assert(
      fc.property(geos, beneficiaries, moves, moves, (ofGeos, each, first, then) => {
        const village = new Village(ofGeos, each);
        village.allocate(true);
        for (const one of first) play(village, one);
        village.cancel();
        const ended = [...village.ended];
        for (const one of then) play(village, one);
        village.settle();
        for (const id of village.ids) village.retry(id);
        village.settle();
        expect(village.ended).toEqual(ended);
        for (const state of village.ids.flatMap((id) => village.states(id))) {
          expect(['NOT_APPLICABLE', 'PROCESSED']).toContain(state);
          if (state === 'PROCESSED') told += 1;
          else untold += 1;
        }
      }),
      { numRuns: 60 },
    );
    expect(untold).toBeGreaterThan(0);
    expect(told).toBeGreaterThan(0);
  });

  it('are all PROCESSED without anybody being told when they are suppressed', () => {
    fc.assert(
      fc.property(geos, beneficiaries, moves, (ofGeos, each, sequence) => {
        const village = new Village(ofGeos, each);
        village.allocate(false);
        const states = new Set<string>();
        for (const one of sequence) {
          play(village, one);
          for (const id of village.ids) for (const state of village.states(id)) states.add(state);
        }
        for (const state of states) expect(['NOT_APPLICABLE', 'PROCESSED']).toContain(state);
        village.settle();
        expect(new Set(village.ids.flatMap((id) => village.states(id)))).toEqual(new Set(['PROCESSED']));
        expect(village.began).toEqual([]);
        expect(village.circulars.every(({ event }) => event.type === 'allocated')).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
