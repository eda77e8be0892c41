import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartitionField } from '../../../lib/core/spec.ts';
import type { ColumnType } from '../../../lib/core/types.ts';
import { bucket, identity, month, truncate } from '../../../lib/define/index.ts';
import { insertPartitions, insertRows } from '../../../lib/sql/engines/insert.ts';
import { canAskFor, renderPartitionValues, whereIn } from '../../../lib/sql/engines/partitions.ts';
import { requireTypes } from '../../../lib/sql/engines/strict-types.ts';
import { pathIn } from '../../../lib/sql/quote.ts';
import { userSql } from '../../../lib/sql/user-sql.ts';

const typed = (kind: 'string' | 'date' | 'timestamp'): ColumnType => ({ kind });
const ROWS = {
  dialect: 'trino',
  into: pathIn('trino', ['db', 'a"b']),
  text: userSql('SELECT 1'),
  columns: [{ name: 'name', type: typed('string') }],
  partitionBy: [{ column: 'name', transform: { kind: 'identity' } }],
} as const;

test('rows go into columns by name, of the partitions that are asked for', () => {
  assert.equal(
    insertRows({ ...ROWS, partitions: [["o'x"], [null]] }),
    `INSERT INTO "db"."a""b" ("name") SELECT "name" FROM (
SELECT 1
) AS strata_rows WHERE CAST(CASE WHEN NOT (typeof("name") LIKE 'varchar%' OR typeof("name") IN ('string', 'unknown', 'void')) THEN concat('column name: got ', typeof("name"), '; expected string') ELSE 'true' END AS boolean) AND ((CAST("name" AS varchar) = 'o''x') OR (CAST("name" AS varchar) IS NULL))`,
  );
  assert.match(insertRows({ ...ROWS, partitions: null }), /AS boolean\)$/);
  assert.match(insertRows({ ...ROWS, partitions: [] }), / AND false$/);
});

test('Spark is given the bytes of a text whose characters it would read as others', () => {
  const by = { dialect: 'spark', fields: ROWS.partitionBy, columns: ROWS.columns } as const;
  const spelled = (text: string): string => whereIn(by, [[text]]);
  assert.equal(spelled('a "b"'), `((CAST(\`name\` AS string) = 'a "b"'))`);
  assert.equal(spelled("é'x"), "((CAST(`name` AS string) = CAST(X'C3A92778' AS string)))");
  assert.equal(spelled('a\\'), "((CAST(`name` AS string) = CAST(X'615C' AS string)))");
  assert.equal(spelled('${x}'), "((CAST(`name` AS string) = CAST(X'247B787D' AS string)))");
  assert.match(
    requireTypes('spark', [{ name: "o'x", type: typed('date') }]),
    /concat\(CAST\(X'[0-9A-F]+' AS string\), /,
  );
});

test('partitions are asked for as one text for each field', () => {
  assert.equal(
    insertPartitions({ ...ROWS, partitions: null }),
    'INSERT INTO "db"."a""b" ("p0") SELECT DISTINCT CAST("name" AS varchar) AS "p0" FROM (\nSELECT 1\n) AS strata_rows',
  );
});

test('values of partitions are spelled as Strata reads them', () => {
  const values = (
    dialect: 'trino' | 'spark',
    ...kinds: readonly PartitionField['transform']['kind'][]
  ): readonly string[] =>
    renderPartitionValues({
      dialect,
      fields: kinds.map(
        (kind): PartitionField => ({
          column: 't',
          transform: kind === 'bucket' || kind === 'truncate' ? { kind, width: 4 } : { kind },
        }),
      ),
      columns: [{ name: 't', type: typed('timestamp') }],
    });
  assert.deepEqual(values('trino', 'year', 'month', 'day', 'hour'), [
    'CAST(year("t") - 1970 AS varchar)',
    'CAST((year("t") - 1970) * 12 + month("t") - 1 AS varchar)',
    'CAST(CAST("t" AS date) AS varchar)',
    `CAST(date_diff('hour', TIMESTAMP '1970-01-01 00:00:00', date_trunc('hour', CAST("t" AS timestamp))) AS varchar)`,
  ]);
  assert.deepEqual(values('spark', 'day', 'hour'), [
    'CAST(CAST(`t` AS date) AS string)',
    "CAST(timestampdiff(HOUR, TIMESTAMP '1970-01-01 00:00:00', date_trunc('hour', `t`)) AS string)",
  ]);
  // In the zone of the partitions, whatever zone the text has its times in.
  const zoned = renderPartitionValues({
    dialect: 'trino',
    fields: [{ column: 't', transform: { kind: 'day' } }],
    columns: [{ name: 't', type: { kind: 'timestamptz' } }],
  });
  assert.deepEqual(zoned, [`CAST(CAST(at_timezone("t", 'UTC') AS date) AS varchar)`]);
  for (const kind of ['bucket', 'truncate'] as const)
    assert.throws(
      () => values('trino', kind),
      new RegExp(`InvalidInput: partitionBy ${kind}\\(t\\): an engine cannot be asked`),
    );
  assert.throws(
    () => values('trino', 'identity'),
    /cannot be asked for partitions of the type timestamp; expected boolean/,
  );
});

test('a column of another type ends the statement, by its name', () => {
  const types = (dialect: 'trino' | 'spark', type: ColumnType): string => requireTypes(dialect, [{ name: 'c', type }]);
  const got = 'typeof("c") NOT IN (';
  const cases: readonly (readonly [ColumnType, string])[] = [
    [{ kind: 'boolean' }, `${got}'boolean', 'unknown', 'void')`],
    [{ kind: 'int' }, `${got}'integer', 'smallint', 'tinyint', 'unknown', 'void')`],
    [{ kind: 'bigint' }, `${got}'bigint', 'integer', 'smallint', 'tinyint', 'unknown', 'void')`],
    [{ kind: 'float' }, `${got}'real', 'unknown', 'void')`],
    [{ kind: 'decimal', precision: 18, scale: 2 }, `${got}'decimal(18,2)', 'unknown', 'void')`],
    [{ kind: 'timestamp' }, `${got}'timestamp(0)', 'timestamp(3)', 'timestamp(6)', 'unknown', 'void')`],
    [
      { kind: 'timestamptz' },
      `${got}'timestamp(0) with time zone', 'timestamp(3) with time zone', 'timestamp(6) with time zone', 'unknown', 'void')`,
    ],
    [{ kind: 'binary' }, `${got}'varbinary', 'unknown', 'void')`],
  ];
  for (const [type, expected] of cases)
    assert.ok(types('trino', type).includes(`WHEN ${expected} THEN concat(`), type.kind);
  assert.equal(types('trino', { kind: 'list', element: { kind: 'int' } }), 'true');
  assert.equal(
    types('spark', { kind: 'timestamptz' }),
    "CASE WHEN typeof(`c`) NOT IN ('timestamp', 'unknown', 'void') THEN raise_error(concat('column c: got ', typeof(`c`), '; expected timestamptz')) ELSE true END",
  );
  assert.match(types('spark', { kind: 'int' }), /NOT IN \('int', 'smallint'/);
  assert.match(types('spark', { kind: 'float' }), /NOT IN \('float'/);
  assert.match(types('spark', { kind: 'binary' }), /NOT IN \('binary'/);
  assert.match(types('spark', { kind: 'timestamp' }), /NOT IN \('timestamp_ntz'/);
});

test('an engine is asked for some partitions only where their values have one text', () => {
  const columns = (['int', 'double', 'string', 'timestamptz'] as const).map((kind) => ({ name: kind, type: { kind } }));
  const cases: readonly (readonly [boolean, ...PartitionField[]])[] = [
    [true],
    [true, identity('int'), identity('string'), month('timestamptz')],
    [false, identity('double')],
    [false, identity('timestamptz')],
    [false, identity('int'), bucket(4, 'int')],
    [false, truncate(4, 'string')],
    [false, identity('nowhere')],
  ];
  for (const [able, ...fields] of cases) assert.equal(canAskFor({ fields, columns }), able, JSON.stringify(fields));
});
