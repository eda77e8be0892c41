import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { passFile } from './file-bytes.ts';

/** The bytes of one landed file, wherever it is. */
export type ByteSource = {
  readonly size: number;
  /** Where it lies, if that is on this machine. */
  readonly path?: string;
  /** The bytes from `from` up to `to`, in pieces. */
  read(from: number, to: number): AsyncIterable<Uint8Array>;
  /** How many ranges are worth reading at once: several where each waits for a network. */
  readonly atOnce: number;
};

const CHUNK_BYTES = 1024 * 1024;

export async function localBytes(path: string): Promise<ByteSource> {
  const { size } = await stat(path);
  return { size, path, read: (from, to) => readLocal(path, from, to), atOnce: 1 };
}

async function* readLocal(path: string, from: number, to: number): AsyncGenerator<Uint8Array> {
  if (from < to) yield* createReadStream(path, { start: from, end: to - 1, highWaterMark: CHUNK_BYTES });
}

/** Passes the bytes from `from` up to `to` to `take`, in pieces, each of which is there until it has answered. */
export async function passBytes(
  source: ByteSource,
  from: number,
  to: number,
  take: (bytes: Uint8Array) => void | Promise<void>,
): Promise<void> {
  if (source.path !== undefined) return passFile(source.path, from, to, take);
  for await (const chunk of source.read(from, to)) await take(chunk);
}

/** The bytes from `from` up to `to`, or to the end, which are few. */
export async function readWhole(source: ByteSource, from: number, to: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.read(from, Math.min(to, source.size))) chunks.push(chunk);
  return Buffer.concat(chunks);
}
