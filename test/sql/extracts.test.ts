import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { KeyedMode } from '../../lib/core/spec.ts';
import type { Sql } from '../../lib/core/sql-text.ts';
import { writeExtracts } from '../../lib/sql/extracts.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();
const MODE: KeyedMode = {
  kind: 'scd2',
  key: ['id'],
  sequence: 'seq',
  track: [],
  deleteWhen: null,
  tieBreak: null,
  missing: 'delete',
  validTo: null,
  coalesce: true,
  buckets: 1,
};

before(async () => {
  await db.table('l', '_source_file VARCHAR, seq INTEGER', ["'a', 1", "'a', 3", "'b', 5"]);
  await db.table('n', '_source_file VARCHAR, seq INTEGER', ["'c', 7", "'b', 6"]);
  await db.table('q', 'source_file VARCHAR, status VARCHAR', ["'c', 'quarantined'", "'a', 'released'"]);
});

async function extracts(
  rejected: readonly Sql[],
  withdrawn: readonly string[],
): Promise<readonly (readonly unknown[])[]> {
  const path = join(db.folder, 'extracts.parquet');
  await db.run(writeExtracts(MODE, { log: sql`l`, staged: sql`n`, rejected }, withdrawn, path));
  return db.values(`SELECT file, sequence FROM '${path}' ORDER BY file`);
}

test('an extract stands at the greatest sequence of its file', async () => {
  assert.deepEqual(await extracts([], []), [
    ['a', 3],
    ['b', 6],
    ['c', 7],
  ]);
});

test('a file with rows in quarantine is no full extract, until they are released', async () => {
  assert.deepEqual(await extracts([sql`q`], []), [
    ['a', 3],
    ['b', 6],
  ]);
});

test('a file with rows in any of several quarantines is no full extract', async () => {
  await db.table('q2', 'source_file VARCHAR, status VARCHAR', ["'b', 'condemned'"]);
  assert.deepEqual(await extracts([sql`q`, sql`q2`], []), [['a', 3]]);
});

test('what a withdrawn file said in the log counts no longer', async () => {
  assert.deepEqual(await extracts([], ['a', 'b']), [
    ['b', 6],
    ['c', 7],
  ]);
});
