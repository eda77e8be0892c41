import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';
import type { FileHead } from './file-bytes.ts';

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
export async function inflate(file: FileHead, target: string): Promise<Inflated> {
  const start = file.head.subarray(0, 8).toString('hex');
  const other = NOT_TEXT.find(([magic]) => start.startsWith(magic));
  if (other !== undefined) return { kind: 'damaged', reason: `the file is ${other[1]}` };
  const decoder = decoderFor(start);
  if (decoder === undefined) return { kind: 'plain' };
  try {
    await pipeline(createReadStream(file.path), decoder, createWriteStream(target));
  } catch (cause) {
    if (!isDecoding(cause)) throw cause;
    return damaged(cause instanceof Error ? cause.message : String(cause));
  }
  // What follows the compressed data is left unread by zlib: an archive cut and glued together, say.
  const rest = file.size - decoder.bytesWritten;
  return rest === 0 ? { kind: 'inflated' } : damaged(`${rest} bytes after the end of the compressed data`);
}

function decoderFor(start: string): Gunzip | ZstdDecompress | undefined {
  if (start.startsWith('1f8b')) return createGunzip();
  return start.startsWith('28b52ffd') ? createZstdDecompress() : undefined;
}

/** zlib's own complaints, as opposed to a full disk. */
function isDecoding(cause: unknown): boolean {
  const code = (cause as { code?: unknown }).code;
  return typeof code === 'string' && /^(Z_|ZSTD_|ERR_)/.test(code);
}

function damaged(what: string): Inflated {
  return { kind: 'damaged', reason: `damaged or truncated compressed file: ${what}` };
}
