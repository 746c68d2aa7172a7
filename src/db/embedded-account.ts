import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf, EmbeddedPostgresError } from './embedded-error.ts';

/** The system user that runs the server when it is not the user that we run as. */
export interface ServerAccount {
  uid: number;
  gid: number;
}

/** How a program ended: `output` is what it wrote, or why it could not be run at all. */
export interface ProgramResult {
  ok: boolean;
  output: string;
}

const SERVER_USER = 'postgres';
const LOOKUP_ATTEMPTS_MAX = 10;
const LOOKUP_INTERVAL_MS = 100;

/**
 * Finds the system user that must run the server: PostgreSQL refuses to run as root, so root hands over to
 * the owner of the existing data, or to the user `postgres`, created when there is none.
 *
 * @param clusterDir folder of the PostgreSQL data, which need not exist
 * @returns undefined when the server runs as we do
 * @throws EmbeddedPostgresError EMBEDDED_NO_SERVER_USER
 */
export async function serverAccount(clusterDir: string): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await ownerOf(clusterDir);
  if (owner !== undefined && owner.uid !== 0) return owner;
  return (await lookUp()) ?? (await create());
}

/**
 * Runs a program to its end as the server's user, with an environment that holds none of our settings (other
 * programs of that user could read them) and none of the PG* variables that would change what it does.
 *
 * @param account from {@link serverAccount}
 */
export function runAs(
  account: ServerAccount | undefined,
  file: string,
  args: string[],
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    execFile(file, args, { ...account, ...programSurroundings() }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trim();
      if (error === null) resolve({ ok: true, output });
      else resolve({ ok: false, output: output === '' ? error.message : output });
    });
  });
}

/**
 * The folder and environment for PostgreSQL's programs: messages in English, because we read them; a folder
 * that every user can enter, because ours may be closed to the server's user.
 */
export function programSurroundings(): { cwd: string; env: NodeJS.ProcessEnv } {
  return { cwd: '/', env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } };
}

async function ownerOf(folder: string): Promise<ServerAccount | undefined> {
  try {
    const { uid, gid } = await stat(folder);
    return { uid, gid };
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function lookUp(): Promise<ServerAccount | undefined> {
  const [uid, gid] = await Promise.all([
    runAs(undefined, 'id', ['-u', SERVER_USER]),
    runAs(undefined, 'id', ['-g', SERVER_USER]),
  ]);
  if (!uid.ok || !gid.ok) return undefined;
  return { uid: Number.parseInt(uid.output, 10), gid: Number.parseInt(gid.output, 10) };
}

async function create(): Promise<ServerAccount> {
  const created = await runAs(undefined, 'useradd', [
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir=/nonexistent',
    '--shell=/bin/false',
    SERVER_USER,
  ]);
  // A failure may mean that another process of ours is just creating the same user: wait for that one's.
  const attempts = created.ok ? 1 : LOOKUP_ATTEMPTS_MAX;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const account = await lookUp();
    if (account !== undefined) return account;
    await delay(LOOKUP_INTERVAL_MS);
  }
  throw new EmbeddedPostgresError(
    'EMBEDDED_NO_SERVER_USER',
    `PostgreSQL does not run as root and the user ${SERVER_USER} could not be created (${created.output}): ` +
      'create it, or run as an ordinary user.',
  );
}
