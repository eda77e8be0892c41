import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { csv, definePipeline } from '../../lib/define/index.ts';
import { openTestLake } from '../support/test-lake.ts';

/** The files of csv-spectrum with the rows that its authors say are in them. */
const FOLDER = dirname(createRequire(import.meta.url).resolve('csv-spectrum'));
const NAMES = [
  'comma_in_quotes',
  'empty',
  'empty_crlf',
  'escaped_quotes',
  'json',
  'newlines',
  'newlines_crlf',
  'quotes_and_newlines',
  'simple',
  'simple_crlf',
  'utf8',
];

type Record = { readonly [column: string]: string };

for (const name of NAMES) {
  test(`csv-spectrum ${name}: the rows of its JSON`, async () => {
    const expected = JSON.parse(readFileSync(join(FOLDER, 'json', `${name}.json`), 'utf8')) as readonly Record[];
    const rows = await ingest(readFileSync(join(FOLDER, 'csvs', `${name}.csv`)), Object.keys(expected[0] ?? {}));
    assert.deepEqual(sorted(rows), sorted(expected));
  });
}

test('csv-spectrum location_coordinates: quotes inside bare fields stay as they are', async () => {
  // Its JSON describes another row, so the columns are held against the text itself.
  const text = readFileSync(join(FOLDER, 'csvs', 'location_coordinates.csv'), 'utf8');
  const [header = '', row = ''] = text.trimEnd().split('\n');
  const names = header.split(',');
  const rows = await ingest(Buffer.from(text), names);
  assert.deepEqual(rows, [Object.fromEntries(row.split(',').map((value, i) => [names[i], value]))]);
});

/** All rows of the file as text, NULL as an empty text, which CSV cannot tell apart. */
async function ingest(file: Uint8Array, names: readonly string[]): Promise<readonly Record[]> {
  const columns = Object.fromEntries(names.map((name, i) => [name, { type: 'string', as: `c${i}` } as const]));
  const definition = definePipeline({ name: 'suite', sources: { s: csv({ columns }) }, silver: { s: { from: 's' } } });
  const lake = await openTestLake({ name: 'suite', definition });
  try {
    await lake.land('s', 'a.csv', file);
    const { accounting, rejected_files } = await lake.run();
    assert.deepEqual(rejected_files, []);
    assert.equal(accounting['s']?.quarantined, 0);
    const rows = await lake.rows('suite_silver.s', 'SELECT * FROM t');
    return rows.map((row) => Object.fromEntries(names.map((name, i) => [name, String(row[`c${i}`] ?? '')])));
  } finally {
    lake.close();
  }
}

function sorted(rows: readonly Record[]): readonly string[] {
  return rows.map((row) => JSON.stringify(row, Object.keys(row).sort())).sort();
}
