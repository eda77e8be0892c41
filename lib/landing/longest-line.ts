import { type FileHandle, open } from 'node:fs/promises';

const MIB = 1024 * 1024;
/** DuckDB's default longest record, and the buffer it makes of it. */
const DEFAULT_LINE = 2 * MIB;
const BUFFERS = 16;
const STRIDE = 8 * MIB;
const PROBE = 64 * 1024;
const LONGEST = 1024 * MIB;

/**
 * The `max_line_size` with which DuckDB sees every record of a file, or `undefined` beyond 1 GiB. A record longer than
 * DuckDB's buffer (16 times that size) vanishes without a reject, so the buffer has to outgrow the longest line. One
 * probe per 8 MiB finds such lines without reading the file.
 */
export async function maxLineBytes(path: string, size: number): Promise<number | undefined> {
  if (size <= BUFFERS * DEFAULT_LINE) return DEFAULT_LINE;
  const file = await open(path, 'r');
  try {
    let longest = 0;
    let lastBreak = 0;
    for (let at = STRIDE; at < size; at = Math.max(at + STRIDE, lastBreak + 1)) {
      const found = await nextBreak(file, at, size);
      longest = Math.max(longest, found - lastBreak);
      lastBreak = found;
    }
    if (longest > LONGEST) return undefined;
    return Math.max(DEFAULT_LINE, Math.ceil((2 * longest) / BUFFERS));
  } finally {
    await file.close();
  }
}

async function nextBreak(file: FileHandle, from: number, size: number): Promise<number> {
  let length = PROBE;
  for (let at = from; at < size; ) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
    const found = buffer.subarray(0, bytesRead).indexOf(0x0a);
    if (found >= 0) return at + found;
    at += Math.max(1, bytesRead);
    length = MIB;
  }
  return size;
}
