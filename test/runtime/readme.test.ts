import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openShop, type Shop } from '../support/shop.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = join(ROOT, 'src/runtime/README.md');

let shop: Shop;
let folder: string;
beforeAll(async () => {
  shop = await openShop();
  folder = await mkdtemp(join(tmpdir(), 'readme-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await shop.close();
});

/** The code blocks of a language, and the one without a language that says what the code prints. */
async function blocks(language: string): Promise<string[]> {
  const text = await readFile(README, 'utf8');
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === language)
    .map(([, , code = '']) => code);
}

describe('the page about the runtime', () => {
  it('shows a machine made durable that works, prints what the page says, and takes 40 lines', async () => {
    const [sql = ''] = await blocks('sql');
    const [code = ''] = await blocks('ts');
    const printed = (await blocks('')).at(-1);
    const lines = code.split('\n').filter((line) => !/^(\/\/.*|import .*|)$/.test(line));
    expect(lines.length).toBeLessThanOrEqual(40);
    await shop.database.sql.unsafe(sql);
    for (const name of ['src', 'node_modules', 'package.json'])
      await symlink(join(ROOT, name), join(folder, name));
    await writeFile(join(folder, 'parcels.ts'), code);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['parcels.ts'], {
      cwd: folder,
      env: { ...process.env, DATABASE_URL: shop.url },
      timeout: 25_000,
    });
    expect({ stdout: stdout.replaceAll(/ +$/gm, ''), stderr }).toEqual({ stdout: printed, stderr: '' });
  });
});
