import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createLocalStore } from '../../lib/adapters/store/local.ts';
import { withBuffer } from '../../lib/core/lent-buffer.ts';
import { localBytes, passBytes } from '../../lib/landing/byte-source.ts';
import { passFile, readHead } from '../../lib/landing/file-bytes.ts';
import { takePiece } from '../../lib/landing/take-piece.ts';
import { scanRecords, type TextFormat } from '../../lib/landing/text-file.ts';

/** Files that are larger than the buffer that they are read through, which is used again. */

const folder = mkdtempSync(join(tmpdir(), 'strata-file-bytes-'));
after(() => rmSync(folder, { recursive: true }));

const MIB = 1024 * 1024;
const CSV: TextFormat = {
  kind: 'csv',
  delimiter: ',',
  quote: '"',
  escape: '"',
  header: true,
  encoding: 'utf-8',
  nullText: [''],
};

const LINE = '12345678,abcdefg\n';
const LINES = Math.ceil((2.5 * MIB) / LINE.length);
const content = Buffer.from(LINE.repeat(LINES));
const path = join(folder, 'large.csv');
writeFileSync(path, content);

async function passed(from: number, to: number): Promise<{ bytes: Buffer; pieces: number; memories: number }> {
  const copies: Buffer[] = [];
  const memories = new Set<unknown>();
  await passFile(path, from, to, async (bytes) => {
    // What was given before is written over by now, and this is not until it was answered.
    await new Promise(setImmediate);
    copies.push(Buffer.from(bytes));
    memories.add(bytes.buffer);
  });
  return { bytes: Buffer.concat(copies), pieces: copies.length, memories: memories.size };
}

describe('a file that is passed piece by piece', () => {
  const RANGES: Readonly<Record<string, readonly [from: number, to: number, pieces: number]>> = {
    'all of it': [0, Number.POSITIVE_INFINITY, 3],
    'from a place in it to its end': [MIB + 3, content.length, 2],
    'a range within it': [5, 2 * MIB + 5, 2],
    'a range beyond its end': [content.length - 4, content.length + 100, 1],
    nothing: [7, 7, 0],
  };
  for (const [name, [from, to, pieces]] of Object.entries(RANGES)) {
    test(name, async () => {
      const found = await passed(from, to);
      assert.equal(found.bytes.equals(content.subarray(from, to)), true);
      assert.deepEqual([found.pieces, found.memories], [pieces, Math.min(pieces, 1)]);
    });
  }

  test('is closed, and its buffer given back, where what takes it fails', async () => {
    const memory = await withBuffer(async (buffer) => buffer.buffer);
    const failing = passFile(path, 0, 10, () => {
      throw new RangeError('no more');
    });
    await assert.rejects(failing, /no more/);
    assert.equal(await withBuffer(async (buffer) => buffer.buffer), memory);
  });
});

test('a buffer is lent to one at a time', async () => {
  const all = await withBuffer((first) => withBuffer(async (second) => [first, second]));
  assert.equal(new Set(all).size, 2);
  assert.deepEqual(
    all.map(({ length }) => length),
    [MIB, MIB],
  );
});

test('of many buffers that were lent at once eight are kept', async () => {
  const seen = new Set<Buffer>();
  const nested = async (depth: number): Promise<void> => {
    if (depth === 0) return;
    await withBuffer((buffer) => {
      seen.add(buffer);
      return nested(depth - 1);
    });
  };
  await nested(10);
  const before = new Set(seen);
  seen.clear();
  await nested(10);
  assert.equal([...seen].filter((buffer) => before.has(buffer)).length, 8);
});

test('a source on this machine is passed through one buffer, another as it gives its pieces', async () => {
  const local = await localBytes(path);
  const memories = new Set<unknown>();
  await passBytes(local, 0, content.length, (bytes) => void memories.add(bytes.buffer));
  assert.equal(memories.size, 1);
  const { path: _, ...remote } = local;
  const pieces: Uint8Array[] = [];
  await passBytes(remote, 3, MIB + 9, (bytes) => void pieces.push(bytes));
  assert.equal(Buffer.concat(pieces).equals(content.subarray(3, MIB + 9)), true);
});

test('records of a large file are counted whole', async () => {
  const { records, lines, longest, breaks } = await scanRecords(path, CSV, {});
  assert.deepEqual([records, lines, longest, breaks], [LINES, LINES, LINE.length - 1, 'lf']);
});

test('a part of a large file is copied below its header', async () => {
  const [from, to] = [17 * 1000, 17 * 150_000];
  const target = join(folder, 'piece');
  const piece = { nth: 1, from, to, lines: 1000, header: { from: 0, to: 17, lines: 1 } };
  await takePiece(await localBytes(path), piece, CSV, target);
  const wanted = Buffer.concat([content.subarray(0, 17), content.subarray(from, to)]);
  assert.equal((await readFile(target)).equals(wanted), true);
});

test('of a file its first 64 KiB are read at once, and all of a smaller one', async () => {
  const small = join(folder, 'small.csv');
  writeFileSync(small, content.subarray(0, 1000));
  assert.equal((await readHead(small))?.head.equals(content.subarray(0, 1000)), true);
  assert.equal((await readHead(path))?.head.equals(content.subarray(0, 64 * 1024)), true);
  assert.equal((await readHead(path))?.size, content.length);
});

for (const size of [0, 65_535, 65_536, MIB - 1, MIB, MIB + 1, content.length]) {
  test(`a file of ${size} bytes is known by all of its content`, async () => {
    const root = join(folder, `store-${size}`);
    mkdirSync(join(root, 'bronze'), { recursive: true });
    const bytes = content.subarray(0, size);
    writeFileSync(join(root, 'bronze', 'file'), bytes);
    const found = await createLocalStore({ root, durable: false }).head('bronze/file');
    assert.equal(found?.etag, createHash('sha256').update(bytes).digest('hex'));
  });
}
