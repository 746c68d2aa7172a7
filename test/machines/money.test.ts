import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SCHEDULED, START, stageOf } from './records.ts';
import { ENDS, type End, type Totals, Treasury } from './treasury.ts';

/** What holds of an envelope's money while the partner adds, amends and takes back as it likes. */

const FUNDS = ['funds_available', 'funds_blocked', 'funds_released'] as const;

type Move =
  | { readonly kind: 'money comes'; readonly end: End }
  | { readonly kind: 'work'; readonly region: (typeof FUNDS)[number]; readonly end: End }
  | { readonly kind: 'receive' | 'take back'; readonly count: number; readonly quantity: number }
  | { readonly kind: 'amend'; readonly count: number; readonly quantity: number; readonly from: Date }
  | { readonly kind: 'receive the rest' | 'amend to what is there' | 'batch ready' | 'cancel' };

const some = { count: fc.integer({ min: 1, max: 2 }), quantity: fc.integer({ min: 0, max: 3 }) };
const always = <K extends string>(kind: K) => fc.constant({ kind });
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('work' as const),
      region: fc.constantFrom('funds_available', 'funds_blocked', 'funds_blocked', 'funds_released'),
      end: fc.constantFrom<End>('succeeded', 'succeeded', 'succeeded', ...ENDS),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('receive' as const, 'take back' as const), ...some }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('amend' as const),
      count: fc.integer({ min: -1, max: 1 }),
      quantity: fc.integer({ min: -1, max: 1 }),
      from: fc.constantFrom(START, START, SCHEDULED),
    }),
  },
  { weight: 10, arbitrary: always('receive the rest') },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('money comes' as const),
      end: fc.constantFrom<End>('succeeded', 'succeeded', 'succeeded', 'failed', 'lost'),
    }),
  },
  { weight: 2, arbitrary: always('amend to what is there') },
  { weight: 1, arbitrary: always('batch ready') },
  { weight: 1, arbitrary: always('cancel') },
);

/** Why the books say that a change cannot be; none when it can. */
function objections(books: Treasury, declared: Totals, received: Totals): string[] {
  const { cancelled, current, goingBack, readyBatches, inTheDark } = books;
  const possible =
    received.count >= 0 &&
    received.quantity >= 0 &&
    received.count <= declared.count &&
    received.quantity <= declared.quantity;
  return Object.entries({
    cancelled,
    'a payment may be permitted': current !== null && readyBatches > 0,
    'nobody knows what is blocked': inTheDark,
    'two blocks': current !== null && goingBack !== null,
    'impossible totals': !possible,
  }).flatMap(([why, holds]) => (holds ? [why] : []));
}

const isSame = (a: Totals, b: Totals) => a.count === b.count && a.quantity === b.quantity;
const times = (date: Date) => date.getTime();

/** Other totals or another date, if the books allow it; what was blocked goes back, and money is asked for anew. */
function change(
  books: Treasury,
  to: { declared: Totals; received: Totals; from: Date },
  send: () => boolean,
) {
  const why = objections(books, to.declared, to.received);
  const inVain =
    isSame(to.declared, books.declared) &&
    isSame(to.received, books.received) &&
    times(to.from) === times(books.dueFrom);
  const before = books.envelope;
  expect(send(), why.join()).toBe(why.length === 0);
  if (why.length > 0) return why;
  books.declared = to.declared;
  books.received = to.received;
  books.dueFrom = to.from;
  const funds = ['funds_available', 'funds_blocked'] as const;
  if (inVain) {
    for (const region of FUNDS) expect(stageOf(books.envelope, region)).toBe(stageOf(before, region));
    return why;
  }
  if (books.current) books.goingBack = books.current;
  books.current = null;
  for (const region of funds) expect(books.state(region)).toBe('PENDING_CHECK');
  const due = isSame(to.declared, to.received) ? new Date(Math.max(times(to.from), times(books.at))) : null;
  expect(stageOf(books.envelope, 'funds_available').dueAt).toEqual(due);
  expect(stageOf(books.envelope, 'funds_blocked').dueAt).toBeNull();
  return why;
}

const plus = (a: Totals, { count, quantity }: Totals, sign = 1): Totals => ({
  count: a.count + sign * count,
  quantity: a.quantity + sign * quantity,
});

function receive(books: Treasury, more: Totals): void {
  const complete = isSame(books.declared, books.received);
  const received = plus(books.received, more);
  const fits =
    !books.cancelled &&
    !complete &&
    received.count <= books.declared.count &&
    received.quantity <= books.declared.quantity;
  const { count, quantity } = more;
  const taken = books.send({ type: 'batch_received', at: books.tick(), count, quantity: String(quantity) });
  expect(taken).toBe(fits);
  if (taken) books.received = received;
}

function amend(books: Treasury, declared: Totals, from: Date): string[] {
  const { received } = books;
  return change(books, { declared, received, from }, () =>
    books.send({
      type: 'amend',
      at: books.tick(),
      number_of_disbursements: declared.count,
      total_disbursement_quantity: String(declared.quantity),
      funds_due_from: from,
    }),
  );
}

function cancel(books: Treasury): string[] {
  const why = objections(books, books.declared, books.received).filter(
    (one) => one !== 'nobody knows what is blocked',
  );
  expect(books.send({ type: 'cancel', at: books.tick() })).toBe(why.length === 0);
  if (why.length > 0) return why;
  books.cancelled = true;
  if (books.current) books.goingBack = books.current;
  return why;
}

/** Makes a move; tells why it was refused, when it was. */
function play(books: Treasury, one: Move): string[] {
  const { declared, received, dueFrom: from } = books;
  switch (one.kind) {
    case 'work':
      books.advance(one.region, one.end);
      return [];
    case 'money comes':
      while (!books.inTheDark && FUNDS.slice(0, 2).some((region) => books.advance(region, 'succeeded')));
      books.advance('funds_blocked', one.end);
      return [];
    case 'receive':
      receive(books, one);
      return [];
    case 'receive the rest':
      if (!isSame(declared, received)) receive(books, plus(declared, received, -1));
      return [];
    case 'take back': {
      const { count, quantity } = one;
      return change(books, { declared, received: plus(received, one, -1), from }, () =>
        books.send({ type: 'disbursements_cancelled', at: books.tick(), count, quantity: String(quantity) }),
      );
    }
    case 'amend':
      return amend(books, plus(declared, one), one.from);
    case 'amend to what is there':
      return amend(books, received, from);
    case 'cancel':
      return cancel(books);
    case 'batch ready':
      if (books.cancelled) return [];
      books.readyBatches += 1;
      books.send({ type: 'batch_ready', at: books.tick(), batch: 'batch-1' });
      return [];
  }
}

/** The envelope knows what the books say, and every block is somewhere. */
function audit(books: Treasury): void {
  const { facts, declared, received, current, goingBack, blocks } = books;
  expect({
    count: facts.number_of_disbursements_received,
    quantity: Number(facts.total_disbursement_quantity_received),
  }).toEqual({ count: received.count, quantity: received.quantity });
  expect(facts.number_of_disbursements).toBe(declared.count);
  expect(Number(facts.total_disbursement_quantity)).toBe(declared.quantity);
  expect(received.count).toBeGreaterThanOrEqual(0);
  expect(received.quantity).toBeGreaterThanOrEqual(0);
  expect(received.count).toBeLessThanOrEqual(declared.count);
  expect(received.quantity).toBeLessThanOrEqual(declared.quantity);
  expect(books.state('receipt')).toBe(isSame(declared, received) ? 'RECEIVED' : 'RECEIVING');

  expect(facts.funds_blocked_reference_number).toBe(current?.reference ?? null);
  const onItsWay = ['PENDING', 'PROCESSING', 'ERROR'].includes(books.state('funds_released'));
  expect(onItsWay).toBe(goingBack !== null);
  if (goingBack) expect(facts.funds_released_reference_number).toBe(goingBack.reference);
  const waitsForAnswer = (block: (typeof blocks)[number]) => books.inTheDark && block === blocks.at(-1);
  for (const block of blocks) {
    const known = block === current || block === goingBack || waitsForAnswer(block);
    expect(known || block.freed > 0, block.reference).toBe(true);
  }
  if (!books.cancelled && current) expect(current.freed).toBe(0);
  for (const { block, declared: total } of books.permissions) {
    expect(block?.amount).toBe(total);
    expect(block).toBe(current);
    expect(block?.freed).toBe(0);
  }
}

/** Why changes are refused for one reason alone, and what else must have come up. */
const REASONS = ['cancelled', 'a payment may be permitted', 'two blocks'];
const ENOUGH = [
  ...[...REASONS, 'nobody knows what is blocked', 'impossible totals'].flatMap((why) => [
    `amend: ${why}`,
    `take back: ${why}`,
  ]),
  ...REASONS.map((why) => `cancel: ${why}`),
  'paid from a later block',
];

describe('the money of an envelope', () => {
  it('is blocked for what is declared whenever a batch is paid, and every other block goes back', () => {
    const met = new Map<string, number>();
    const meet = (what: string) => met.set(what, (met.get(what) ?? 0) + 1);
    fc.assert(
      fc.property(fc.noBias(fc.array(move, { maxLength: 120, size: 'max' })), (moves) => {
        const books = new Treasury({ count: 2, quantity: 3 });
        for (const one of moves) {
          const [why, ...others] = play(books, one);
          // Refused for this and no other reason.
          if (why && others.length === 0) meet(`${one.kind}: ${why}`);
          audit(books);
        }
        books.settle();
        audit(books);
        const held = books.blocks.filter(({ freed }) => freed === 0);
        const complete = isSame(books.declared, books.received);
        const toHold = !books.cancelled && complete ? [books.declared.quantity] : [];
        expect(held.map(({ amount }) => amount)).toEqual(toHold);
        if (books.permissions.length > 0 && books.blocks.length > 1) meet('paid from a later block');
      }),
      { numRuns: 300 },
    );
    expect(ENOUGH.filter((what) => !met.has(what))).toEqual([]);
  });
});
