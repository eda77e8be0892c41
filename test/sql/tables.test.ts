import assert from 'node:assert/strict';
import type { Column } from '../../lib/core/types.ts';
import { checkExpectation, countOffending, createAudited, previewRows, sampleOffending } from '../../lib/sql/audit.ts';
import { countDeleted, type Deleted } from '../../lib/sql/deleted-rows.ts';
import { countMerged, createExchanged, createMerged, writeExchange } from '../../lib/sql/exchange.ts';
import { sql } from '../../lib/sql/fragment.ts';
import {
  renderOpsRows,
  renderRenamedEtags,
  renderReopened,
  selectFiles,
  selectTaken,
  selectTakenSince,
} from '../../lib/sql/ops-rows.ts';
import { createSchemas, createTableView, renderBucketed, renderScan } from '../../lib/sql/scan.ts';
import { writeTable } from '../../lib/sql/write.ts';
import { type Step, selectFrom, testSteps } from './golden-steps.ts';

const COLUMNS: readonly Column[] = [
  { name: 'id', type: { kind: 'bigint' } },
  { name: 'na"me', type: { kind: 'string' } },
  { name: 'tags', type: { kind: 'list', element: { kind: 'int' } } },
];
const ROWS = sql`(SELECT * FROM (VALUES (1, 'a', [1]), (2, 'b', NULL), (2, 'c', [])) t(id, "na""me", tags))`;
const FIELD_IDS = [
  { name: 'id', id: 1, children: [] },
  { name: 'na"me', id: 2, children: [] },
  { name: 'tags', id: 3, children: [{ name: 'element', id: 4, children: [] }] },
];
const request = { columns: COLUMNS, fieldIds: FIELD_IDS, fileBytes: 1_000_000 } as const;
const scanned = COLUMNS.map((column, i) => ({ ...column, id: i + 1 }));
const later = [...scanned, { name: 'added', type: { kind: 'date' }, id: 9 } as const];
const unpublished = { policy: 'fail' } as const;
const [schema] = createSchemas(['silver']);
assert.ok(schema);

/** Under which names the written files have the columns. */
const names = new Map(scanned.map(({ id, name }) => [id, name]));
const renamed = scanned.map((column) => ({ ...column, name: `n"${column.id}` }));
const RENAMED = [
  { 'n"1': 1, 'n"2': 'a', 'n"3': [1] },
  { 'n"1': 2, 'n"2': 'b', 'n"3': null },
  { 'n"1': 2, 'n"2': 'c', 'n"3': [] },
];

/** Of a file of the sequence number, by a delete file of 5. */
const deletedOf = (sequence: bigint): Deleted => ({
  names: ['a/x', 'b/x'],
  sequence,
  by: [{ path: 'in/deletes.parquet', sequence: 5n }],
});

const INPUTS = {
  'ops.json': '[{"key":"k","etag":"e","at":"2026-01-01T00:00:00Z"}]',
  'reopened.json': '[{"key":"later","etag":"e"}]',
  'etags.json': '[{"key":"k","before":"e","after":"f"},{"key":"j","before":"e","after":"g"}]',
};

testSteps(INPUTS, () => [
  { golden: 'tables-schema', statement: schema },
  {
    golden: 'write',
    statement: writeTable({
      ...request,
      name: 'write',
      from: ROWS,
      partitionBy: [],
      sortBy: ['na"me'],
      folder: 'out/plain',
    }),
    check: (rows) =>
      assert.deepEqual(
        rows.map((row) => row['count']),
        [3],
      ),
  },
  {
    golden: 'write-many',
    statement: writeTable({
      ...request,
      ...{ name: 'write', from: ROWS, partitionBy: [], sortBy: [], folder: 'out/many', full: true },
    }),
  },
  {
    golden: 'write-to-stay',
    statement: writeTable({
      ...request,
      ...{ name: 'write', from: ROWS, partitionBy: [], sortBy: [], folder: 'out/small', packed: 'small' },
    }),
    check: (rows) =>
      assert.deepEqual(
        rows.map((row) => row['count']),
        [3],
      ),
  },
  {
    golden: 'write-partitioned',
    statement: writeTable({
      ...request,
      ...{ name: 'write', from: ROWS, sortBy: [], folder: 'out/parts' },
      partitionBy: [
        { column: 'na"me', transform: { kind: 'truncate', width: 1 } },
        { column: 'id', transform: { kind: 'identity' } },
      ],
    }),
    check: (rows) => assert.equal(rows.length, 3),
  },
  {
    golden: 'scan-view',
    statement: createTableView({ schema: 'silver', table: 'ta"ble' }, later, ['in/plain/*.parquet']),
  },
  {
    golden: 'scan-rows',
    statement: { name: 'rows', text: sql`SELECT * FROM silver."ta""ble" ORDER BY "na""me"` },
    rows: [
      { id: 1, 'na"me': 'a', tags: [1], added: null },
      { id: 2, 'na"me': 'b', tags: null, added: null },
      { id: 2, 'na"me': 'c', tags: [], added: null },
    ],
  },
  {
    golden: 'scan-by-name',
    statement: selectFrom('scan', renderScan(renamed, [{ path: 'in/plain/*.parquet', names }], 3)),
    rows: RENAMED,
  },
  {
    golden: 'scan-by-name-and-id',
    statement: selectFrom(
      'scan',
      renderScan(renamed, ['in/plain/*.parquet', { path: 'in/plain/*.parquet', names }], 6),
    ),
    rows: [...RENAMED, ...RENAMED],
  },
  {
    golden: 'scan-by-name-bucketed',
    statement: selectFrom(
      'scan',
      renderBucketed(renamed, [{ file: { path: 'in/plain/*.parquet', names }, bucket: 7 }], 3),
    ),
    rows: RENAMED.map((row) => ({ ...row, __bucket: 7 })),
  },
  {
    golden: 'scan-of-hidden-places',
    statement: selectFrom(
      'scan',
      renderBucketed(renamed, [
        { file: { path: 'in/plain/*.parquet', names: new Map([...names, [2, 'File_Index']]) }, bucket: 7 },
      ]),
    ),
    rows: RENAMED.map((row) => ({ ...row, __bucket: 7 })),
  },
  {
    golden: 'scan-deletes',
    statement: {
      name: 'deletes',
      text: sql`COPY (SELECT 'a/x' AS file_path, 0 AS pos UNION ALL SELECT 'a/y', 1) TO 'out/deletes.parquet'`,
    },
  },
  ...[4n, 6n].map(
    (sequence): Step => ({
      golden: `scan-deleted-${sequence}`,
      statement: selectFrom('scan', renderScan(later, [{ path: 'in/plain/*.parquet', deleted: deletedOf(sequence) }])),
      check: (rows) =>
        assert.deepEqual(rows.map((row) => row['na"me']).sort(), sequence === 4n ? ['b', 'c'] : ['a', 'b', 'c']),
    }),
  ),
  {
    golden: 'scan-by-name-deleted',
    statement: selectFrom('scan', renderScan(renamed, [{ path: 'in/plain/*.parquet', names, deleted: deletedOf(4n) }])),
    rows: RENAMED.slice(1),
  },
  {
    golden: 'count-deleted',
    statement: countDeleted([deletedOf(4n), deletedOf(4n)]),
    rows: [{ rows: 2 }],
  },
  { golden: 'scan-nothing', statement: selectFrom('scan', renderScan(later, [])), rows: [] },
  { golden: 'audit-this', statement: createAudited('silver', 'ta"ble') },
  {
    golden: 'audit-preview',
    statement: previewRows('silver', 'ta"ble', 2),
    check: (rows) => assert.equal(rows.length, 2),
  },
  { golden: 'audit-count', statement: countOffending('expectation n', sql`SELECT 1`) },
  { golden: 'audit-sample', statement: sampleOffending('expectation n', sql`SELECT 1`, 3) },
  {
    golden: 'audit-unique',
    statement: checkExpectation({ kind: 'unique', name: 'u', columns: ['id'], ...unpublished }),
    rows: [{ broken: 1, examples: "{'id': 2, 'rows': 2}" }],
  },
  {
    golden: 'audit-row-count',
    statement: checkExpectation({ kind: 'rowCount', name: 'n', min: 4, max: 9, ...unpublished }),
    rows: [{ broken: 1, examples: "{'rows': 3}" }],
  },
  {
    golden: 'audit-row',
    statement: checkExpectation({ kind: 'row', name: 'r', condition: 'id < 2', code: 'R', ...unpublished }),
    check: (rows) => assert.equal(rows[0]?.['broken'], 2),
  },
  {
    golden: 'audit-sql',
    statement: checkExpectation({ kind: 'sql', name: 's', query: 'SELECT id FROM this WHERE id > 5', ...unpublished }),
    rows: [{ broken: 0, examples: null }],
  },
  {
    golden: 'exchange-write',
    statement: writeExchange({
      ...{
        from: sql`(SELECT *, 0 AS __rid FROM ${ROWS})`,
        columns: COLUMNS,
        by: ['id'],
        buckets: 1,
        ordinal: 3,
        full: true,
        folder: 'out/exchange',
      },
    }),
    check: (rows) => assert.equal(rows.length, 1),
  },
  { golden: 'exchange-view', statement: createExchanged(['in/exchange/*/*.parquet']) },
  { golden: 'exchange-merged', statement: createMerged(['id'], sql`(SELECT 1 AS id)`) },
  { golden: 'exchange-counts', statement: countMerged(), rows: [{ staged: 3, kept: 1 }] },
  {
    golden: 'ops-rows',
    statement: selectFrom(
      'ops rows',
      renderOpsRows(
        'in/ops.json',
        [
          { name: 'key', type: { kind: 'string' } },
          { name: 'etag', type: { kind: 'string' } },
          { name: 'at', type: { kind: 'timestamptz' } },
        ],
        100,
      ),
    ),
    rows: [{ key: 'k', etag: 'e', at: '2026-01-01T00:00:00Z' }],
  },
  { golden: 'ops-schema', statement: { name: 'ops', text: sql`CREATE SCHEMA ops` } },
  {
    golden: 'ops-table',
    statement: {
      name: 'ops',
      text: sql`CREATE TABLE ops.files AS SELECT 'k' AS key, 'e' AS etag, 1 AS size, 's' AS source, 'ingested' AS status, '' AS code, '' AS reason, 'r' AS run_id,
TIMESTAMPTZ '2026-01-01 00:00:00Z' AS ingested_at, NULL::VARCHAR AS table_name`,
    },
  },
  {
    golden: 'ops-renamed-etags',
    statement: selectFrom('renamed', renderRenamedEtags('in/etags.json')),
    check: ([row]) => assert.equal(row?.['etag'], 'f'),
  },
  {
    golden: 'ops-ledger-table',
    statement: {
      name: 'ledger',
      text: sql`CREATE OR REPLACE TABLE ops.files AS SELECT 's' AS source, key, 'e' AS etag, 1 AS size, status, 0 AS records,
CAST(NULL AS VARCHAR) AS code, CAST(NULL AS VARCHAR) AS reason, 'r' || day AS run_id, DATE '2026-01-01' + CAST(day AS INTEGER) AS ingested_at, table_name, CAST(NULL AS VARCHAR) AS place
FROM (VALUES ('fine', 'ingested', 1, NULL), ('later', 'suspended', 1, NULL), ('later', 'ingested', 2, NULL), ('never', 'rejected', 1, NULL),
  ('never', 'suspended', 2, NULL), ('at once', 'suspended', 1, NULL), ('at once', 'ingested', 1, NULL), ('fine', 'suspended', 3, 'a'),
  ('later', 'suspended', 1, 'b'), ('other', 'ingested', 3, 'b')) t(key, status, day, table_name)`,
    },
  },
  {
    golden: 'ops-taken-since',
    statement: selectTakenSince({ source: 's', table: 'a', since: '2026-01-02T12:00:00Z' }),
    rows: [{ key: 'later', etag: 'e', run_id: 'r2', corrects: false }],
  },
  {
    golden: 'ops-reopened',
    statement: selectFrom(
      'reopened',
      renderReopened('in/reopened.json', { source: 's', table: 'a', since: '2026-01-02T12:00:00Z' }, ['b', 'c']),
    ),
    check: (rows) =>
      assert.deepEqual(
        rows
          .filter(({ key }) => key === 'later' || key === 'fine')
          .map((row) => [row['run_id'], row['key'], row['status'], row['table_name']].join(' '))
          .sort(),
        [
          'r1 fine ingested ',
          'r1 later suspended ',
          'r1 later suspended b',
          'r2 later ingested b',
          'r2 later ingested c',
          'r3 fine suspended a',
        ],
      ),
  },
  {
    golden: 'ops-taken',
    statement: selectTaken([
      { model: 'a', source: 's', table: 'a', alone: true },
      { model: 'new', source: 's', table: 'new', alone: false },
    ]),
    check: (rows) =>
      assert.deepEqual(
        rows.map((row) => [row['model'], row['key'], row['status'], Number(row['batch'])].join(' ')),
        [
          'a at once ingested 0',
          'a fine suspended 0',
          'a never suspended 0',
          'a later ingested 1',
          'new at once ingested 0',
          'new fine suspended 0',
          'new never suspended 0',
          'new later ingested 1',
          'new other ingested 2',
        ],
      ),
  },
  {
    golden: 'ops-files',
    statement: selectFiles({ source: 's', status: 'ingested' }),
    check: (rows) =>
      assert.deepEqual(
        rows.map((row) => [row['key'], row['table_name'], row['run_id'], row['ingested_at']]),
        [
          ['at once', null, 'r1', '2026-01-02'],
          ['fine', null, 'r1', '2026-01-02'],
          ['later', null, 'r2', '2026-01-03'],
          ['other', 'b', 'r3', '2026-01-04'],
        ],
      ),
  },
]);
