import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(ROOT, 'node_modules/.bin');
const run = promisify(execFile);

/** What a program wrote, and how it ended. */
export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** A folder outside the repository in which the kit is installed, as an author of a connector has it. */
export interface AuthorsFolder {
  readonly path: string;
  /** Runs a program in the folder. */
  run(command: string, args: readonly string[]): Promise<Ran>;
  remove(): Promise<void>;
}

/** Packs the kit as `npm pack ./kit` does, and installs the package into a new folder. */
export async function authorsFolder(): Promise<AuthorsFolder> {
  const path = await mkdtemp(join(tmpdir(), 'author-'));
  const modules = join(path, 'node_modules');
  await mkdir(join(modules, 'g2p-bridge-xstate'), { recursive: true });
  await mkdir(join(modules, '@types'));
  // The copy has the parent folders that the package's tsconfig.json reaches into; the repository stays as it is.
  const source = join(path, 'source');
  for (const name of ['kit/package.json', 'kit/tsconfig.json', 'src', 'package.json', 'tsconfig.json'])
    await cp(join(ROOT, name), join(source, name), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(source, 'node_modules'));
  await run('npm', ['pack', './kit', '--pack-destination', path], { cwd: source });
  const tarball = join(path, 'g2p-bridge-xstate-0.1.0.tgz');
  await run('tar', ['-xzf', tarball, '-C', join(modules, 'g2p-bridge-xstate'), '--strip-components', '1']);
  await rm(source, { recursive: true });
  // What an author installs besides: the types of Node.
  for (const name of ['@types/node', 'undici-types'])
    await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  return {
    path,
    run: (command, args) => runIn(path, command, args),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

async function runIn(cwd: string, command: string, args: readonly string[]): Promise<Ran> {
  // Said by a test runner to its children, who then report to it and not to us.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const env = { ...inherited, PATH: `${BIN}:${inherited.PATH}`, NODE_OPTIONS: '' };
  try {
    const { stdout, stderr } = await run(command, args, { cwd, env, timeout: 60_000 });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: code ?? -1, output: stdout + stderr };
  }
}
