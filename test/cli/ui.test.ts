import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatDuration,
  formatTable,
  groupDigits,
  liveView,
  percent,
  progressBar,
  textWidth,
  truncate,
} from '../../src/cli/ui.ts';
import { Log, Terminal } from './terminal.ts';

const printable = fc.string({ unit: fc.constantFrom(...'abc XYZ019.,…é█') });
const frames = fc.array(fc.array(printable, { maxLength: 6 }), { minLength: 1, maxLength: 8 });

describe('a live view on a terminal', () => {
  it('always shows its last frame, below what was there before and what was noted', () => {
    fc.assert(
      fc.property(frames, fc.integer({ min: 6, max: 40 }), fc.boolean(), (shown, columns, withNotes) => {
        const terminal = new Terminal(columns);
        terminal.write('before\n');
        const view = liveView(terminal);
        const notes: string[] = [];
        for (const [at, lines] of shown.entries()) {
          view.render(lines);
          if (withNotes && at % 2 === 0) {
            view.note(`n${at}`);
            notes.push(`n${at}`);
          }
        }
        view.done();
        terminal.write('after');
        const last = (shown.at(-1) ?? []).map((line) => truncate(line, columns).trimEnd());
        expect(terminal.text()).toEqual(['before', ...notes, ...last, 'after']);
      }),
    );
  });

  it('keeps to the height of the terminal, saying how much is left out', () => {
    const terminal = new Terminal(20, 5);
    const view = liveView(terminal);
    view.render(['1', '2', '3', '4', '5', '6']);
    view.render(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(terminal.text()).toEqual(['a', 'b', 'c', '… 3 more lines']);
  });

  it('leaves nothing of a frame behind when the terminal has become narrower', () => {
    const terminal = new Terminal(20);
    const view = liveView(terminal);
    view.render(['x'.repeat(20), 'y']);
    const narrower = new Terminal(10);
    // What the wide line has become: two rows.
    narrower.write(`${'x'.repeat(20)}\ny\n`);
    Object.defineProperty(terminal, 'write', { value: (text: string) => narrower.write(text) });
    terminal.columns = 10;
    view.render(['z']);
    expect(narrower.text()).toEqual(['z']);
  });
});

it('a live view elsewhere writes the lines that changed, once each and without control characters', () => {
  const log = new Log();
  const view = liveView(log);
  view.render(['a 1', 'b 1']);
  view.render(['a 1', 'b 2']);
  view.render(['a 1', 'b 2']);
  view.note('note');
  view.render(['a 2', 'b 2', 'c 1']);
  view.done();
  expect(log.text.split('\n')).toEqual(['a 1', 'b 1', 'b 2', 'note', 'a 2', 'c 1', '']);
});

describe('a table', () => {
  const cells = fc.array(printable, { minLength: 3, maxLength: 3 });
  const columns = [
    { title: 'name', cuttable: true },
    { title: 'n', align: 'right' as const },
    { title: 'rest', cuttable: true },
  ];

  it('is never wider than allowed and puts the cells of a column under each other', () => {
    fc.assert(
      fc.property(fc.array(cells, { maxLength: 6 }), fc.integer({ min: 30, max: 100 }), (rows, widthMax) => {
        const lines = formatTable(rows, columns, { widthMax });
        expect(lines).toHaveLength(rows.length + 1);
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(widthMax);
      }),
    );
    expect(
      formatTable(
        [
          ['a', '1'],
          ['bbbbb', '1,000', 'c'],
        ],
        columns,
      ),
    ).toEqual(['name       n  rest', 'a          1', 'bbbbb  1,000  c']);
  });

  it('cuts only columns that may be cut, the widest first, and counts colours for nothing', () => {
    const coloured = `\u001b[31m${'r'.repeat(30)}\u001b[39m`;
    const lines = formatTable([['short', '1234567890', coloured]], columns, { widthMax: 30 });
    expect(lines.map((line) => stripVTControlCharacters(line))).toEqual([
      'name            n  rest',
      `short  1234567890  ${'r'.repeat(10)}…`,
    ]);
    expect(lines[1]).toContain('\u001b[31m');
    expect(lines[1]?.endsWith('\u001b[0m')).toBe(true);
  });
});

describe('text', () => {
  it('has the width that terminals give it', () => {
    const widths = ['abc', 'é', 'e\u0301', '語', '😀', '👩‍👩‍👧', '█░', '\u001b[1mx\u001b[22m', ''].map(
      textWidth,
    );
    expect(widths).toEqual([3, 1, 1, 2, 2, 2, 2, 1, 0]);
  });

  it('is cut to fit and left alone when it does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-composite', maxLength: 20 }), fc.nat(20), (text, width) => {
        const cut = truncate(text, width);
        expect(textWidth(cut)).toBeLessThanOrEqual(width);
        if (textWidth(text) <= width) expect(cut).toBe(text);
      }),
    );
  });
});

it('numbers and times read as people write them', () => {
  expect(['0', '999', '1000', '1234567.8901', '-1234.5', 100000n].map(groupDigits)).toEqual([
    '0',
    '999',
    '1,000',
    '1,234,567.8901',
    '-1,234.5',
    '100,000',
  ]);
  expect([0, 449, 9_949, 9_950, 59_499, 65_000, 3_599_000, 7_800_000].map(formatDuration)).toEqual([
    '0.0 s',
    '0.4 s',
    '9.9 s',
    '10 s',
    '59 s',
    '1 min 05 s',
    '59 min 59 s',
    '2 h 10 min',
  ]);
});

it('a bar is full only when all is done', () => {
  expect(progressBar(0, 10, 16)).toBe('░░░░░░░░░░   0 %');
  expect(progressBar(5, 10, 16)).toBe('█████░░░░░  50 %');
  expect(progressBar(999_999, 1_000_000, 16)).toBe('█████████░  99 %');
  expect(progressBar(10, 10, 16)).toBe('██████████ 100 %');
  expect([percent(0, 0), percent(11, 10), percent(-1, 10)]).toEqual([100, 100, 0]);
});
