import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSource, runSources } from './bad-lake.ts';

const MB = 1_000_000;
const columns = { id: { type: 'bigint', required: true }, name: 'string' } as const;
const HEADER = 'id,name\n';
const long = (bytes: number): string => 'x'.repeat(bytes);
const lines = (bytes: number): string => 'xxxxxxx\n'.repeat(bytes / 8);

test('records of up to 100 MB, good and bad', { timeout: 120_000 }, async () => {
  const outcomes = await runSources({
    value: { csv: { columns }, files: { 'a.csv': `${HEADER}1,a\n2,${long(100 * MB)}\n3,c\n` } },
    last: { csv: { columns }, files: { 'a.csv': `${HEADER}1,a\n${long(100 * MB)}` } },
    quoted: { csv: { columns }, files: { 'a.csv': `${HEADER}1,"${lines(40 * MB)}"\n2,b\nx,c\n` } },
    quoted_last: { csv: { columns }, files: { 'a.csv': `${HEADER}1,a\n"${lines(40 * MB)}"` } },
    json: { json: { columns }, files: { 'a.json': `{"id":1,"name":"${long(40 * MB)}"}\n{"id":2}\n${long(3 * MB)}\n` } },
    too_long: {
      csv: { columns },
      files: {
        'a.csv': `${HEADER}1,a\n2,"${lines(136 * MB)}`,
        'b.csv': `${HEADER}${long(136 * MB)}\n1,a\n`,
        'good.csv': `${HEADER}9,z\n`,
      },
    },
  });
  const lengths = (rows: readonly { readonly [name: string]: unknown }[]): unknown[] =>
    rows.map((row) => [row['id'], String(row['name']).length]);
  assert.deepEqual(lengths(outcomes.value.rows), [
    [1, 1],
    [2, 100 * MB],
    [3, 1],
  ]);
  assert.deepEqual(outcomes.value.quarantine, []);
  assert.deepEqual(outcomes.last.rows, [{ id: 1, name: 'a' }]);
  assert.deepEqual([outcomes.last.quarantine[0]?.line, outcomes.last.quarantine[0]?.codes], [3, ['SCHEMA_ERROR']]);
  assert.deepEqual(lengths(outcomes.quoted.rows), [
    [1, 40 * MB],
    [2, 1],
  ]);
  assert.deepEqual(
    [outcomes.quoted.quarantine[0]?.line, outcomes.quoted.quarantine[0]?.codes],
    [5_000_004, ['TYPE_ERROR']],
  );
  assert.equal(outcomes.quoted_last.quarantine[0]?.line, 3);
  assert.deepEqual(lengths(outcomes.json.rows), [
    [1, 40 * MB],
    [2, 4],
  ]);
  assert.equal(outcomes.json.quarantine[0]?.line, 3);
  assert.deepEqual(outcomes.too_long.rejected, {
    'a.csv': 'UNREADABLE_FILE: line 3: a quote is never closed; 136000003 bytes follow',
    'b.csv':
      'FILE_TOO_LARGE: a record is 136000000 bytes long; at most 134217728 are read. Land large values as files of their own, and their names',
  });
  assert.deepEqual(outcomes.too_long.rows, [{ id: 9, name: 'z' }]);
});

test('2,000 columns', { timeout: 60_000 }, async () => {
  const names = Array.from({ length: 2000 }, (_, i) => `column ${i}`);
  const contract = Object.fromEntries(names.map((name) => [name, { type: 'int', required: true } as const]));
  const row = names.map((_, i) => i).join(',');
  const outcome = await runSource({
    csv: { columns: contract },
    files: { 'a.csv': `${names.join(',')}\n${row}\n${row},1\n${row.replace('1999', 'x')}\n` },
  });
  assert.equal(Object.keys(outcome.rows[0] ?? {}).length, 2000);
  assert.deepEqual(
    outcome.quarantine.map((refused) => [refused.line, refused.details.join()]),
    [
      [3, 'too many fields: got 2001; expected 2000'],
      [4, "column 1999: got 'x'; expected a int"],
    ],
  );
});

test('10,000 tiny files in one run', { timeout: 120_000 }, async (context) => {
  const files: Record<string, string> = {};
  for (let i = 0; i < 10_000; i += 1) files[`${i}.csv`] = `${HEADER}${i},a\n${i % 1000 === 0 ? 'x' : i},b\n`;
  files['broken.csv'] = 'name\nx\n';
  const started = performance.now();
  const outcome = await runSource({ csv: { columns }, files });
  context.diagnostic(`10,001 files in ${Math.round(performance.now() - started)} ms`);
  assert.deepEqual(outcome.counts, { read: 20_000, accepted: 19_990, quarantined: 10, condemned: 0, duplicates: 0 });
  assert.deepEqual(Object.keys(outcome.rejected), ['broken.csv']);
  for (const refused of outcome.quarantine) assert.equal(refused.line, 3);
});
