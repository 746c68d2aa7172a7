import type { StrikableWorld } from '../world.ts';
import type { Struck } from './struck.ts';

/** The disk that the journal is on has no room left: nothing can be journalled, so nothing may happen. */
export async function fillDisk({ journalDisk }: StrikableWorld): Promise<Struck> {
  if (journalDisk === null) return { struck: false };
  const usedBytes = await journalDisk.fill();
  return { struck: true, details: { used_bytes: usedBytes }, giveBack: () => journalDisk.free() };
}
