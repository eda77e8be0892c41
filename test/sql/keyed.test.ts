import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyedMode } from '../../lib/core/spec.ts';
import { findBreaches, renderTouched } from '../../lib/sql/breaches.ts';
import { countFresh, HISTORY, listBuckets, NEW, renderLog, renderPart } from '../../lib/sql/keyed.ts';
import { openHandmade } from './handmade.ts';
import { keyedMerges, type Rows, SCD2, UPSERT, type Values } from './keyed-merges.ts';

const db = openHandmade();
const { stage, toEvents, merged } = keyedMerges(db);

/** The history of key 1 after one merge of these events into nothing. */
async function fromNothing(mode: KeyedMode, events: Rows): Promise<Values> {
  await stage(
    [],
    [],
    events.map((e, i) => `1, ${e}, 'h${i}', 'a.csv'`),
    mode,
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
      "6, 10, 100, NULL, 'upsert', 'z', 'a.csv'",
    ],
  );
  await toEvents(SCD2);
  assert.deepEqual(await db.values('SELECT id, _source_file FROM __fresh ORDER BY ALL'), [
    [1, 'b.csv'],
    [2, 'a.csv'],
    [6, 'a.csv'],
  ]);
  assert.deepEqual(await db.rows(countFresh([])), [{ staged: 5, fresh: 3, withdrawn: 0 }]);
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

const CASES: readonly (readonly [name: string, mode: Partial<KeyedMode>, events: Rows, expected: unknown])[] = [
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
    'an end of its own ends the last one too',
    { validTo: 'ends' },
    ["10, 5, NULL, 'upsert'", "20, 6, 90, 'upsert'"],
    [
      [5, 10, 20],
      [6, 20, 90],
    ],
  ],
  [
    'an end where the next one begins leaves no gap',
    { validTo: 'ends' },
    ["10, 5, 20, 'upsert'", "20, 5, 30, 'upsert'"],
    [[5, 10, 30]],
  ],
  ['nothing tracked', { track: [] }, ["10, 5, NULL, 'upsert'", "20, 6, NULL, 'upsert'"], [[6, 10, null]]],
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
  test(`versions: ${name}`, async () => {
    assert.deepEqual(await fromNothing({ ...SCD2, ...mode }, events), expected);
    const flags = 'SELECT count(*) FROM __recomputed WHERE is_current <> (valid_to IS NULL)';
    assert.deepEqual(await db.values(flags), [[0]], 'current are those without end');
  });
}

test('upsert keeps the latest event, and no row where that is a delete', async () => {
  assert.deepEqual(await fromNothing(UPSERT, ["20, 6, NULL, 'upsert'", "10, 5, NULL, 'upsert'"]), [[20, 6]]);
  assert.deepEqual(await fromNothing(UPSERT, ["10, 5, NULL, 'upsert'", "20, 5, NULL, 'delete'"]), []);
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
  assert.equal((await db.rows(findBreaches(UPSERT, HISTORY)))[0]?.['breach'], 'more than one row');
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

test('events of a withdrawn file are fresh when they are staged again', async () => {
  const event = "1, 10, 100, NULL, 'upsert', 'a', 'a.csv'";
  await stage([event], ['1, 10, 100, NULL, 10, NULL, true'], [event]);
  assert.deepEqual(await merged(SCD2, { all: false, withdrawn: ['a.csv'] }), [[1, 100, 10, null]]);
  assert.deepEqual(await db.rows(countFresh(['a.csv'])), [{ staged: 1, fresh: 1, withdrawn: 1 }]);
});

test('with ends of the source, a later event of a version that had ended begins where it was first said', async () => {
  const mode: KeyedMode = { ...SCD2, validTo: 'ends' };
  const log = ["1, 10, 5, NULL, 'upsert', 'a', 'a.csv'", "1, 20, 5, 25, 'upsert', 'b', 'a.csv'"];
  await stage(log, ['1, 20, 5, 25, 10, 25, false'], ["1, 22, 5, NULL, 'upsert', 'c', 'b.csv'"]);
  assert.deepEqual(await merged(mode), [[1, 5, 10, null]]);
});

test('upsert leaves an existing row to earlier events, and replaces it by later ones', async () => {
  const log = [1, 2, 3].map((id) => `${id}, 20, 5, NULL, 'upsert', 'h${id}', 'a.csv'`);
  const rows = [1, 2, 3].map((id) => `${id}, 20, 5, NULL`);
  const staged = ["1, 10, 9, NULL, 'upsert', 'x', 'b.csv'", "2, 30, 9, NULL, 'upsert', 'y', 'b.csv'"];
  await stage(log, rows, staged, UPSERT);
  assert.deepEqual(await merged(UPSERT), [
    [1, 20, 5],
    [2, 30, 9],
    [3, 20, 5],
  ]);
  assert.deepEqual(await db.values(`SELECT id FROM ${renderTouched(UPSERT, HISTORY)} ORDER BY id`), [[1], [2]]);
});
