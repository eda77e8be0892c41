import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';

export type Inflated =
  | { readonly kind: 'plain' }
  | { readonly kind: 'inflated' }
  | { readonly kind: 'damaged'; readonly reason: string };

/**
 * Writes the uncompressed content of a gzip or zstd file to `target` and verifies its checksums on the way: DuckDB
 * reads the readable part of a truncated gzip file and says nothing. Compression is told by the first bytes, not by
 * the name. A file that is not compressed is left alone.
 */
export async function inflate(path: string, target: string): Promise<Inflated> {
  const decoder = decoderFor(await firstBytes(path, 4));
  if (decoder === undefined) return { kind: 'plain' };
  try {
    await pipeline(createReadStream(path), decoder, createWriteStream(target));
    return { kind: 'inflated' };
  } catch (cause) {
    return {
      kind: 'damaged',
      reason: `damaged or truncated compressed file: ${cause instanceof Error ? cause.message : String(cause)}`,
    };
  }
}

export async function firstBytes(path: string, length: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function decoderFor(start: Buffer): NodeJS.ReadWriteStream | undefined {
  if (start[0] === 0x1f && start[1] === 0x8b) return createGunzip();
  if (start.length === 4 && start.readUInt32LE(0) === 0xfd2fb528) return createZstdDecompress();
  return undefined;
}
