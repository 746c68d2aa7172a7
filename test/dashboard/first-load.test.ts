import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const DIR = new URL('../../dist/dashboard/', import.meta.url);

/** Compressed as gzip, which every browser takes: everything that the page needs when somebody opens it. */
const FIRST_LOAD_BYTES_MAX = 500_000;
/** Lays out statecharts, and is as large as everything else together. */
const LATER = /elk/;

interface Part {
  readonly file: string;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
  readonly assets?: readonly string[];
}

/** As `npm run build` left it, which `npm ci` runs. */
const manifest = JSON.parse(
  readFileSync(fileURLToPath(new URL('.vite/manifest.json', DIR)), 'utf8'),
) as Readonly<Record<string, Part>>;

const at = (file: string): URL => new URL(file, DIR);
const read = (file: string): Buffer => readFileSync(at(file));

/** The files of a part and of all that it imports before it runs. */
function filesOf(name: string, seen = new Set<string>()): Set<string> {
  const part = manifest[name];
  if (part === undefined) throw new Error(`The built dashboard has no part ${name}: run npm run build.`);
  if (seen.has(part.file)) return seen;
  for (const file of [part.file, ...(part.css ?? []), ...(part.assets ?? [])]) seen.add(file);
  for (const one of part.imports ?? []) filesOf(one, seen);
  return seen;
}

const firstLoad = [...filesOf('pages/overview.tsx', filesOf('index.html'))];

describe('the built dashboard', () => {
  it('takes less than 500 kB to open', () => {
    const sizes = ['index.html', ...firstLoad].map(
      (file) => (existsSync(at(`${file}.gz`)) ? read(`${file}.gz`) : read(file)).length,
    );
    const total = sizes.reduce((all, one) => all + one, 0);
    expect(total).toBeGreaterThan(20_000);
    expect(total).toBeLessThan(FIRST_LOAD_BYTES_MAX);
  });

  it('does not load what lays out statecharts before one is opened', () => {
    expect(firstLoad.filter((file) => LATER.test(file))).toEqual([]);
    expect(Object.values(manifest).some(({ file }) => LATER.test(file))).toBe(true);
  });

  it('has its scripts and styles compressed, the same as they are', () => {
    const compressed = firstLoad.filter((file) => /\.(?:js|css)$/.test(file) && read(file).length >= 1_024);
    expect(compressed.length).toBeGreaterThan(3);
    for (const file of compressed) {
      expect(brotliDecompressSync(read(`${file}.br`)).equals(read(file))).toBe(true);
      expect(gunzipSync(read(`${file}.gz`)).equals(read(file))).toBe(true);
    }
  });

  it('has nothing in its page that the policy forbids: no script inside of it, nothing of other hosts', () => {
    const page = read('index.html').toString();
    for (const [, attributes = '', content = ''] of page.matchAll(/<script([^>]*)>([^<]*)/g)) {
      expect(attributes).toMatch(/src="\.\//);
      expect(content.trim()).toBe('');
    }
    expect(page).not.toMatch(/(?:src|href)="(?!\.\/)/);
    expect(page).not.toMatch(/\son\w+=/);
  });
});
