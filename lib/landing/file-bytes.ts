import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { withBuffer } from '../core/lent-buffer.ts';

/** The beginning of a file, which for a small file is all of it: one open, one read. */
export type FileHead = {
  readonly path: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Its first bytes, at most `HEAD_BYTES`. */
  readonly head: Buffer;
};

const HEAD_BYTES = 64 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/** `undefined` for what is not a regular file. */
export async function readHead(path: string): Promise<FileHead | undefined> {
  const file = await open(path, 'r');
  try {
    const info = await file.stat();
    if (!info.isFile()) return undefined;
    const length = Math.min(info.size, HEAD_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, 0);
    return { path, size: info.size, head: buffer.subarray(0, bytesRead) };
  } finally {
    await file.close();
  }
}

/** The bytes from `from` up to `to`. */
export async function readBytes(file: FileHead, from: number, to: number): Promise<Buffer> {
  if (to <= file.head.length) return file.head.subarray(from, to);
  const handle = await open(file.path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(to - from), 0, to - from, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The bytes from `from` to the end, in pieces. */
export async function* readChunks(file: FileHead, from: number): AsyncGenerator<Buffer> {
  if (file.size <= file.head.length) yield file.head.subarray(from);
  else yield* createReadStream(file.path, { start: from, highWaterMark: CHUNK_BYTES });
}

/**
 * Passes the bytes from `from` up to `to`, or to the end of what the file has, to `take`, in pieces. What it is given is overwritten as
 * soon as it has answered.
 */
export async function passFile(
  path: string,
  from: number,
  to: number,
  take: (bytes: Buffer) => void | Promise<void>,
): Promise<void> {
  const file = await open(path, 'r');
  try {
    await withBuffer(async (buffer) => {
      for (let at = from; at < to; ) {
        const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, to - at), at);
        if (bytesRead === 0) return;
        await take(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
    });
  } finally {
    await file.close();
  }
}
