import assert from 'node:assert/strict';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { createRejected } from '../../lib/sql/batch.ts';
import { DUPLICATES, HASH, KEY, OK, PARSED } from '../../lib/sql/batch-tables.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { addRejections, copyRejections, countMemory, createMemory, rejectCondemned } from '../../lib/sql/memory.ts';
import { recipeOf } from '../support/batch-recipes.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();
const OF_T = { source: 's', table: 't' };

describe('what is remembered of rejected rows', () => {
  beforeEach(async () => {
    for (const name of ['__memory', '__rejected', '__attempts']) await db.values(`DROP TABLE IF EXISTS ${name}`);
    await db.table(
      'q',
      'source VARCHAR, row_hash VARCHAR, business_key VARCHAR, status VARCHAR, source_file VARCHAR, line BIGINT, table_name VARCHAR',
      [
        "'s', 'h1', 'k1', 'quarantined', 'a.csv', 1, NULL",
        "'s', 'h2', 'k2', 'quarantined', 'a.csv', 2, NULL",
        "'s', 'h3', 'k2', 'quarantined', 'b.csv', 1, NULL",
        "'s', 'h4', 'k2', 'condemned', 'b.csv', 2, NULL",
        "'s', 'h5', 'k5', 'released', 'b.csv', 3, NULL",
        "'t', 'h6', 'k6', 'quarantined', 'b.csv', 4, NULL",
      ],
    );
  });

  async function batch(
    rows: readonly string[],
    duplicates: readonly string[] = [],
  ): Promise<readonly (readonly unknown[])[]> {
    await db.table(PARSED, `${HASH} VARCHAR, ${KEY} VARCHAR, ${OK} BOOLEAN`, rows);
    await db.table(DUPLICATES, 'rid BIGINT', duplicates);
    await db.run(createRejected());
    await db.run(...rejectCondemned(recipeOf({ memory: true, equalRows: { known: false } })));
    return db.values('SELECT rid, issues[1].code FROM __rejected ORDER BY rid');
  }

  test('remembers what the source has in quarantine and is not released or withdrawn', async () => {
    await db.run(createMemory(sql`q`, OF_T, []));
    assert.deepEqual(await db.rows(countMemory()), [{ rows: 4 }]);
    await db.values('DROP TABLE __memory');
    await db.run(createMemory(sql`q`, OF_T, ['a.csv']));
    assert.deepEqual(await db.values('SELECT * FROM __memory ORDER BY ALL'), [
      ['h3', 'k2', 'quarantined', false],
      ['h4', 'k2', 'condemned', false],
    ]);
  });

  test('a lake without quarantine remembers nothing', async () => {
    await db.run(createMemory(undefined, OF_T, []));
    assert.deepEqual(await batch(["'h1', 'k1', false"]), []);
  });

  test('a row that is in quarantine is condemned, whatever it holds; a released one is not', async () => {
    await db.run(createMemory(sql`q`, OF_T, []));
    assert.deepEqual(await batch(["'h1', 'k1', true", "'h4', 'k9', true", "'h5', 'k5', true", "'h6', 'k6', true"]), [
      [0, 'DUPLICATE_FAILURE'],
      [1, 'DUPLICATE_FAILURE'],
    ]);
  });

  test('a key is condemned after three rejections, those earlier in the batch included, condemned rows not', async () => {
    await db.run(createMemory(sql`q`, OF_T, []));
    const rows = [
      "'n1', 'k2', false",
      "'n2', 'k2', true",
      "'n3', 'k1', true",
      "'n4', 'new', false",
      "'n5', NULL, false",
      "'n6', 'fine', true",
    ];
    assert.deepEqual(await batch(rows), [[1, 'MAX_ATTEMPTS']]);
    assert.deepEqual(await db.values('SELECT rid, rejections FROM __attempts ORDER BY rid'), [
      [0, 2],
      [1, 3],
      [2, 1],
      [3, 0],
    ]);
  });

  test('a row that quarantine knows is no rejection once more, and is condemned for one reason', async () => {
    await db.run(createMemory(sql`q`, OF_T, []));
    const rows = ["'h2', 'k2', false", "'n1', 'k2', false", "'h3', 'k2', false", "'n2', 'k2', true"];
    assert.deepEqual(await batch(rows), [
      [0, 'DUPLICATE_FAILURE'],
      [2, 'DUPLICATE_FAILURE'],
      [3, 'MAX_ATTEMPTS'],
    ]);
    const [last] = await db.values("SELECT issues[1].detail FROM __rejected WHERE issues[1].code = 'MAX_ATTEMPTS'");
    assert.deepEqual(last, ['its key was rejected 3 times before']);
  });

  test('a row that was dropped as a duplicate is neither condemned nor counted, where there are such rows', async () => {
    await db.run(createMemory(sql`q`, OF_T, []));
    const rows = ["'n1', 'k2', false", "'n1', 'k2', false", "'n2', 'k1', true", "'h1', 'k1', true"];
    assert.deepEqual(await batch(rows, ['1', '3']), []);
    for (const name of ['__rejected', '__attempts', DUPLICATES]) await db.values(`DROP TABLE ${name}`);
    await db.run(createRejected());
    await db.run(...rejectCondemned(recipeOf({ memory: true })));
    assert.deepEqual(await db.values('SELECT rid, issues[1].code FROM __rejected ORDER BY rid'), [
      [1, 'MAX_ATTEMPTS'],
      [3, 'DUPLICATE_FAILURE'],
    ]);
  });

  test('a table remembers what was rejected for all tables and for itself, each row once, and nothing of the others', async () => {
    await db.table(
      'own',
      'source VARCHAR, row_hash VARCHAR, business_key VARCHAR, status VARCHAR, source_file VARCHAR, line BIGINT, table_name VARCHAR',
      [
        "'s', 'h1', 'k', 'quarantined', 'a.csv', 1, NULL",
        "'s', 'h1', 'k', 'quarantined', 'a.csv', 1, 't'",
        "'s', 'h2', 'k', 'quarantined', 'a.csv', 2, 't'",
        "'s', 'h3', 'k', 'quarantined', 'a.csv', 3, 't'",
        "'s', 'h4', 'k', 'quarantined', 'a.csv', 4, 'other'",
      ],
    );
    await db.run(createMemory(sql`own`, OF_T, []));
    assert.deepEqual(await db.values('SELECT * FROM __memory ORDER BY ALL'), [
      ['h1', 'k', 'quarantined', false],
      ['h2', 'k', 'quarantined', true],
      ['h3', 'k', 'quarantined', true],
    ]);
    const rows = ["'h1', 'k', true", "'h2', NULL, true", "'h4', NULL, true", "'n1', 'k', true"];
    await batch(rows);
    // What is known for all tables condemns for all; what only this one rejected condemns for it alone.
    assert.deepEqual(await db.values('SELECT rid, issues[1].code, own FROM __rejected ORDER BY rid'), [
      [0, 'DUPLICATE_FAILURE', false],
      [1, 'DUPLICATE_FAILURE', true],
      [3, 'MAX_ATTEMPTS', true],
    ]);
  });

  test('parts of a file pass on how often keys were rejected, which makes no row a known one', async () => {
    const recipe = recipeOf({ memory: true, equalRows: { known: false } });
    const own = join(db.folder, 'first.parquet');
    await db.run(createMemory(sql`q`, OF_T, []));
    await batch([
      "'n1', 'k9', false",
      "'n2', 'k9', false",
      "'h1', 'k9', false",
      "'n3', NULL, false",
      "'n4', 'k1', true",
    ]);
    await db.run(copyRejections(recipe, own));
    for (const name of ['__memory', '__rejected', '__attempts']) await db.values(`DROP TABLE ${name}`);
    await db.run(createMemory(sql`q`, OF_T, []), addRejections([own]));
    assert.deepEqual(await batch(["'n1', 'k9', false", "'n5', 'k9', true"]), [[1, 'MAX_ATTEMPTS']]);
  });
});
