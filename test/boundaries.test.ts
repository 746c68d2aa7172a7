import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

interface Cruised {
  readonly modules: { readonly source: string; readonly dependencies: { readonly resolved: string }[] }[];
}

/** The check is worth nothing when its tool cannot read our sources, and it says so only in passing. */
it('the check of import boundaries reads every source, imports of types included', async () => {
  const args = ['depcruise', '--config', '.dependency-cruiser.js', '--output-type', 'json', 'src'];
  const { stdout } = await run('npx', args, { maxBuffer: 64 * 1024 * 1024 });
  const { modules } = JSON.parse(stdout) as Cruised;
  const { stdout: files } = await run('git', ['ls-files', 'src/**/*.ts', 'src/*.ts']);
  const read = new Set(modules.map(({ source }) => source));
  expect(
    files
      .trim()
      .split('\n')
      .filter((file) => !read.has(file)),
  ).toEqual([]);
  const stage = modules.find(({ source }) => source === 'src/runtime/stage.ts');
  expect(stage?.dependencies.map(({ resolved }) => resolved)).toContain('src/db/connection.ts');
});
