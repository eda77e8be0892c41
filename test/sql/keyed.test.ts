import assert from 'node:assert/strict';
import { test } from 'node:test';
import { historyColumns } from '../../lib/core/keyed.ts';
import type { KeyedMode } from '../../lib/core/spec.ts';
import type { Column } from '../../lib/core/types.ts';
import {
  addMissingDeletes,
  countFresh,
  createFresh,
  createKeyEvents,
  createKnown,
  createLate,
  createRecomputed,
  createTouched,
  findBreaches,
  HISTORY,
  LOG,
  listBuckets,
  NEW,
  renderHistory,
  renderLog,
  renderPart,
  type Scope,
} from '../../lib/sql/keyed.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();

const COLUMNS: readonly Column[] = [
  { name: 'id', type: { kind: 'int' } },
  { name: 'seq', type: { kind: 'int' } },
  { name: 'price', type: { kind: 'int' } },
  { name: 'ends', type: { kind: 'int' } },
];
const EVENT =
  'id INTEGER, seq INTEGER, price INTEGER, ends INTEGER, _op VARCHAR, _event_hash VARCHAR, _source_file VARCHAR, __bucket INTEGER';
const ROW =
  'id INTEGER, seq INTEGER, price INTEGER, ends INTEGER, valid_from INTEGER, valid_to INTEGER, is_current BOOLEAN, __bucket INTEGER';

const SCD2: KeyedMode = {
  kind: 'scd2',
  key: ['id'],
  sequence: 'seq',
  track: ['price'],
  deleteWhen: null,
  tieBreak: null,
  missing: 'keep',
  validTo: null,
  coalesce: true,
  buckets: 4,
};
const STAGED: Scope = { all: false, withdrawn: [] };

type Events = readonly string[];

/** Events `id, seq, price, ends, op, hash, file`, all of bucket `id % 4`. */
async function stage(log: Events, history: readonly string[], staged: Events): Promise<void> {
  await db.clear();
  await db.table(
    LOG,
    EVENT,
    log.map((e) => `${e}, ${e.split(',')[0]} % 4`),
  );
  await db.table(
    NEW,
    EVENT,
    staged.map((e) => `${e}, ${e.split(',')[0]} % 4`),
  );
  await db.table(
    HISTORY,
    ROW,
    history.map((r) => `${r}, ${r.split(',')[0]} % 4`),
  );
}

async function toEvents(mode: KeyedMode, scope = STAGED): Promise<void> {
  await db.run(createLate(mode), createKnown(mode, scope), createFresh(scope.withdrawn), createTouched(mode, scope));
  await db.run(createKeyEvents(mode, COLUMNS, scope));
}

async function merged(mode: KeyedMode, scope = STAGED): Promise<readonly (readonly unknown[])[]> {
  await toEvents(mode, scope);
  await db.run(createRecomputed(mode, COLUMNS));
  const history = renderHistory(mode, historyColumns(mode, COLUMNS));
  const columns = mode.kind === 'upsert' ? 'id, seq, price' : 'id, price, valid_from, valid_to';
  return db.values(`SELECT ${columns} FROM ${history} ORDER BY ALL`);
}

/** The history of key 1 after one merge of these events into nothing. */
async function fromNothing(mode: KeyedMode, events: Events): Promise<readonly (readonly unknown[])[]> {
  await stage(
    [],
    [],
    events.map((e, i) => `1, ${e}, 'h${i}', 'a.csv'`),
  );
  return (await merged(mode)).map((row) => row.slice(1));
}

test('events are fresh unless the log has their content and file', async () => {
  await stage(
    ["1, 10, 100, NULL, 'upsert', 'x', 'a.csv'"],
    [],
    [
      "1, 10, 100, NULL, 'upsert', 'x', 'a.csv'",
      "1, 10, 100, NULL, 'upsert', 'x', 'b.csv'",
      "2, 10, 100, NULL, 'upsert', 'y', 'a.csv'",
      "2, 10, 100, NULL, 'upsert', 'y', 'a.csv'",
    ],
  );
  await toEvents(SCD2);
  assert.deepEqual(await db.values('SELECT id, _source_file FROM __fresh ORDER BY ALL'), [
    [1, 'b.csv'],
    [2, 'a.csv'],
  ]);
  assert.deepEqual(await db.rows(countFresh([])), [{ staged: 4, fresh: 2, withdrawn: 0 }]);
  assert.deepEqual(await db.rows(listBuckets()), [{ bucket: 1 }, { bucket: 2 }]);
});

test('only keys with an event that is not later than the log are read from it', async () => {
  const log = [1, 2, 3].map((id) => `${id}, 10, 100, NULL, 'upsert', 'h${id}', 'a.csv'`);
  const history = [1, 2, 3].map((id) => `${id}, 10, 100, NULL, 10, NULL, true`);
  await stage(log, history, [
    "1, 11, 200, NULL, 'upsert', 'n1', 'b.csv'",
    "2, 10, 200, NULL, 'upsert', 'a-tie', 'b.csv'",
    "4, 5, 200, NULL, 'upsert', 'n4', 'b.csv'",
  ]);
  assert.deepEqual(await merged(SCD2), [
    [1, 100, 10, 11],
    [1, 200, 11, null],
    [2, 200, 10, null],
    [3, 100, 10, null],
    [4, 200, 5, null],
  ]);
  assert.deepEqual(await db.values('SELECT id FROM __known'), [[2]]);
  const touched = await db.values('SELECT id, __whole FROM __touched ORDER BY id');
  assert.deepEqual(touched, [
    [1, false],
    [2, true],
    [4, false],
  ]);
});

test('a version that goes on keeps its start and its closed predecessors', async () => {
  const log = [
    "1, 10, 100, NULL, 'upsert', 'a', 'a.csv'",
    "1, 20, 200, NULL, 'upsert', 'b', 'a.csv'",
    "1, 30, 200, NULL, 'upsert', 'c', 'a.csv'",
  ];
  const history = ['1, 10, 100, NULL, 10, 20, false', '1, 30, 200, NULL, 20, NULL, true'];
  await stage(log, history, ["1, 40, 200, NULL, 'upsert', 'd', 'b.csv'", "1, 50, 300, NULL, 'upsert', 'e', 'b.csv'"]);
  assert.deepEqual(await merged(SCD2), [
    [1, 100, 10, 20],
    [1, 200, 20, 50],
    [1, 300, 50, null],
  ]);
});

test('events of withdrawn files are forgotten, and their keys recomputed', async () => {
  const logged = ["1, 10, 100, NULL, 'upsert', 'a', 'a.csv'", "1, 20, 999, NULL, 'upsert', 'b', 'b.csv'"];
  await stage(logged, ['1, 10, 100, NULL, 10, 20, false', '1, 20, 999, NULL, 20, NULL, true'], []);
  const scope = { all: false, withdrawn: ['b.csv'] };
  assert.deepEqual(await merged(SCD2, scope), [[1, 100, 10, null]]);
  const log = renderLog([{ name: '_source_file', type: { kind: 'string' } }], true, ['b.csv']);
  const kept = await db.values(`SELECT _source_file FROM ${log}`);
  assert.deepEqual(kept, [['a.csv']]);
  assert.equal((await db.rows(countFresh(['b.csv'])))[0]?.['withdrawn'], 1);
});

const CASES: readonly (readonly [name: string, mode: Partial<KeyedMode>, events: Events, expected: unknown])[] = [
  ['equal neighbours are one version', {}, ["10, 5, NULL, 'upsert'", "20, 5, NULL, 'upsert'"], [[5, 10, null]]],
  [
    'unless asked not to',
    { coalesce: false },
    ["10, 5, NULL, 'upsert'", "20, 5, NULL, 'upsert'"],
    [
      [5, 10, 20],
      [5, 20, null],
    ],
  ],
  ['a delete wins a tie', {}, ["10, 5, NULL, 'upsert'", "10, 5, NULL, 'delete'"], []],
  [
    'then the tie break',
    { tieBreak: 'price DESC' },
    ["10, 5, NULL, 'upsert'", "10, 7, NULL, 'upsert'"],
    [[7, 10, null]],
  ],
  ['then the hash', {}, ["10, 5, NULL, 'upsert'", "10, 7, NULL, 'upsert'"], [[5, 10, null]]],
  [
    'a deleted key returns',
    {},
    ["10, 5, NULL, 'upsert'", "20, 5, NULL, 'delete'", "30, 5, NULL, 'upsert'"],
    [
      [5, 10, 20],
      [5, 30, null],
    ],
  ],
  ['nulls are equal', {}, ["10, NULL, NULL, 'upsert'", "20, NULL, NULL, 'upsert'"], [[null, 10, null]]],
  [
    'an end of its own',
    { validTo: 'ends' },
    ["10, 5, 15, 'upsert'", "20, 6, 90, 'upsert'", "30, 7, NULL, 'upsert'"],
    [
      [5, 10, 15],
      [6, 20, 30],
      [7, 30, null],
    ],
  ],
  [
    'a gap parts equal neighbours',
    { validTo: 'ends' },
    ["10, 5, 15, 'upsert'", "20, 5, NULL, 'upsert'"],
    [
      [5, 10, 15],
      [5, 20, null],
    ],
  ],
];

for (const [name, mode, events, expected] of CASES) {
  test(`versions: ${name}`, async () => assert.deepEqual(await fromNothing({ ...SCD2, ...mode }, events), expected));
}

test('upsert keeps the latest event, and no row where that is a delete', async () => {
  const upsert: KeyedMode = { ...SCD2, kind: 'upsert' };
  assert.deepEqual(await fromNothing(upsert, ["20, 6, NULL, 'upsert'", "10, 5, NULL, 'upsert'"]), [[20, 6]]);
  assert.deepEqual(await fromNothing(upsert, ["10, 5, NULL, 'upsert'", "20, 5, NULL, 'delete'"]), []);
});

test('a key that a full extract lacks is deleted at the sequence of the extract', async () => {
  const mode: KeyedMode = { ...SCD2, missing: 'delete' };
  const scope = { all: true, withdrawn: [] };
  await stage(
    [],
    [],
    [
      "1, 10, 5, NULL, 'upsert', 'a', 'a.csv'",
      "2, 10, 5, NULL, 'upsert', 'b', 'a.csv'",
      "2, 20, 5, NULL, 'upsert', 'c', 'b.csv'",
    ],
  );
  await toEvents(mode, scope);
  await db.run(
    addMissingDeletes(mode, COLUMNS, "(SELECT * FROM (VALUES ('a.csv', 10), ('b.csv', 20)) x(file, sequence))"),
  );
  await db.run(createRecomputed(mode, COLUMNS));
  assert.deepEqual(await db.values('SELECT id, valid_from, valid_to FROM __recomputed ORDER BY id'), [
    [1, 10, 20],
    [2, 10, null],
  ]);
});

const BREACHES: readonly (readonly [rows: readonly string[], breach: string | undefined])[] = [
  [['1, 0, 0, 0, 10, 20, false', '1, 0, 0, 0, 20, NULL, true'], undefined],
  [['1, 0, 0, 0, 10, NULL, true', '1, 0, 0, 0, 20, NULL, true'], 'an open row that is not the last'],
  [['1, 0, 0, 0, 10, 25, false', '1, 0, 0, 0, 20, NULL, true'], 'overlaps its successor'],
  [['1, 0, 0, 0, 10, 10, false'], 'ends before it begins'],
];

test('breaches of the invariants are named', async () => {
  for (const [rows, breach] of BREACHES) {
    await stage([], rows, []);
    assert.equal((await db.rows(findBreaches(SCD2, HISTORY)))[0]?.['breach'], breach);
  }
  assert.deepEqual(await db.rows(findBreaches({ ...SCD2, validTo: 'ends' }, HISTORY)), [], 'empty, as the source says');
  await stage([], ['1, 0, 0, 0, 1, 2, false', '1, 0, 0, 0, 2, NULL, true'], []);
  assert.equal((await db.rows(findBreaches({ ...SCD2, kind: 'upsert' }, HISTORY)))[0]?.['breach'], 'more than one row');
});

test('the parts of a bucket are all of it, each key in one', async () => {
  await stage(
    [],
    [],
    Array.from({ length: 20 }, (_, id) => `${id}, 1, 1, NULL, 'upsert', 'h${id}', 'a.csv'`),
  );
  const parts = await Promise.all(
    [0, 1, 2].map((part) => db.values(`SELECT id FROM ${renderPart(SCD2, NEW, part, 3)}`)),
  );
  const ids = parts.flat().map(([id]) => Number(id));
  assert.deepEqual(
    ids.sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, id) => id),
  );
  assert.ok(parts.every((part) => part.length < 20));
});
