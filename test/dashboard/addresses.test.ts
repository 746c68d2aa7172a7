import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHash, segment, withQuery } from '../../src/dashboard/hash-url.ts';
import { links } from '../../src/dashboard/links.ts';

/** As a browser gives it back: `#` is the first one of the address. */
const hashOf = (link: string): string => new URL(`http://localhost/#${link}`).hash;

describe('the address of a page', () => {
  it('holds any id', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (id) => {
        const segments = readHash(hashOf(links.actor('batch', id))).path.split('/');
        expect(segments.map(segment)).toEqual(['', 'actors', 'batch', id]);
      }),
    );
  });

  it('holds filters with any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (search) => {
        const { path, query } = readHash(hashOf(links.envelopes({ search, state: 'complete' })));
        expect(path).toBe('/envelopes');
        expect(Object.fromEntries(query)).toEqual({ search, state: 'complete' });
      }),
    );
  });

  it('leaves filters out that are not set', () => {
    expect(withQuery('/envelopes', { search: '', state: null, cursor: undefined })).toBe('/envelopes');
    expect(withQuery('/envelopes', { limit: 50, search: 'a b&c' })).toBe(
      '/envelopes?limit=50&search=a+b%26c',
    );
  });

  it('is the start page where there is no path', () => {
    expect(['', '#', '#main', '#?a=1'].map((hash) => readHash(hash).path)).toEqual(['/', '/', '/', '/']);
  });

  it('is read as far as it can be', () => {
    expect(segment('100%')).toBe('100%');
    expect(segment(undefined)).toBe('');
  });
});
