import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import {
  addRowIdColumn,
  castsOf,
  conditionOver,
  createBindSchemas,
  createTable,
  createThis,
  dropBindSchemas,
  isOrdered,
  listFunctions,
  orderedOver,
  selectBatch,
  subqueryText,
  tryPattern,
  tryStrptime,
} from '../../lib/sql/bind.ts';
import { attachOwn, DESCRIBE, describeQuery, detach, limitSpill, listAttached, setUtc } from '../../lib/sql/session.ts';
import { deserializeSql, orderText, printedTerm, serializeSql } from '../../lib/sql/syntax.ts';
import { duckType } from '../../lib/sql/types.ts';
import { engineSql } from '../../lib/sql/user-sql.ts';
import { testSteps } from './golden-steps.ts';

const TABLE = { schema: 'batch', name: 'sa"les' };
const AMOUNT = duckType({ kind: 'decimal', precision: 4, scale: 2 });
const COLUMNS = [
  { name: 'id', type: { kind: 'int' } },
  { name: 'na"me', type: { kind: 'list', element: { kind: 'string' } } },
] as const;
const [batch, ...otherSchemas] = createBindSchemas();
const [dropVars, dropThis, dropBatch, ...otherDrops] = dropBindSchemas();
assert.ok(batch && dropVars && dropThis && dropBatch);

describe('what SQL is bound against, and its parts as runs write them', () => {
  testSteps({}, () => [
    { golden: 'bind-schema', statement: batch },
    { golden: 'bind-table', statement: createTable(TABLE.schema, TABLE.name, COLUMNS) },
    { golden: 'bind-row-id', statement: addRowIdColumn(TABLE.name) },
    { golden: 'bind-this', statement: createThis(TABLE.schema, TABLE.name) },
    {
      golden: 'bind-describe',
      statement: describeQuery({ name: 'query', text: subqueryText('from this') }),
      check: (rows) =>
        assert.deepEqual(
          rows.map((row) => [row['column_name'], row['column_type']]),
          [
            ['id', 'INTEGER'],
            ['na"me', 'VARCHAR[]'],
            ['__rid', 'BIGINT'],
          ],
        ),
    },
    { golden: 'bind-condition', statement: conditionOver('id > 1 OR true', TABLE), rows: [] },
    { golden: 'bind-order', statement: orderedOver('id desc, len("na""me")', TABLE), rows: [] },
    {
      golden: 'bind-values',
      statement: castsOf(["it's", '12.34', ''], AMOUNT),
      rows: [{ v0: false, v1: true, v2: false }],
    },
    { golden: 'bind-ordered', statement: isOrdered('9', '10.5', AMOUNT), rows: [{ ok: true }] },
    { golden: 'bind-pattern', statement: tryPattern("[a-z']*"), rows: [{ ok: true }] },
    { golden: 'bind-format', statement: tryStrptime("%d '%m"), rows: [{ ok: null }] },
    {
      golden: 'bind-functions',
      statement: listFunctions(),
      check: (rows) => {
        const aggregates = new Map(rows.map((row) => [row['name'], row['aggregate']]));
        assert.deepEqual(
          [aggregates.get('sum'), aggregates.get('random'), aggregates.get('abs')],
          [true, false, undefined],
        );
      },
    },
    { golden: 'bind-drop-vars', statement: dropVars },
    { golden: 'bind-drop-this', statement: dropThis },
    { golden: 'bind-drop', statement: dropBatch },
    { golden: 'session-utc', statement: setUtc() },
    { golden: 'session-spill', statement: limitSpill(123_456_789) },
    { golden: 'session-attached', statement: listAttached() },
    ...attachOwn('left')
      .slice(0, 1)
      .map((statement) => ({ golden: 'session-attach', statement })),
    { golden: 'session-detach', statement: detach('left') },
    ...attachOwn('left').map((statement) => ({ golden: `session-${statement.name}`, statement })),
  ]);
});

test('all schemas are made and dropped', () => {
  assert.deepEqual(
    otherSchemas.map(({ text }) => text),
    ['CREATE SCHEMA "silver"', 'CREATE SCHEMA "gold"', 'CREATE SCHEMA "mapped"'],
  );
  assert.deepEqual(
    otherDrops.map(({ text }) => text),
    ['silver', 'gold', 'mapped'].map((name) => `DROP SCHEMA IF EXISTS "${name}" CASCADE`),
  );
});

test('a model without SQL selects its batch', () => {
  assert.equal(selectBatch('lines'), 'SELECT * FROM batch.lines');
});

test('a place that DuckDB marks counts what stands before a described query', () => {
  assert.equal(DESCRIBE.length, 'DESCRIBE '.length);
});

test('a term that DuckDB printed is the term that was written', async () => {
  const session = await createDuckDbEngine().open({ memoryBytes: 200_000_000, threads: 1, scratch: '/tmp' });
  after(() => session[Symbol.asyncDispose]());
  assert.equal(orderText('a, b'), 'SELECT 1 AS ok ORDER BY a, b');
  const [tree] = await session.rows(serializeSql('select -(a + 1)'));
  const [printed] = await session.rows(deserializeSql(String(tree?.['result'])));
  assert.equal(printedTerm(engineSql(String(printed?.['result']))), '(-((a + 1)))');
});
