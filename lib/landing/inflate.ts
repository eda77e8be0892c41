import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib, { type Gunzip, type ZstdDecompress } from 'node:zlib';
import { InvalidInput } from '../core/errors.ts';
import type { FileHead } from './file-bytes.ts';
import { DISK_SHARE, MOST_INFLATED } from './limits.ts';

export type Inflated =
  | { readonly kind: 'plain' }
  | { readonly kind: 'inflated' }
  | { readonly kind: 'damaged'; readonly reason: string; readonly tooLarge?: true };

/** Containers that are no text, by their first bytes, with what to do about them. */
const NOT_TEXT: readonly (readonly [start: string, what: string])[] = [
  ['504b0304', 'a zip archive; land the files in it, plain or as .gz or .zst'],
  ['425a68', 'compressed with bzip2; land it plain or as .gz or .zst'],
  ['fd377a585a00', 'compressed with xz; land it plain or as .gz or .zst'],
  ['50415231', 'a Parquet file; its source is declared as text'],
];

const GZIP = '1f8b';
const ZSTD = '28b52ffd';
const COMPRESSED = [GZIP, ZSTD];

/**
 * Writes the uncompressed content of a gzip or zstd file to `target` and verifies its checksums on the way: DuckDB
 * reads the readable part of a truncated gzip file and says nothing. Compression is told by the first bytes, not by
 * the name. A file that is not compressed is left alone; one that inflates to more than there is room for is stopped, and
 * leaves nothing. Faults of the disk are thrown as they are.
 */
export async function inflate(
  file: FileHead,
  target: string,
  freeBytes: (folder: string) => Promise<number> = freeOnDisk,
): Promise<Inflated> {
  const other = foreignContainer(file.head);
  if (other !== undefined) return { kind: 'damaged', reason: other };
  const decoder = decoderFor(file.head);
  if (decoder === undefined) return { kind: 'plain' };
  const room = roomIn(await freeBytes(dirname(target)));
  try {
    await pipeline(createReadStream(file.path), decoder, stopAt(room), createWriteStream(target));
  } catch (cause) {
    await rm(target, { force: true });
    if (cause instanceof TooLarge) {
      // Copies of other files of the unit take the room: nothing is known of this one.
      if ((await bytesIn(dirname(target))) > room.bytes / 10) throw cause;
      return { kind: 'damaged', reason: cause.message, tooLarge: true };
    }
    if (!isDecoding(cause)) throw cause;
    return damaged(cause instanceof Error ? cause.message : String(cause));
  }
  // What follows the compressed data is left unread by zlib: an archive cut and glued together, say.
  const rest = file.size - decoder.bytesWritten;
  return rest === 0 ? { kind: 'inflated' } : { kind: 'damaged', reason: afterTheEnd(rest) };
}

/** What the first bytes of a file say that it is. */
export function containerOf(head: Uint8Array): 'compressed' | 'no text' | 'plain' {
  if (foreignContainer(head) !== undefined) return 'no text';
  return COMPRESSED.some((magic) => startOf(head).startsWith(magic)) ? 'compressed' : 'plain';
}

/** Why what begins so is no text, if it is none. */
export function foreignContainer(head: Uint8Array): string | undefined {
  const other = NOT_TEXT.find(([magic]) => startOf(head).startsWith(magic));
  return other && `the file is ${other[1]}`;
}

function startOf(head: Uint8Array): string {
  return Buffer.from(head.subarray(0, 8)).toString('hex');
}

/** How many bytes a file may inflate to, and what says so. */
type Room = { readonly bytes: number; readonly why: string };

function roomIn(freeBytes: number): Room {
  const free = Math.floor(freeBytes * DISK_SHARE);
  if (free >= MOST_INFLATED) return { bytes: MOST_INFLATED, why: `at most ${MOST_INFLATED} are read` };
  return { bytes: free, why: `the disk has room for ${free}` };
}

async function freeOnDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

class TooLarge extends Error {}

/** Passes bytes on until there are more than there is room for. */
function stopAt({ bytes, why }: Room): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      passed += chunk.length;
      if (passed <= bytes) done(null, chunk);
      else done(new TooLarge(`inflated, the file has more than ${bytes} bytes; ${why}. Land it in parts`));
    },
  });
}

export function decoderFor(head: Uint8Array): Gunzip | ZstdDecompress | undefined {
  const start = startOf(head);
  if (start.startsWith(GZIP)) return zlib.createGunzip();
  return start.startsWith(ZSTD) ? createZstdDecoder(zlib) : undefined;
}

/** The file is not at fault when this Node lacks zstd, which came with 22.15: the run ends, and rejects nothing. */
export function createZstdDecoder({
  createZstdDecompress,
}: Partial<Pick<typeof zlib, 'createZstdDecompress'>>): ZstdDecompress {
  if (createZstdDecompress !== undefined) return createZstdDecompress();
  throw new InvalidInput(
    `Node ${process.version} cannot read files that are compressed with zstd: expected Node 22.15 or later; run again with one`,
  );
}

/** zlib's own complaints, as opposed to a full disk. */
export function isDecoding(cause: unknown): boolean {
  const code = (cause as { code?: unknown }).code;
  return typeof code === 'string' && /^(Z_|ZSTD_|ERR_)/.test(code);
}

function damaged(what: string): Inflated {
  return { kind: 'damaged', reason: damagedArchive(what) };
}

export function damagedArchive(what: string): string {
  return `damaged or truncated compressed file: ${what}`;
}

export function afterTheEnd(bytes: number): string {
  return damagedArchive(`${bytes} bytes after the end of the compressed data`);
}
