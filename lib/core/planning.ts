import type { LandedFile } from './run.ts';

/** Factor by which compressed text grows when it is read; an estimate for sizing units only. */
const INFLATION = 6;

/** Bytes a worker will parse for a file. */
export function parsedBytes(file: LandedFile): number {
  return /\.(gz|zst|zstd)$/i.test(file.key) ? file.size * INFLATION : file.size;
}

/** Packs files, in their order, into units of about `unitBytes`; a file is never split. */
export function packUnits(files: readonly LandedFile[], unitBytes: number): readonly (readonly LandedFile[])[] {
  const units: LandedFile[][] = [];
  let room = 0;
  for (const file of files) {
    const bytes = parsedBytes(file);
    const open = units.at(-1);
    if (open !== undefined && bytes <= room) {
      open.push(file);
      room -= bytes;
    } else {
      units.push([file]);
      room = unitBytes - bytes;
    }
  }
  return units;
}

/** Buckets for an exchange, so that one bucket holds about half a unit. */
export function bucketsFor(bytes: number, unitBytes: number): number {
  return Math.min(1024, Math.max(2, Math.ceil((2 * bytes) / unitBytes)));
}

/**
 * Staged files of one partition that are worth rewriting together: small ones, packed to about `fileBytes`. Groups of
 * one file need no merge.
 */
export function packSmallFiles<F extends { readonly bytes: number; readonly partition: string }>(
  files: readonly F[],
  fileBytes: number,
): readonly (readonly F[])[] {
  const groups: F[][] = [];
  const openByPartition = new Map<string, { group: F[]; room: number }>();
  for (const file of files) {
    if (file.bytes >= fileBytes / 2) continue;
    const open = openByPartition.get(file.partition);
    if (open !== undefined && file.bytes <= open.room) {
      open.group.push(file);
      open.room -= file.bytes;
    } else {
      const group = [file];
      groups.push(group);
      openByPartition.set(file.partition, { group, room: fileBytes - file.bytes });
    }
  }
  return groups.filter((group) => group.length > 1);
}

/** Partitions of a gold table that one unit computes again. */
export const PARTITIONS_PER_UNIT = 25;
