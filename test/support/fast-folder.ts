import { chmod, mkdtemp, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where files lie in memory, on systems that have it. */
const IN_MEMORY = '/dev/shm';
const ROOM_MIN_BYTES = 4 * 2 ** 30;

/** Where databases of tests may lie: a server there writes and copies them many times as fast as on a disk. */
export const FAST_BASES: readonly string[] = [tmpdir(), IN_MEMORY];

/** What the names of the folders of tests look like, with the process that made them. */
export const FAST_FOLDER = /^g2p-test-(\d+)-/;

/**
 * Makes a folder for databases of tests, which the server's user can enter, too. Whoever makes it removes it; when its
 * process was killed, the next test run does.
 */
export async function fastFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(await fastBase(), `g2p-test-${process.pid}-${name}-`));
  await chmod(folder, 0o755);
  return folder;
}

/** The fastest of {@link FAST_BASES} that has room. */
async function fastBase(): Promise<string> {
  const room = await statfs(IN_MEMORY).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  return room >= ROOM_MIN_BYTES ? IN_MEMORY : tmpdir();
}
