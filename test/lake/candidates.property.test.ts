import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { applyChange } from '../../lib/iceberg/apply.ts';
import { encodeLowerBound, encodeUpperBound } from '../../lib/iceberg/bounds.ts';
import { createTable } from '../../lib/iceberg/changes.ts';
import { renderScalarText } from '../../lib/iceberg/partition-path.ts';
import { columnTypeOf } from '../../lib/iceberg/schema.ts';
import type { DataFile, IcebergValue } from '../../lib/iceberg/types.ts';
import { compareValues } from '../../lib/iceberg/values.ts';
import { candidateFiles, findPartFilter } from '../../lib/lake/tables/candidates.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { duckType } from '../../lib/sql/types.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { valuesOf } from '../iceberg/arbitraries.ts';

const SEED = Number(process.env['CANDIDATES_SEED'] ?? Date.now() % 2 ** 31);
const CASES = Number(process.env['CANDIDATES_CASES'] ?? 150);

const scratch = mkdtempSync(join(tmpdir(), 'strata-candidates-'));
const opened = createDuckDbEngine().open({ memoryBytes: 5e8, threads: 1, scratch });
after(async () => {
  await (await opened)[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});

const DAYS = fc.integer({ min: -700_000, max: 700_000 });
const LONG = 'a text of which a bound has the beginning, and not its end: ';
const texts = fc.oneof(
  valuesOf('string').filter((value) => String(value).isWellFormed()),
  fc.integer({ min: 0, max: 3 }).map((end) => `${LONG}${end}`),
);
const TYPES: Readonly<Record<string, fc.Arbitrary<IcebergValue>>> = {
  int: valuesOf('int'),
  long: valuesOf('long'),
  'decimal(38, 10)': valuesOf('decimal(38, 10)'),
  'decimal(4, 2)': valuesOf('decimal(4, 2)'),
  date: DAYS,
  timestamp: DAYS.map((day) => BigInt(day) * 86_400_000_000n + 1n),
  timestamptz: DAYS.map((day) => BigInt(day) * 86_400_000_000n - 1n),
  string: texts,
  boolean: valuesOf('boolean'),
  double: valuesOf('double'),
};

const BOUNDED = Object.keys(TYPES).filter((type) => !['boolean', 'double'].includes(type));

type Case = {
  readonly type: string;
  readonly files: readonly (readonly IcebergValue[])[];
  readonly fresh: readonly IcebergValue[];
  readonly nulls: boolean;
};

/** Values of files and new ones are of one small pool, so that some are equal. */
const cases: fc.Arbitrary<Case> = fc.constantFrom(...Object.keys(TYPES)).chain((type) =>
  fc.array(TYPES[type] ?? fc.constant(null), { minLength: 1, maxLength: 8 }).chain((pool) => {
    const some = fc.array(fc.option(fc.constantFrom(...pool), { freq: 6 }), { minLength: 1, maxLength: 4 });
    return fc.record({
      type: fc.constant(type),
      files: fc.array(some, { minLength: 1, maxLength: 6 }),
      fresh: some,
      nulls: fc.boolean(),
    });
  }),
);

function fileOf(type: string, values: readonly IcebergValue[]): DataFile {
  const bounded = values.filter((value) => value !== null && !Number.isNaN(value)).sort(compareValues);
  const lower = bounded.length > 0 ? encodeLowerBound(type, bounded[0] ?? null) : undefined;
  const upper = bounded.length > 0 ? encodeUpperBound(type, bounded.at(-1) ?? null) : undefined;
  return {
    path: 'f',
    specId: 0,
    partition: [],
    rows: BigInt(values.length),
    bytes: 1n,
    columnSizes: new Map(),
    valueCounts: new Map([[1, BigInt(values.length)]]),
    nullCounts: new Map([[1, BigInt(values.filter((value) => value === null).length)]]),
    nanCounts: new Map(),
    lowerBounds: new Map(lower === undefined ? [] : [[1, lower]]),
    upperBounds: new Map(upper === undefined ? [] : [[1, upper]]),
    sortOrderId: null,
  };
}

const isEqual = (a: IcebergValue, b: IcebergValue, nulls: boolean): boolean =>
  a === null || b === null ? nulls && a === b : compareValues(a, b) === 0;

test(`no file and no part of one is left out that has a row which is equal to a new one (seed ${SEED})`, async () => {
  const session = await opened;
  let left = 0;
  const property = fc.asyncProperty(cases, async ({ type, files, fresh, nulls }) => {
    const column = { name: 'k', type: columnTypeOf(type) };
    const table = applyChange(
      createTable({ uuid: 'u', location: 'l', columns: [column], partitionBy: [], sortBy: [], properties: {} }),
      undefined,
      0,
    );
    const duck = duckType(column.type);
    const text = (value: IcebergValue): string =>
      value === null
        ? 'NULL'
        : `'${renderScalarText(type, value).replaceAll("'", "''").replaceAll('\0', "' || chr(0) || '")}'`;
    const rows = fresh.map((value) => `(CAST((${text(value)}) AS ${duck}))`).join(', ');
    await session.run({
      name: 'new rows',
      text: userSql(`CREATE OR REPLACE TABLE fresh AS FROM (VALUES ${rows}) f(k)`),
    });
    const asked = { from: sql`fresh`, by: [column], nulls };
    const data = files.map((values) => fileOf(type, values));
    const found = await candidateFiles(session, table, data, asked);
    const mayMatch = await findPartFilter(session, table, asked);
    for (const [at, values] of files.entries()) {
      const file = data[at];
      assert.ok(file);
      const has = values.some((value) => fresh.some((one) => isEqual(value, one, nulls)));
      if (has) assert.ok(found.includes(file) && mayMatch(file), `file ${at}`);
      if (!found.includes(file)) left += 1;
      if (BOUNDED.includes(type)) assert.equal(mayMatch(file), found.includes(file));
    }
  });
  await fc.assert(property, { numRuns: CASES, seed: SEED });
  assert.ok(left > CASES / 10, `${left} files were left out`);
});
