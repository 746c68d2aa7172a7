import { describe, expect, it } from 'vitest';
import { parseMt940 } from '../../src/connectors/mt940/parser.ts';
import { readSubfields } from '../../src/connectors/mt940/subfields.ts';
import type { Mt940Event } from '../../src/connectors/mt940/types.ts';
import { readAll, sample, structured } from './support.ts';

describe('reading as the file arrives', () => {
  it('gives each entry as soon as the line after it is there, and asks for no more before', async () => {
    const lines = sample('sponsor-bank.sta')
      .toString('utf8')
      .split(/(?<=\r\n)/);
    let sent = 0;
    const source = function* () {
      for (const line of lines) {
        sent += 1;
        yield line;
      }
    };
    const sentAt: [Mt940Event['type'], number][] = [];
    for await (const event of parseMt940(source())) sentAt.push([event.type, sent]);
    expect(sentAt).toEqual([
      ['statement', 4],
      ['entry', 11],
      ['entry', 17],
      ['entry', 24],
      ['end', 25],
    ]);
  });

  it('is not disturbed by an owner who reuses the memory of a chunk', async () => {
    const bytes = sample('deutsche-bank.sta');
    const memory = new Uint8Array(7);
    const source = function* () {
      for (let at = 0; at < bytes.length; at += memory.length) {
        const piece = bytes.subarray(at, at + memory.length);
        memory.set(piece);
        yield memory.subarray(0, piece.length);
        memory.fill(0x2d);
      }
    };
    expect(await readAll(source())).toEqual(await readAll([bytes]));
  });

  it('takes a million blank lines behind a narrative for nothing', async () => {
    const text = sample('luxembourg-multiline.sta').toString('utf8');
    const [statement] = await readAll([text, '\n'.repeat(1_000_000)]);
    expect(statement?.end.information).toEqual(['TEXTE LIBRE', 'SUR DEUX LIGNES']);
  });
});

describe('numbered parts of a narrative', () => {
  it('are read with any of the usual separators', () => {
    for (const separator of '?~<>^/|@+&') {
      const line = ['166', '00CREDIT', '20FOR A?B', '32A SMITH'].join(separator);
      expect(readSubfields([line])).toEqual(structured('166', '00 CREDIT', '20 FOR A?B', '32 A SMITH'));
    }
  });

  it('are read without a transaction code when the separator is a question mark', () => {
    expect(readSubfields(['?20ONE?21TWO'])).toEqual(structured(null, '20 ONE', '21 TWO'));
  });

  it('are not seen in ordinary text', () => {
    for (const text of [
      '',
      'RENT 2024',
      '120/24 SMITH',
      '250+10 KG',
      'WHY?20 TIMES',
      '/EREF/123/REMI/RENT',
      '12?20',
    ]) {
      expect(readSubfields([text])).toBeNull();
    }
  });

  it('keep a space that a line end fell behind, and lose padding beyond column 65', () => {
    expect(readSubfields(['166?20GIFT ', 'FOR YOU'])).toEqual(structured('166', '20 GIFT FOR YOU'));
    expect(readSubfields([`166?20GI${' '.repeat(72)}`, 'FT'])).toEqual(structured('166', '20 GIFT'));
  });
});
