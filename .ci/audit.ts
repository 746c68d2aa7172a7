/**
 * Audits what is to be installed: the lockfile by itself, and the advisories that the registry knows. `AUDIT=required`
 * makes it a failure that the registry does not answer.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import accepted from './audit/accepted.json' with { type: 'json' };
import { advisoryProblems, readAudit } from './audit/advisories.ts';
import { type Lockfile, lockfileProblems, type Manifest, unhashedElsewhere } from './audit/lockfile.ts';

const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

const root = new URL('../', import.meta.url);
const read = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(name, root), 'utf8'));

const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const manifest = (await read('package.json')) as Manifest;
  const lockfile = (await read('package-lock.json')) as Lockfile;
  const isInstalled = (path: string) => existsSync(new URL(path, root));
  const problems = [...lockfileProblems(manifest, lockfile, accepted, isInstalled)];
  say(`lockfile: ${Object.keys(lockfile.packages ?? {}).length} packages, ${problems.length} problems`);
  const unhashed = unhashedElsewhere(lockfile);
  if (unhashed.length > 0) {
    say(
      `lockfile: ${unhashed.length} development packages of other platforms have no hash: ${unhashed.join(', ')}`,
    );
  }
  problems.push(...(await advisories()));
  for (const problem of problems) say(`FAILED: ${problem}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

/** What the registry knows of the packages that run in production. */
async function advisories(): Promise<readonly string[]> {
  const answer = readAudit(await npmAudit());
  if (answer.kind === 'silent') {
    say('advisories: not asked, the registry does not answer');
    return process.env.AUDIT === 'required' ? ['The registry does not answer, and AUDIT=required.'] : [];
  }
  say(`advisories: ${answer.advisories.length} concern what runs in production`);
  return advisoryProblems(answer.advisories, accepted.advisories, new Date().toISOString().slice(0, 10));
}

/** @returns what it wrote; it ends with another code than 0 also when it has found something */
async function npmAudit(): Promise<string> {
  const args = ['audit', '--audit=true', '--omit=dev', '--json'];
  const options = { cwd: root, timeout: TIMEOUT_MS, maxBuffer: ANSWER_BYTES_MAX };
  try {
    return (await promisify(execFile)('npm', args, options)).stdout;
  } catch (error) {
    return error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
  }
}

await main();
