import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { PartitionField } from '../../lib/core/spec.ts';
import type { Column } from '../../lib/core/types.ts';
import { columnsOf, currentSchema } from '../../lib/iceberg/schema.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { PARTITIONED, SAMPLE_ROWS, writeSample } from '../interop/sample.ts';
import {
  assertReadsAlike,
  icebirdRows,
  landingPath,
  loadMetadata,
  openServedLake,
  runPipeline,
  type ServedLake,
  scanRows,
  sorted,
} from './lake.ts';
import { fromDuckDb } from './representable.ts';

/** Every type under every transform, written by one run and read by icebird (its limits: representable.ts). */
let served: ServedLake;
let columns: readonly Column[];
let landed: readonly string[];
const silver = (name: string) => ({ pipeline: 'types', layer: 'silver', name }) as const;

before(async () => {
  served = await openServedLake(fileURLToPath(new URL('../interop/pipelines', import.meta.url)));
  const sample = await landingPath(served.lake, 'types', 'sample', 'sample.parquet');
  await served.session.run(writeSample(sample));
  await writeFile(await landingPath(served.lake, 'types', 'nothing', 'nothing.csv'), 'id,name,at\n');
  await runPipeline(served, 'types');
  columns = columnsOf(currentSchema(await loadMetadata(served, silver('by_nothing'))));
  const rows = await served.session.rows({ name: 'landed', text: userSql(`FROM '${sample}'`) });
  landed = sorted(rows.map((row) => fromDuckDb(row, columns)));
  assert.equal(landed.length, SAMPLE_ROWS);
});

after(() => served.close());

for (const [name, partitionBy] of Object.entries(PARTITIONED)) {
  const id = silver(name);
  test(`${name}: DuckDB reads the rows that were landed`, async () => {
    assert.deepEqual(sorted((await scanRows(served, id)).map((row) => fromDuckDb(row, columns))), landed);
  });
  if (partitionBy.some(holdsDecimals)) {
    test(`${name}: icebird refuses a decimal as a partition value, which Avro keeps as fixed`, async () => {
      await assert.rejects(icebirdRows(served, id), /unsupported type: fixed/);
    });
  } else {
    test(`${name}: icebird reads what DuckDB reads`, async () => {
      assert.equal(await assertReadsAlike(served, id), SAMPLE_ROWS);
    });
  }
}

function holdsDecimals({ column, transform }: PartitionField): boolean {
  return column.startsWith('c_decimal') && transform.kind !== 'bucket';
}

test('a table without rows is empty to both, though icebird has an error for it', async () => {
  assert.equal(await assertReadsAlike(served, silver('empty')), 0);
});
