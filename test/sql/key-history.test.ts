import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { KeyedMode } from '../../lib/core/spec.ts';
import type { Column } from '../../lib/core/types.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Session } from '../../lib/ports.ts';
import { sql } from '../../lib/sql/fragment.ts';
import {
  createKey,
  createRowsOfKey,
  renderLoggedExtracts,
  selectEvents,
  selectKey,
  selectVersions,
} from '../../lib/sql/key-history.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

const SCD2: KeyedMode = {
  kind: 'scd2',
  key: ['id', 'country'],
  sequence: 'at',
  track: ['job'],
  deleteWhen: null,
  tieBreak: 'job desc',
  missing: 'delete',
  validTo: null,
  coalesce: true,
  buckets: null,
};
const UPSERT: KeyedMode = { ...SCD2, kind: 'upsert', tieBreak: null };
const KEY: readonly Column[] = [
  { name: 'id', type: { kind: 'int' } },
  { name: 'country', type: { kind: 'string' } },
];

const GOLDEN: readonly (readonly [string, string])[] = [
  ['key-of-one.sql', createKey(KEY.slice(0, 1), ['7']).text],
  ['key-of-two.sql', createKey(KEY, ['7', "D'E"]).text],
  [
    'key-rows.sql',
    createRowsOfKey(['id', 'country'], { own: KEY, others: [] }, { log: sql`l`, history: sql`h` })
      .map((s) => s.text)
      .join(';\n'),
  ],
  ['key-extracts.sql', renderLoggedExtracts(SCD2, sql`l`)],
  ['key-events-scd2.sql', selectEvents(SCD2).text],
  ['key-events-upsert.sql', selectEvents(UPSERT).text],
  ['key-versions-scd2.sql', selectVersions(SCD2).text],
];

for (const [file, text] of GOLDEN) {
  test(`${file} is what is rendered`, async () => {
    const path = new URL(`golden/${file}`, import.meta.url);
    // UPDATE_GOLDEN=1 rewrites the files; the difference is then read before it is committed.
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(path, text);
    assert.equal(text, await readFile(path, 'utf8'));
  });
}

let session: Session;
before(async () => {
  session = await createDuckDbEngine().open({ memoryBytes: 200_000_000, threads: 2, scratch: '/tmp' });
});
after(() => session[Symbol.asyncDispose]());

test('a part of a key that is no value of its type is null', async () => {
  await session.run(createKey(KEY, ['seven', 'DE']));
  const [key] = await session.rows(selectKey());
  assert.deepEqual([key?.['id'], key?.['country']], [null, 'DE']);
  assert.match(String(key?.['_key_hash']), /^\d+$/);
});

test('events of one key in order, with what they made, also where the sequence is a struct', async () => {
  const at = (day: number): string => `{'year': 2026, 'day': ${day}}`;
  const event = (day: number, job: string, op: string): string =>
    `(7, 'DE', ${at(day)}, '${job}', '${op}', '${day}${job}${op}', 'f')`;
  const events = [
    event(2, 'cook', 'upsert'),
    event(1, 'clerk', 'upsert'),
    event(2, 'baker', 'upsert'),
    event(3, 'cook', 'upsert'),
    event(9, '', 'delete'),
    event(10, '', 'delete'),
  ];
  const create = (table: string, columns: string, rows: readonly string[]): Promise<void> =>
    session.run({
      name: table,
      text: userSql(`CREATE TABLE ${table} AS SELECT * FROM (VALUES ${rows.join(', ')}) t(${columns})`),
    });
  await create('__key_events', 'id, country, "at", job, _op, _event_hash, _source_file', events);
  await create('__history', 'id, country, "at", job, valid_from, valid_to, is_current', [
    `(7, 'DE', ${at(3)}, 'cook', ${at(2)}, ${at(9)}, false)`,
    `(7, 'DE', ${at(1)}, 'clerk', ${at(1)}, ${at(2)}, false)`,
  ]);
  const rows = await session.rows(selectEvents(SCD2));
  assert.deepEqual(
    rows.map((row) => [row['_event_hash'], row['__won'], row['__version'], row['__starts'], row['__last']]),
    [
      ['1clerkupsert', true, 1, true, false],
      ['2cookupsert', true, 2, true, false],
      ['2bakerupsert', false, null, false, false],
      ['3cookupsert', true, 2, false, false],
      ['9delete', true, 2, false, false],
      ['10delete', true, null, false, true],
    ],
  );
  const versions = await session.rows(selectVersions(SCD2));
  assert.deepEqual(
    versions.map((row) => [row['__version'], row['job']]),
    [
      [1, 'clerk'],
      [2, 'cook'],
    ],
  );
});
