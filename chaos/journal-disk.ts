import { execFile } from 'node:child_process';
import { mkdir, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';
import { connect } from '../src/db/connection.ts';
import { serverAccount } from '../src/db/embedded-account.ts';

const run = promisify(execFile);

/** A disk that the journal alone is on, so that it can be full while there is room for everything else. */
export interface JournalDisk {
  /** Leaves no free byte. @returns bytes used */
  fill(): Promise<number>;
  /** Makes room again. */
  free(): Promise<void>;
  /** Moves the journal to where everything else is, to be looked at afterwards. */
  bringBack(): Promise<void>;
}

/** Memory is taken only as it is written. */
const SIZE = '4g';
const FILL_ATTEMPTS_MAX = 20;
const TABLESPACE = 'journal';

/**
 * Mounts a disk of memory and moves the journal there.
 *
 * @param folder absolute path of the mount point
 * @param clusterDir PostgreSQL's data, whose owner writes to the disk too
 * @param databaseUrl where the journal's tables are
 * @param onMounted given what takes the disk away, as soon as it is there: also when the journal cannot be moved to it, and
 *   not before PostgreSQL has stopped, which may have files there
 * @returns the disk, or why there is none on this machine
 */
export async function openJournalDisk(
  folder: string,
  clusterDir: string,
  databaseUrl: string,
  onMounted: (unmount: () => Promise<void>) => void,
): Promise<JournalDisk | string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount a disk';
  const account = await serverAccount(clusterDir);
  const owner = `uid=${account?.uid ?? 0},gid=${account?.gid ?? 0},mode=0700`;
  await mkdir(folder, { recursive: true });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},${owner}`, 'chaos-journal', folder]);
  } catch {
    return 'this machine does not let a disk of memory be mounted';
  }
  onMounted(async () => void (await run('umount', [folder])));
  await moveJournal(databaseUrl, TABLESPACE, folder);
  const resize = (size: string) => run('mount', ['-o', `remount,size=${size}`, folder]);
  return {
    async fill() {
      for (let attempt = 1; ; attempt += 1) {
        const { blocks, bfree, bsize } = await statfs(folder);
        const usedBytes = (blocks - bfree) * bsize;
        try {
          await resize(String(usedBytes));
          return usedBytes;
        } catch (error) {
          // More was written since we looked.
          if (attempt === FILL_ATTEMPTS_MAX) throw error;
        }
      }
    },
    free: async () => void (await resize(SIZE)),
    bringBack: () => moveJournal(databaseUrl, 'pg_default'),
  };
}

/** @param folder where the tablespace is to be made; left out: it is there already */
async function moveJournal(databaseUrl: string, tablespace: string, folder?: string): Promise<void> {
  const { sql, close } = connect(databaseUrl, { max: 1 });
  try {
    if (folder !== undefined) {
      await sql.unsafe(`create tablespace ${tablespace} location '${folder.replaceAll("'", "''")}'`);
    }
    const relations = await sql<{ name: string; kind: 'table' | 'index' }[]>`
      select c.oid::regclass::text as name, case when c.relkind in ('i', 'I') then 'index' else 'table' end as kind
      from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'i', 'I')
        and (c.relname like 'actor_transitions%'
          or c.oid in (select indexrelid from pg_index where indrelid::regclass::text like 'actor_transitions%'))`;
    for (const { name, kind } of relations) {
      await sql.unsafe(`alter ${kind} ${name} set tablespace ${tablespace}`);
    }
  } finally {
    await close();
  }
}
