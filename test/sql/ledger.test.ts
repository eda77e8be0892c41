import assert from 'node:assert/strict';
import type { Row } from '../../lib/ports.ts';
import { sql } from '../../lib/sql/fragment.ts';
import {
  addUnsettled,
  createSaid,
  createUnsettled,
  findAny,
  LEDGER,
  packListed,
  renderListed,
  renderPacked,
  SAID_ROWS,
  selectEverSuspended,
  selectLatest,
  selectLedger,
  selectStillSuspended,
  selectUnsettled,
} from '../../lib/sql/ledger.ts';
import { selectFrom, testSteps } from './golden-steps.ts';

/** In a listing: the ledger says of each what its name says. */
const NAMES = [
  'p/s/all, ingested',
  'p/s/all, rejected',
  'p/s/all, then a suspended',
  'p/s/each of a and b',
  'p/s/new "\n\ud83d\ude00',
  'p/s/of a alone',
  'p/s/other content',
];
const LISTED = NAMES.map((key, n) => ({ n, source: 's', key, size: 1, etag: key === NAMES[6] ? 'f' : 'e' }));
const UNREAD = { n: NAMES.length, source: 'u', key: 'p/u/x', size: 1, etag: 'e', former: '1-2-3', version: 'v' };

const READERS = [
  { source: 's', table: 'a' },
  { source: 's', table: 'b' },
  { source: 't', table: 'c' },
];
const listed = renderListed('in/listed.json');

function namesOf(rows: readonly Row[]): readonly unknown[] {
  return rows.map(({ key }) => key);
}

testSteps({ 'listed.json': [...LISTED, UNREAD].map((one) => `${JSON.stringify(one)}\n`).join('') }, () => [
  { golden: 'ledger-schema', statement: { name: 'ops', text: sql`CREATE SCHEMA ops` } },
  {
    golden: 'ledger-table',
    statement: {
      name: 'ledger',
      text: sql`CREATE TABLE ops.files AS SELECT 's' AS source, 'p/s/' || name AS key, 'e' AS etag, 1 AS size, status,
CAST(NULL AS VARCHAR) AS code, CAST(NULL AS VARCHAR) AS reason, 'r' || day AS run_id, DATE '2026-01-01' + CAST(day AS INTEGER) AS ingested_at, table_name
FROM (VALUES ('all, ingested', 'ingested', 1, NULL), ('all, rejected', 'rejected', 1, NULL), ('all, then a suspended', 'ingested', 1, NULL),
  ('all, then a suspended', 'suspended', 2, 'a'), ('each of a and b', 'ingested', 1, 'a'), ('each of a and b', 'ingested', 2, 'b'),
  ('each of a and b', 'ingested', 3, 'b'), ('of a alone', 'ingested', 1, 'a'), ('of a alone', 'ingested', 1, 'c'), ('other content', 'ingested', 1, NULL),
  ('below/folder', 'ingested', 9, NULL), ('gone', 'suspended', 4, NULL), ('gone', 'ingested', 4, NULL)) t(name, status, day, table_name)`,
    },
  },
  {
    golden: 'ledger-listed',
    statement: selectFrom('listed', listed),
    check: (rows) => assert.deepEqual(namesOf(rows), [...NAMES, UNREAD.key]),
  },
  { golden: 'ledger-packed', statement: packListed('in/listed.json', 'out/listed.parquet') },
  {
    golden: 'ledger-unpacked',
    statement: selectFrom('unpacked', renderPacked(['out/listed.parquet'])),
    check: (rows) => assert.deepEqual(rows.at(-1), UNREAD),
  },
  { golden: 'ledger-unsettled', statement: createUnsettled() },
  ...[0, 1].map((part) => ({
    golden: `ledger-unsettled-part-${part}`,
    statement: addUnsettled(listed, LEDGER, { readers: READERS, asked: ['suspended', 'rejected'], part, parts: 2 }),
  })),
  {
    golden: 'ledger-unsettled-rows',
    statement: selectUnsettled(0, 100),
    check: (rows) =>
      assert.deepEqual(
        namesOf(rows),
        [1, 2, 4, 5, 6].map((at) => NAMES[at]),
      ),
  },
  {
    golden: 'ledger-unsettled-page',
    statement: selectUnsettled(2, 2),
    check: (rows) =>
      assert.deepEqual(
        namesOf(rows),
        [2, 4].map((at) => NAMES[at]),
      ),
  },
  {
    golden: 'ledger-rows',
    statement: selectLedger(LEDGER),
    check: (rows) =>
      assert.deepEqual(
        rows.map((row) => [row['run_id'], row['key'], row['table_name'], row['status']].join(' ')).sort(),
        [
          'r1 p/s/all, rejected  rejected',
          'r1 p/s/all, then a suspended  ingested',
          'r1 p/s/of a alone a ingested',
          'r1 p/s/of a alone c ingested',
          'r1 p/s/other content  ingested',
          'r2 p/s/all, then a suspended a suspended',
        ],
      ),
  },
  { golden: 'ledger-said', statement: createSaid(listed, NAMES) },
  {
    golden: 'ledger-said-rows',
    statement: selectFrom('said', SAID_ROWS),
    check: (rows) => assert.equal(rows.length, 10),
  },
  {
    golden: 'ledger-latest',
    statement: selectLatest('p/s/'),
    rows: [
      { table_name: 'c', key: 'p/s/of a alone' },
      { table_name: 'a', key: 'p/s/all, then a suspended' },
      { table_name: 'b', key: 'p/s/each of a and b' },
      { table_name: null, key: 'p/s/gone' },
    ],
  },
  { golden: 'ledger-any', statement: findAny('p/s/'), rows: [{ found: 1 }] },
  { golden: 'ledger-none', statement: findAny('p/t/'), rows: [] },
  {
    golden: 'ledger-suspended',
    statement: selectEverSuspended(),
    check: (rows) => assert.deepEqual(namesOf(rows), ['p/s/all, then a suspended', 'p/s/gone']),
  },
  {
    golden: 'ledger-still-suspended',
    statement: selectStillSuspended(['p/s/all, then a suspended', 'p/s/gone', "p/s/o'x"]),
    check: (rows) => assert.deepEqual(namesOf(rows), ['p/s/all, then a suspended']),
  },
  { golden: 'ledger-unsettled', statement: createUnsettled() },
  {
    golden: 'ledger-unsettled-plain',
    statement: addUnsettled(listed, LEDGER, { readers: READERS, asked: ['suspended'], part: 0, parts: 1 }),
  },
  {
    golden: 'ledger-unsettled-rows',
    statement: selectUnsettled(0, 100),
    check: (rows) =>
      assert.deepEqual(
        namesOf(rows),
        [2, 4, 5, 6].map((at) => NAMES[at]),
      ),
  },
]);
