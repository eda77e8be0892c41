import { createReadStream, createWriteStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';

export type Inflated =
  | { readonly kind: 'plain' }
  | { readonly kind: 'inflated' }
  | { readonly kind: 'damaged'; readonly reason: string };

/** Containers that are no text, by their first bytes, with what to do about them. */
const NOT_TEXT: readonly (readonly [start: string, what: string])[] = [
  ['504b0304', 'a zip archive; land the files in it, plain or as .gz or .zst'],
  ['425a68', 'compressed with bzip2; land it plain or as .gz or .zst'],
  ['fd377a585a00', 'compressed with xz; land it plain or as .gz or .zst'],
  ['50415231', 'a Parquet file; its source is declared as text'],
];

/**
 * Writes the uncompressed content of a gzip or zstd file to `target` and verifies its checksums on the way: DuckDB
 * reads the readable part of a truncated gzip file and says nothing. Compression is told by the first bytes, not by
 * the name. A file that is not compressed is left alone. Faults of the disk are thrown as they are.
 */
export async function inflate(path: string, target: string): Promise<Inflated> {
  const start = await firstBytes(path, 8);
  const other = NOT_TEXT.find(([magic]) => start.toString('hex').startsWith(magic));
  if (other !== undefined) return { kind: 'damaged', reason: `the file is ${other[1]}` };
  const decoder = decoderFor(start);
  if (decoder === undefined) return { kind: 'plain' };
  try {
    await pipeline(createReadStream(path), decoder, createWriteStream(target));
  } catch (cause) {
    if (!isDecoding(cause)) throw cause;
    return damaged(cause instanceof Error ? cause.message : String(cause));
  }
  // What follows the compressed data is left unread by zlib: an archive cut and glued together, say.
  const { size } = await stat(path);
  const rest = size - decoder.bytesWritten;
  return rest === 0 ? { kind: 'inflated' } : damaged(`${rest} bytes after the end of the compressed data`);
}

export async function firstBytes(path: string, length: number): Promise<Buffer> {
  return readBytes(path, 0, length);
}

/** The bytes of a file from `from` up to `to`, fewer at its end. */
export async function readBytes(path: string, from: number, to: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function decoderFor(start: Buffer): Gunzip | ZstdDecompress | undefined {
  if (start[0] === 0x1f && start[1] === 0x8b) return createGunzip();
  if (start.length >= 4 && start.readUInt32LE(0) === 0xfd2fb528) return createZstdDecompress();
  return undefined;
}

/** zlib's own complaints, as opposed to a full disk. */
function isDecoding(cause: unknown): boolean {
  const code = (cause as { code?: unknown }).code;
  return typeof code === 'string' && /^(Z_|ZSTD_|ERR_)/.test(code);
}

function damaged(what: string): Inflated {
  return { kind: 'damaged', reason: `damaged or truncated compressed file: ${what}` };
}
