import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

/** The beginning of a file, which for most files is all of it: one open, one read. */
export type FileHead = {
  readonly path: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Its first bytes, at most `HEAD_BYTES`. */
  readonly head: Buffer;
};

const HEAD_BYTES = 1024 * 1024;

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
  else yield* createReadStream(file.path, { start: from, highWaterMark: HEAD_BYTES });
}
