import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readFooter } from '../../../lib/landing/parquet/footer.ts';
import { checkPages } from '../../../lib/landing/parquet/pages.ts';
import { type Lies, smallParquet } from './small-file.ts';

const numbers = Buffer.from(BigInt64Array.of(1n, 2n, 3n).buffer);

function file(lies: Lies = {}): Buffer {
  return smallParquet([{ name: 'id', physical: 2, plain: numbers }], 3, lies);
}

/** What is wrong with a file, or how many rows it has. */
async function look(bytes: Buffer): Promise<string | number> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-footer-'));
  const path = join(folder, 'a.parquet');
  await writeFile(path, bytes);
  const handle = await open(path);
  try {
    const footer = await readFooter(handle, bytes.length);
    await checkPages(handle, footer);
    return footer.rows;
  } catch (error) {
    assert.ok(error instanceof RangeError, String(error));
    return error.message;
  } finally {
    await handle.close();
    await rm(folder, { recursive: true });
  }
}

test('a file that is as it says', async () => {
  assert.equal(await look(file()), 3);
  assert.equal(await look(file({ withSum: true })), 3);
});

const LIES: readonly (readonly [string, Lies, RegExp])[] = [
  ['rows of the footer', { rows: 2 }, /footer has 2 rows, its row groups have 3/],
  ['rows of the footer and its row group', { rows: 2, groupRows: 2 }, /"id" of row group 0 has 3 values for 2 rows/],
  [
    'all counts of the footer, fewer',
    { rows: 2, groupRows: 2, chunkValues: 2 },
    /pages have 3 values, its footer says 2/,
  ],
  ['all counts of the footer, more', { rows: 4, groupRows: 4, chunkValues: 4 }, /page at byte/],
  ['values of a page', { pageValues: 9 }, /pages have 9 values, its footer says 3/],
  ['negative values of a page', { pageValues: -3 }, /neither a data page nor a dictionary/],
  ['bytes of a page', { pageBytes: 1_000_000 }, /said to have 1000000 bytes/],
  ['negative bytes of a page', { pageBytes: -1 }, /said to have -1 bytes/],
  ['the name of a chunk', { path: 'other' }, /is called "other" there/],
  ['a checksum', { sum: 7 }, /page at byte 4 has a wrong checksum/],
];

for (const [what, lies, reason] of LIES) {
  test(`refused for ${what}`, async () => {
    assert.match(String(await look(file(lies))), reason);
  });
}

test('a flipped bit of a page with a checksum is found', async () => {
  const bytes = file({ withSum: true });
  const at = bytes.indexOf(numbers);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at);
  assert.match(String(await look(bytes)), /wrong checksum/);
});

test('both ends and the length of the footer are looked at', async () => {
  const bytes = file();
  const changed = (at: number, text: string): Buffer => {
    const copy = Buffer.from(bytes);
    copy.write(text, at < 0 ? copy.length + at : at, 'latin1');
    return copy;
  };
  assert.match(String(await look(changed(0, 'X'))), /does not begin with PAR1/);
  assert.match(String(await look(changed(-1, 'X'))), /does not end with PAR1/);
  assert.match(String(await look(changed(-4, 'PARE'))), /encrypted/);
  assert.match(String(await look(changed(-8, '\xff\xff'))), /footer is said to have/);
  assert.match(String(await look(bytes.subarray(0, bytes.length - 20))), /does not end with PAR1/);
  assert.match(String(await look(Buffer.from('PAR1'))), /has 4 bytes/);
});

test('a file cut or changed anywhere never has other rows', async () => {
  const bytes = file({ withSum: true });
  for (let at = 0; at < bytes.length; at += 1) {
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(at) ^ 0x21, at);
    const found = await look(copy);
    assert.ok(typeof found === 'string' || found === 3, `byte ${at}: ${found}`);
  }
});
