import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isMissing } from './local-faults.ts';

/** The stats of a regular file (through symbolic links); undefined for anything else and for a missing name. */
export async function fileStats(path: string): Promise<BigIntStats | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isFile() ? stats : undefined;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}

/** Size, modification time and inode: what a write leaves is told by these from what was there before. */
export function writeEtag(stats: BigIntStats): string {
  return `${stats.size}-${stats.mtimeNs}-${stats.ino}`;
}

/** A file as it was seen: any change of its content changes its stamp, and so do a touch and a new link. */
export function stampOf(stats: BigIntStats): string {
  return `${stats.size}-${stats.mtimeNs}-${stats.ctimeNs}-${stats.ino}`;
}
