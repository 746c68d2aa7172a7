import { cp, readdir, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBankConnector } from '../../src/connectors/bank/example-bank.ts';
import { bankConnectorContract } from '../../src/testing/index.ts';
import { type AuthorsFolder, authorsFolder } from '../support/kit.ts';
import { exampleBank } from './example-bank-harness.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let folder: AuthorsFolder;
beforeAll(async () => {
  folder = await authorsFolder();
  await cp(join(ROOT, 'examples/acme-bank-connector'), folder.path, {
    recursive: true,
    filter: (from) => !from.includes('node_modules'),
  });
});
afterAll(() => folder?.remove());

describe('the packed kit, installed outside the repository', () => {
  test('needs Node and nothing else', async () => {
    const installed = join(folder.path, 'node_modules/g2p-bridge-xstate');
    const files = await readdir(join(installed, 'dist'), { recursive: true });
    const imported = new Set<string>();
    for (const file of files.filter((name) => name.endsWith('.js'))) {
      const code = await readFile(join(installed, 'dist', file), 'utf8');
      for (const [, from = ''] of code.matchAll(/(?:from|import) '([^']+)'/g)) imported.add(from);
    }
    expect(imported.size).toBeGreaterThan(0);
    const foreign = [...imported].filter(
      (from) => !from.startsWith('.') && !builtinModules.includes(from.replace(/^node:/, '')),
    );
    expect(foreign).toEqual([]);
    expect(files.some((name) => name.startsWith('stages') || name.startsWith('db'))).toBe(false);
  });

  test('has the version of the product', async () => {
    const versionIn = async (path: string) => JSON.parse(await readFile(join(ROOT, path), 'utf8')).version;
    expect(await versionIn('kit/package.json')).toBe(await versionIn('package.json'));
  });

  test('lets the example connector pass its own types', async () => {
    expect(await folder.run('tsc', ['-p', '.'])).toEqual({ code: 0, output: '' });
  });

  test('finds that the example connector keeps the contract, every check of it', {
    timeout: 90_000,
  }, async () => {
    const { code, output } = await folder.run('node', [
      '--test',
      '--test-reporter',
      'tap',
      'test/contract.test.js',
    ]);
    const checks = bankConnectorContract(exampleBank().harness(createBankConnector));
    expect(output).toContain(`# pass ${checks.length}\n`);
    expect(output).toContain('# skipped 0\n');
    expect(code).toBe(0);
  });
});
