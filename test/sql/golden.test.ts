import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { KEY_HASH } from '../../lib/core/keyed.ts';
import type { KeyedMode } from '../../lib/core/spec.ts';
import type { Column } from '../../lib/core/types.ts';
import { countColumns } from '../../lib/sql/count-columns.ts';
import { compareRows } from '../../lib/sql/diff/as-rows.ts';
import { compareByKey, type KeyComparison, selectTwice, setTwiceApart } from '../../lib/sql/diff/by-key.ts';
import { createSide, FROM, type SideColumn, TO } from '../../lib/sql/diff/relations.ts';
import { countRows, selectTotals } from '../../lib/sql/diff/totals.ts';
import { renderEvents } from '../../lib/sql/events.ts';
import { writeExtracts } from '../../lib/sql/extracts.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { addRejections, copyRejections, countMemory, createMemory, rejectCondemned } from '../../lib/sql/memory.ts';
import {
  createGone,
  createStoredHistory,
  listGone,
  renderAdded,
  renderAfter,
  renderStored,
  writeGone,
} from '../../lib/sql/positions.ts';
import {
  countReleasable,
  countWithdrawn,
  findExamples,
  findTripped,
  renderReleased,
  renderWithdrawn,
  selectHeldAgainst,
} from '../../lib/sql/quarantine-table.ts';
import { fingerprintRows, partitionFieldType, selectPartitions } from '../../lib/sql/rewrite.ts';
import { countShared, createShared, selectShared } from '../../lib/sql/shared-quarantine.ts';
import { listPartitions, renderPartitions } from '../../lib/sql/touched.ts';
import { createCuts, createSample, findCells, renderCell, renderZordered } from '../../lib/sql/zorder.ts';
import { recipeOf } from '../support/batch-recipes.ts';

const MODE: KeyedMode = {
  kind: 'scd2',
  key: ['id', 'coun"try'],
  sequence: 'at',
  track: [],
  deleteWhen: "country = ''",
  tieBreak: null,
  missing: 'delete',
  validTo: null,
  coalesce: true,
  buckets: 4,
};
const COLUMNS: readonly Column[] = [
  { name: 'id', type: { kind: 'bigint' } },
  { name: 'coun"try', type: { kind: 'string' } },
  { name: 'at', type: { kind: 'timestamptz' } },
];
const EVENTS = {
  columns: COLUMNS,
  from: sql`kept`,
  file: sql`'bronze/a.csv'`,
} as const;
const PARTITIONING = {
  fields: [
    { column: 'at', transform: { kind: 'day' } },
    { column: 'coun"try', transform: { kind: 'truncate', width: 2 } },
  ],
  columns: COLUMNS,
} as const;
const ONE_FIELD = { ...PARTITIONING, fields: PARTITIONING.fields.slice(1) };
const LATEST: KeyedMode = { ...MODE, kind: 'upsert', key: ['id'] };
const HELD_COLUMNS: readonly Column[] = [...COLUMNS, { name: 'price', type: { kind: 'double' } }];
const FINGERPRINTED: readonly Column[] = [
  { name: 'id', type: { kind: 'bigint' } },
  { name: 'o"x', type: { kind: 'double' } },
  { name: 'tags', type: { kind: 'list', element: { kind: 'string' } } },
];
const STORED_COLUMNS = COLUMNS.map((column, at) => ({ ...column, id: at + 1 }));
const STORED_FILES = [
  { file: 'in/1.parquet', bucket: 2, location: "s3://b/o'1.parquet" },
  {
    file: {
      path: 'in/2.parquet',
      deleted: { names: ["s3://b/o'2.parquet"], sequence: 3n, by: [{ path: 'in/d.parquet', sequence: 4n }] },
    },
    bucket: 0,
    location: "s3://b/o'2.parquet",
  },
];
const RELATIONS = { log: sql`l`, staged: sql`n`, rejected: [sql`q1`, sql`q2`] };
const FILTER = { source: "o'source", runId: 'r1', code: 'C', status: 'condemned', files: ['f'], hashes: ['h'] };
const WITHDRAWAL = {
  files: ["o'f"],
  tables: ["o'a"],
  whole: ["o's"],
  parted: [
    { source: 'p', table: "o'a", withdrawn: true },
    { source: 'p', table: 'b', withdrawn: false },
  ],
};
const [attempts, condemned] = rejectCondemned(recipeOf({ memory: true, equalRows: { known: false } }));
const [, condemnedOfAll] = rejectCondemned(recipeOf({ memory: true }));

/** Statements that the tests named as their modules execute on rows by hand. */
/** Two tables with a key, a personal text, a number that may differ by a little and one that is wide. */
const PAIRED: KeyComparison = {
  columns: [
    { type: { kind: 'bigint' }, hidden: false },
    { type: { kind: 'string' }, hidden: true },
    { type: { kind: 'decimal', precision: 12, scale: 2 }, hidden: false, tolerance: '0.01' },
    { type: { kind: 'decimal', precision: 38, scale: 2 }, hidden: true },
  ],
  keys: [0],
  atMost: 7n,
  sample: 2,
};
const PAIRED_SIDES: readonly SideColumn[] = [
  { name: 'o"x', type: { kind: 'int' }, as: { kind: 'bigint' } },
  {
    name: 's',
    type: { kind: 'list', element: { kind: 'struct', fields: [{ name: "o'a", type: { kind: 'int' } }] } },
    as: { kind: 'list', element: { kind: 'struct', fields: [{ name: "o'a", type: { kind: 'bigint' } }] } },
  },
];

function joined(statements: readonly { readonly text: string }[]): string {
  return statements.map(({ text }) => text).join(';\n');
}

const GOLDEN: readonly (readonly [name: string, text: string | undefined])[] = [
  [
    'events-one-key',
    renderEvents({
      ...EVENTS,
      mode: { ...MODE, key: ['id'], deleteWhen: null },
      bucket: { column: 'id', transform: { kind: 'bucket', width: 4 } },
    }),
  ],
  [
    'events-two-keys',
    renderEvents({ ...EVENTS, mode: MODE, bucket: { column: KEY_HASH, transform: { kind: 'bucket', width: 4 } } }),
  ],
  ['extracts', writeExtracts(MODE, { ...RELATIONS, rejected: [] }, [], 'out/extracts.parquet').text],
  ['extracts-withdrawn', writeExtracts(MODE, RELATIONS, ["o'a.csv", 'b.csv'], 'out/extracts.parquet').text],
  [
    'shared-quarantine',
    createShared([
      { table: "o'a", rows: sql`a` },
      { table: 'b', rows: sql`b` },
    ]).text,
  ],
  ['shared-quarantine-rows', selectShared(2)],
  ['shared-quarantine-rows-named', selectShared(undefined)],
  ['shared-quarantine-counts', countShared().text],
  ['quarantine-table-withdrawn', renderWithdrawn(sql`t`, WITHDRAWAL)],
  ['quarantine-table-withdrawn-whole', renderWithdrawn(sql`t`, { ...WITHDRAWAL, parted: [] })],
  ['quarantine-table-withdrawable', countWithdrawn(sql`t`, WITHDRAWAL).text],
  ['held-against', selectHeldAgainst(sql`ops.quarantine`, "o'table", ["o'a.csv"])],
  ['memory', createMemory(sql`ops.quarantine`, { source: "o'source", table: "o'table" }, ["o'a.csv"]).text],
  ['memory-none', createMemory(undefined, { source: 'source', table: 't' }, []).text],
  ['memory-count', countMemory().text],
  ['memory-rejections', copyRejections(recipeOf({ memory: true, equalRows: { known: false } }), "o'wn.parquet").text],
  ['memory-rejections-before', addRejections(['a.parquet', "o'b.parquet"]).text],
  ['memory-attempts', attempts?.text],
  ['memory-condemned', condemned?.text],
  ['memory-condemned-of-all', condemnedOfAll?.text],
  ['touched-partitions', listPartitions(sql`t`, PARTITIONING).text],
  [
    'touched-rows',
    renderPartitions(sql`t`, PARTITIONING, [
      ['2026-01-01', "o'"],
      [null, 'x'],
    ]),
  ],
  ['touched-rows-of-one-field', renderPartitions(sql`t`, ONE_FIELD, [['x'], [null], ["o'"]])],
  ['fingerprint', fingerprintRows(sql`t`, FINGERPRINTED).text],
  [
    'partitions-where',
    selectPartitions(
      [
        { name: 'day_month', type: partitionFieldType('month', { kind: 'date' }) },
        { name: 'region', type: partitionFieldType('identity', { kind: 'string' }) },
      ],
      [
        ['2026-01', "o'"],
        [null, 'x'],
      ],
      "day_month >= '2026-01'",
    ).text,
  ],
  ['positions-stored', renderStored(STORED_COLUMNS, STORED_FILES)],
  ['positions-none', renderStored(STORED_COLUMNS, [])],
  [
    'positions-gone',
    [createStoredHistory(MODE), ...createGone(MODE, HELD_COLUMNS), listGone()].map((one) => one.text).join(';\n'),
  ],
  [
    'positions-gone-latest',
    createGone(LATEST, HELD_COLUMNS)
      .map((one) => one.text)
      .join(';\n'),
  ],
  ['positions-added', renderAdded(MODE, HELD_COLUMNS)],
  ['positions-after', renderAfter(MODE, sql`a`)],
  ['positions-after-latest', renderAfter(LATEST, sql`a`)],
  ['positions-write', writeGone(3, [{ name: 'file_path', id: 7, children: [] }], "out/o'3.parquet").text],
  ['zorder-sample', createSample(sql`t`, ['id', 'o"x']).text],
  ['zorder-cuts', createCuts(['id', 'o"x']).text],
  ['zorder-cells', findCells({ columns: ['id'] }, 2.5).text],
  ['zorder-cell', renderCell([0n, 4n, 6n])],
  ['zorder', renderZordered(sql`t`, { columns: ['id', 'o"x'] })],
  ['quarantine-table-released', renderReleased(sql`t`, FILTER)],
  ['quarantine-table-releasable', countReleasable(sql`t`, {}).text],
  ['quarantine-table-tripped', findTripped({ table: sql`t`, staged: sql`s` }, '2026-01-01T00:00:00Z', 9).text],
  ['quarantine-table-examples', findExamples(sql`s`, "o'code").text],
  ['diff-side', createSide(FROM, PAIRED_SIDES, sql`t`).text],
  ['diff-by-key', compareByKey([FROM, TO], PAIRED).text],
  ['diff-twice', joined(setTwiceApart(PAIRED.keys))],
  ['diff-twice-keys', selectTwice(PAIRED).text],
  ['diff-rows', compareRows([FROM, TO], PAIRED).text],
  [
    'diff-totals',
    selectTotals(
      FROM,
      PAIRED.columns.map(({ type }) => type),
    ).text,
  ],
  ['diff-count', countRows(TO).text],
  ['diff-columns', countColumns(["o'1.parquet"]).text],
];

for (const [name, text] of GOLDEN) {
  test(`${name}.sql is what is rendered`, async () => {
    const path = new URL(`golden/${name}.sql`, import.meta.url);
    // UPDATE_GOLDEN=1 rewrites the files; the difference is then read before it is committed.
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(path, `${text}\n`);
    assert.equal(`${text}\n`, await readFile(path, 'utf8'));
  });
}
