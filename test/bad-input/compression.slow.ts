import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { type BadSource, runSource, runSources } from './bad-lake.ts';

const ROWS = 3000;
const CSV = `id\n${Array.from({ length: ROWS }, (_, i) => `${i}\n`).join('')}`;
const LINES = Array.from({ length: ROWS }, (_, i) => `{"id":${i}}\n`).join('');
const ARRAY = `[${LINES.trim().replaceAll('\n', ',')}]`;

const flip = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 0xff, at);
  return copy;
};

/** Files that hold all rows, and files that must be rejected. */
function compressed(text: string): { readonly whole: BadSource['files']; readonly broken: BadSource['files'] } {
  const gz = gzipSync(text);
  const zst = zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
  return {
    whole: {
      'a.gz': gz,
      'a.zst': zst,
      'named-wrongly.txt': gz,
      'plain.gz': text,
      'two-members.gz': Buffer.concat([gz, gz]),
    },
    broken: {
      'half.gz': gz.subarray(0, gz.length / 2),
      'without-end.gz': gz.subarray(0, -1),
      'wrong-crc.gz': flip(gz, gz.length - 8),
      'wrong-length.gz': flip(gz, gz.length - 1),
      'flipped.gz': flip(gz, gz.length >> 1),
      'magic-only.gz': gz.subarray(0, 3),
      'garbage-after.gz': Buffer.concat([gz, Buffer.from('garbage')]),
      'half.zst': zst.subarray(0, zst.length / 2),
      'without-end.zst': zst.subarray(0, -1),
      'wrong-checksum.zst': flip(zst, zst.length - 1),
      'garbage-after.zst': Buffer.concat([zst, Buffer.from('garbage')]),
    },
  };
}

const columns = { id: 'bigint' } as const;
const sourceOf = (
  text: string,
  contract:
    | { readonly csv: { columns: typeof columns } }
    | { readonly json: { columns: typeof columns; layout?: 'array' } },
): BadSource => {
  const { whole, broken } = compressed(text);
  return { ...contract, files: { ...whole, ...broken } };
};

test('a compressed file is read whole or not at all', async () => {
  const outcomes = await runSources({
    csv: sourceOf(CSV, { csv: { columns } }),
    lines: sourceOf(LINES, { json: { columns } }),
    array: sourceOf(ARRAY, { json: { columns, layout: 'array' } }),
  });
  for (const [name, { counts, rejected }] of Object.entries(outcomes)) {
    const { broken } = compressed(CSV);
    // Two JSON arrays in one file are no JSON array.
    const arrays = name === 'array' ? ['two-members.gz'] : [];
    assert.deepEqual(Object.keys(rejected).sort(), [...Object.keys(broken), ...arrays].sort());
    for (const file of Object.keys(broken)) {
      assert.match(rejected[file] ?? '', /^UNREADABLE_FILE: damaged or truncated compressed file: /, `${name} ${file}`);
    }
    const members = name === 'array' ? 4 : 6;
    // The header of the second member of a CSV file is a row that is no number.
    assert.equal(counts.accepted, members * ROWS, name);
    assert.equal(counts.quarantined, name === 'csv' ? 1 : 0, name);
  }
});

test('an empty file inside a compressed one', async () => {
  const { rejected } = await runSource({ csv: { columns }, files: { 'a.gz': gzipSync(''), 'b.csv': 'id\n1\n' } });
  assert.deepEqual(rejected, { 'a.gz': 'UNREADABLE_FILE: the file is empty (0 bytes)' });
});

test('files that go or change between planning and reading are left to the next run, and the rest arrives', async () => {
  const outcome = await runSource(
    {
      csv: { columns },
      files: { 'gone.csv': 'id\n1\n', 'changed.csv': 'id\n2\n', 'stays.csv': 'id\n3\n' },
      ledger: ['stays.csv'],
    },
    {
      planned: (folder) => {
        rmSync(join(folder, 'rows', 'gone.csv'));
        writeFileSync(join(folder, 'rows', 'changed.csv'), 'id\n22\n222\n');
      },
    },
  );
  assert.deepEqual(outcome.rows, [{ id: 3 }]);
  assert.deepEqual(outcome.rejected, {});
});
