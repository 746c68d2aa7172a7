import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';

/** Where files lie in memory, on systems that have it. */
const IN_MEMORY = '/dev/shm';
const ROOM_MIN_BYTES = 4 * 2 ** 30;

/** Where databases of tests may lie: a server there writes and copies them many times as fast as on a disk. */
export const FAST_BASES: readonly string[] = [tmpdir(), IN_MEMORY];

/** The fastest of {@link FAST_BASES} that has room. */
export async function fastBase(): Promise<string> {
  const room = await statfs(IN_MEMORY).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  return room >= ROOM_MIN_BYTES ? IN_MEMORY : tmpdir();
}
