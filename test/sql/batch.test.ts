import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { ContractColumn, SourceSpec } from '../../lib/core/spec.ts';
import { parseColumnType } from '../../lib/core/types.ts';
import {
  type Batch,
  countAccepted,
  countReadable,
  countRejects,
  createBatchSchema,
  createBatchView,
  createHashDuplicates,
  createParsed,
  createRejected,
  dropParsed,
  rejectTables,
} from '../../lib/sql/batch.ts';
import { createFaults, listFaults } from '../../lib/sql/faults.ts';
import { sql } from '../../lib/sql/fragment.ts';
import {
  countBroken,
  countMapped,
  createKeyDuplicates,
  createMapped,
  findRepeatedKeys,
  rejectMapped,
  renderKept,
  selectHashes,
} from '../../lib/sql/mapped.ts';
import {
  countQuarantine,
  createFailed,
  createMalformed,
  createQuarantine,
  createShifts,
  keepFailed,
  listRefusedFiles,
} from '../../lib/sql/quarantine.ts';
import { renderAdded, renderNumberedFile } from '../../lib/sql/row-origin.ts';
import { recipeOf } from '../support/batch-recipes.ts';
import { type Step, selectFrom, testSteps } from './golden-steps.ts';

function column(name: string, type: string, more: Partial<ContractColumn> = {}): ContractColumn {
  const parsed = parseColumnType(type);
  assert.ok(parsed, type);
  return { source: name, name, type: parsed, parse: { kind: 'auto' }, required: false, checks: [], ...more };
}

const SOURCE: SourceSpec = {
  name: 'orders',
  format: { kind: 'csv', delimiter: ',', quote: '"', escape: '"', header: true, encoding: 'utf-8', nullText: [''] },
  columns: [
    column("order'id", 'bigint', { name: 'id', required: true }),
    column('amount', 'decimal(8,2)', {
      checks: [
        { kind: 'min', value: '0', code: 'RANGE_ERROR' },
        { kind: 'max', value: '999', code: 'RANGE_ERROR' },
      ],
    }),
    column('country', 'string', {
      checks: [
        { kind: 'in', values: ['DE', 'FR'], code: 'DOMAIN_ERROR' },
        { kind: 'pattern', regex: '[A-Z]{2}', code: 'DOMAIN_ERROR' },
        { kind: 'sql', condition: 'id > 0', code: 'POSITIVE' },
      ],
    }),
  ],
  key: ['id'],
  drift: 'ignore',
  ignore: [],
};

const FILES = {
  'a.csv': "order'id,amount,country\n1,1.50,DE\n\n2,\n3,-1,XX\n1,1.50,DE\n4,2,FR\n5,3,FR\n",
  'b.csv': "country,order'id,extra\nFR,6,x\nFR,x,y\n",
};

const lines = { maxRecordBytes: 30, maxFileBytes: 100 } as const;
const BATCH: Batch = {
  source: SOURCE,
  groups: [
    { layout: { kind: 'csv', header: ["order'id", 'amount', 'country'], ...lines }, paths: ['in/a.csv'] },
    { layout: { kind: 'csv', header: ['country', "order'id", 'extra'], ...lines }, paths: ['in/b.csv'] },
  ],
};
const NUMBERED = [
  { path: 'in/a.csv', key: 'bronze/a.csv', headerRecords: 1, records: 6, openQuote: null, before: 0 },
  {
    path: 'in/b.csv',
    key: "bronze/o'b.csv",
    headerRecords: 1,
    records: 2,
    openQuote: { line: 99, text: '"x' },
    before: 0,
  },
];
const CONTEXT = { source: 'orders', table: "p_silver.o'rders", runId: 'run-1', at: '2026-01-01T00:00:00Z' };
const RECIPE = recipeOf({
  hidden: ['hash', 'file', 'key', 'failed'],
  carriesHash: true,
  equalRows: { known: true },
  equalKeys: { key: ['country'], known: true, fate: { kind: 'dropped' } },
  added: [
    { name: 'file', value: 'source_file' },
    { name: 'hash', value: 'row_hash' },
  ],
});
const STARTS = [
  { key: 'bronze/a.csv', first: 0 },
  { key: "bronze/o'b.csv", first: 4 },
];
const ORIGIN = { at: '2026-01-01T00:00:00Z', runId: 'run-1', file: renderNumberedFile(STARTS) };
const EXPECTED = { kind: 'row', name: 'small', policy: 'drop', condition: 'id < 5', code: 'SMALL' } as const;
const rejecting = rejectMapped([EXPECTED], { key: ['id'], sequence: ['country'] });
const quarantine = rejectTables('quarantine');
const [streamed] = createParsed(
  BATCH,
  rejectTables('view'),
  recipeOf({ pass: 'stream', notesFaults: true, hidden: ['hash', 'nth_file'] }),
);
const [parsed] = createParsed(BATCH, rejectTables('parse'), RECIPE);
assert.ok(streamed && parsed && rejecting);

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

testSteps({ ...FILES, 'b.shifts': '"in/b.csv",1,1,1\n' }, (): readonly Step[] => [
  {
    golden: 'batch-readable',
    statement: countReadable(BATCH, rejectTables('probe')),
    check: (rows) =>
      assert.deepEqual(rows.map((row) => `${row['file']} ${row['records']}`).sort(), ['in/a.csv 5', 'in/b.csv 2']),
  },
  { golden: 'batch-rejects', statement: countRejects(rejectTables('probe')), rows: [{ file: 'in/a.csv', records: 1 }] },
  { golden: 'batch-faults', statement: createFaults(SOURCE) },
  { golden: 'batch-parsed-view', statement: streamed },
  { golden: 'batch-faults-none', statement: listFaults(), rows: [] },
  {
    golden: 'batch-streamed',
    statement: { name: 'stream', text: sql`SELECT count(*) AS rows FROM __parsed WHERE __ok` },
    rows: [{ rows: 5 }],
  },
  {
    golden: 'batch-faults-some',
    statement: listFaults(),
    rows: [
      { place: 0, rows: 1 },
      { place: 1, rows: 1 },
      { place: 2, rows: 1 },
      { place: 3, rows: 2 },
    ],
  },
  { golden: 'batch-parsed-view-drop', statement: { name: 'drop', text: sql`DROP VIEW __parsed` } },
  {
    golden: 'batch-parsed',
    statement: parsed,
  },
  { golden: 'batch-schema', statement: createBatchSchema() },
  { golden: 'batch-duplicates', statement: createHashDuplicates(undefined) },
  { golden: 'batch-duplicates-again', statement: { name: 'drop', text: sql`DROP TABLE __duplicates` } },
  { golden: 'batch-duplicates-known', statement: createHashDuplicates(sql`SELECT 'no such hash'`) },
  { golden: 'batch-rejected', statement: createRejected() },
  { golden: 'batch-view', statement: createBatchView(SOURCE, RECIPE) },
  {
    golden: 'batch-accepted',
    statement: countAccepted(RECIPE),
    rows: [{ accepted: 4, duplicates: 1, rejected: 0, passing: 0 }],
  },
  { golden: 'mapped', statement: createMapped(sql`SELECT id, country, __rid FROM batch.orders`, RECIPE) },
  { golden: 'mapped-broken', statement: countBroken([EXPECTED]), rows: [{ small: 2 }] },
  { golden: 'mapped-rejected', statement: rejecting },
  { golden: 'mapped-key-duplicates', statement: createKeyDuplicates(['country'], sql`(SELECT 'DE' AS country)`) },
  { golden: 'mapped-counted', statement: countMapped(RECIPE), rows: [{ mapped: 4, rejected: 2, duplicates: 1 }] },
  {
    golden: 'mapped-kept',
    statement: selectFrom('kept', renderKept({ rejected: true, duplicates: true })),
    rows: [{ id: 4, country: 'FR', __rid: 3, __hash: hashOf('V1:4;V1:2;V2:FR;') }],
  },
  {
    golden: 'mapped-added',
    statement: selectFrom('added', renderAdded(renderKept({ rejected: true, duplicates: false }), RECIPE, ORIGIN)),
    check: (rows) => {
      const files = rows.map((row) => `${row['id']} ${row['file']}`);
      assert.deepEqual(files.sort(), ['1 bronze/a.csv', '4 bronze/a.csv']);
      const first = rows.find((row) => row['id'] === 1);
      assert.equal(first?.['hash'], hashOf('V1:1;V4:1.50;V2:DE;'));
    },
  },
  { golden: 'mapped-hashes', statement: { name: 'hashes', text: selectHashes(sql`__parsed`, '__hash') } },
  {
    golden: 'mapped-repeated-keys',
    statement: findRepeatedKeys(sql`__mapped`, ['country']),
    rows: [{ country: 'FR', rows: 3 }],
  },
  {
    golden: 'quarantine-kept',
    statement: keepFailed(RECIPE),
  },
  {
    golden: 'quarantine-kept-rows',
    statement: {
      name: 'kept',
      text: sql`SELECT pos, path, raw, row_hash, [i.code FOR i IN issues] AS codes FROM __failed ORDER BY pos`,
    },
    rows: [
      {
        ...{ pos: 1, path: 'in/a.csv', raw: '{"order\'id":"3","amount":"-1","country":"XX"}' },
        ...{ row_hash: hashOf('V1:3;V2:-1;V2:XX;'), codes: ['RANGE_ERROR', 'DOMAIN_ERROR'] },
      },
      {
        ...{ pos: 6, path: 'in/b.csv', raw: '{"country":"FR","order\'id":"x","extra":"y"}' },
        ...{ row_hash: hashOf('V1:x;N;V2:FR;'), codes: ['TYPE_ERROR'] },
      },
    ],
  },
  {
    golden: 'quarantine-failed-by-fault',
    statement: createFailed(BATCH, rejectTables('fault'), recipeOf(), { rejected: false, faults: new Set([1]) }),
  },
  {
    golden: 'quarantine-failed-by-fault-rows',
    statement: { name: 'failed', text: sql`SELECT pos, path, [i.code FOR i IN issues] AS codes FROM __failed` },
    rows: [{ pos: 1, path: 'in/a.csv', codes: ['RANGE_ERROR'] }],
  },
  { golden: 'quarantine-failed', statement: createFailed(BATCH, quarantine, RECIPE, { rejected: true }) },
  { golden: 'quarantine-malformed', statement: createMalformed(BATCH, quarantine) },
  { golden: 'quarantine-files', statement: listRefusedFiles(RECIPE), check: (rows) => assert.equal(rows.length, 2) },
  { golden: 'quarantine-shifts', statement: createShifts(['in/a.csv'], ['in/b.shifts']) },
  {
    golden: 'quarantine-shifts-of-blank-line',
    statement: { name: 'a blank line', text: sql`INSERT INTO __shifts VALUES ('in/a.csv', 3, 4, 4)` },
  },
  { golden: 'quarantine', statement: createQuarantine(NUMBERED, RECIPE, CONTEXT) },
  { golden: 'quarantine-counts', statement: countQuarantine(), rows: [{ rows: 5, condemned: 0 }] },
  {
    golden: 'quarantine-rows',
    statement: { name: 'rows', text: sql`SELECT source_file, line, codes, raw FROM __quarantine ORDER BY ALL` },
    rows: [
      { source_file: 'bronze/a.csv', line: 4, codes: ['SCHEMA_ERROR'], raw: '2,' },
      {
        source_file: 'bronze/a.csv',
        line: 5,
        codes: ['RANGE_ERROR', 'DOMAIN_ERROR'],
        raw: '{"order\'id":"3","amount":"-1","country":"XX"}',
      },
      {
        source_file: 'bronze/a.csv',
        line: 8,
        codes: ['SMALL'],
        raw: '{"order\'id":"5","amount":"3","country":"FR"}',
      },
      { source_file: "bronze/o'b.csv", line: 2, codes: ['SMALL'], raw: '{"country":"FR","order\'id":"6","extra":"x"}' },
      {
        source_file: "bronze/o'b.csv",
        line: 3,
        codes: ['TYPE_ERROR'],
        raw: '{"country":"FR","order\'id":"x","extra":"y"}',
      },
    ],
  },
  { golden: 'batch-drop-parsed', statement: dropParsed() },
]);
