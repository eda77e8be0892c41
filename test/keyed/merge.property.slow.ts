import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { eventColumnsOf, historyColumns, logColumns } from '../../lib/core/keyed.ts';
import type { KeyedMode } from '../../lib/core/spec.ts';
import type { Sql } from '../../lib/core/sql-text.ts';
import type { Column } from '../../lib/core/types.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Session } from '../../lib/ports.ts';
import { findBreaches } from '../../lib/sql/breaches.ts';
import { renderFirstHistory, renderFirstLog } from '../../lib/sql/first-load.ts';
import { sql } from '../../lib/sql/fragment.ts';
import {
  createFresh,
  createKeyEvents,
  createKnown,
  createLate,
  createRecomputed,
  createTouched,
  FRESH,
  HISTORY,
  LOG,
  NEW,
  renderHistory,
} from '../../lib/sql/keyed.ts';
import { createGone, renderAdded, renderAfter } from '../../lib/sql/positions.ts';
import { ownName, quoteText } from '../../lib/sql/quote.ts';
import { BUCKET, createRelation } from '../../lib/sql/scan.ts';
import { duckType } from '../../lib/sql/types.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { openFirst } from '../../lib/steps/merge/first-events.ts';
import { type Event, latestOf, type Rules, versionsOf } from './reference.ts';

/**
 * The merge against the reference: any set of events of any keys, cut into batches anywhere and put in any order, gives
 * the reference's table. One case is one key; 2,000 cases by default, KEYED_CASES for more, KEYED_SEED to repeat a run.
 */
const CASES = Number(process.env['KEYED_CASES'] ?? 2_000);
const KEYS_PER_RUN = 20;
const SEED = Number(process.env['KEYED_SEED'] ?? Date.now() % 2 ** 31);

const COLUMNS: readonly Column[] = [
  { name: 'k1', type: { kind: 'int' } },
  { name: 'k2', type: { kind: 'string' } },
  { name: 'seq', type: { kind: 'int' } },
  { name: 'a', type: { kind: 'string' } },
  { name: 'b', type: { kind: 'int' } },
  { name: 'u', type: { kind: 'string' } },
  { name: 'end_seq', type: { kind: 'int' } },
];

const TOLD_APART = eventColumnsOf({ columns: COLUMNS }, COLUMNS);

const SCD2: KeyedMode = {
  kind: 'scd2',
  key: ['k1', 'k2'],
  sequence: 'seq',
  track: ['a', 'b'],
  deleteWhen: null,
  tieBreak: null,
  missing: 'keep',
  validTo: null,
  coalesce: true,
  buckets: 1,
};

const VARIANTS: readonly { readonly name: string; readonly mode: KeyedMode; readonly rules: Rules }[] = [
  { name: 'scd2', mode: SCD2, rules: { coalesce: true, validTo: false } },
  { name: 'scd2, coalesce false', mode: { ...SCD2, coalesce: false }, rules: { coalesce: false, validTo: false } },
  { name: 'scd2, validTo', mode: { ...SCD2, validTo: 'end_seq' }, rules: { coalesce: true, validTo: true } },
  {
    name: 'scd2, tieBreak',
    mode: { ...SCD2, tieBreak: 'b DESC NULLS LAST' },
    rules: { coalesce: true, validTo: false, tieBreak: (x, y) => (y.b ?? -1) - (x.b ?? -1) },
  },
];

type KeyedEvent = Event & { readonly k1: number; readonly k2: string; readonly file: string };

const eventArbitrary = fc
  .record({
    seq: fc.integer({ min: 0, max: 8 }),
    op: fc.oneof(
      { arbitrary: fc.constant('upsert' as const), weight: 4 },
      { arbitrary: fc.constant('delete' as const), weight: 1 },
    ),
    a: fc.constantFrom('x', 'y', null),
    b: fc.constantFrom(1, 2, null),
    u: fc.constantFrom('p', 'q', null),
    length: fc.option(fc.integer({ min: 1, max: 6 })),
  })
  .map(({ length, ...event }) => ({ ...event, end: length === null ? null : event.seq + length }));

/** Events of several keys, spread over batches in an order of their own; some arrive twice. */
const batchesArbitrary = fc
  .record({
    keys: fc.array(fc.array(eventArbitrary, { minLength: 1, maxLength: 7 }), {
      minLength: KEYS_PER_RUN,
      maxLength: KEYS_PER_RUN,
    }),
    order: fc.infiniteStream(fc.integer({ min: 0, max: 1_000_000 })),
    batches: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ keys, order, batches }) => {
    const next = (): number => order.next().value ?? 0;
    const events = keys.flatMap((of, k) =>
      of.map((event) => identify(event, Math.floor(k / 2), k % 2 === 0 ? 'e' : 'ö')),
    );
    const twice = events.filter(() => next() % 5 === 0);
    const placed = [...events, ...twice].map((event) => ({ event, at: next(), batch: next() % batches }));
    const sorted = placed.sort((x, y) => x.at - y.at);
    const cut = Array.from({ length: batches }, (_, b) =>
      sorted.filter((p) => p.batch === b).map((p) => ({ ...p.event, file: `f${b}` })),
    );
    return { events, batches: cut };
  });

function identify(event: Omit<Event, 'hash'>, k1: number, k2: string): KeyedEvent {
  const { seq, a, b, u, end, op } = event;
  const parts = [k1, k2, seq, a, b, u, end].map((v) => (v === null ? 'N;' : `V${Buffer.byteLength(String(v))}:${v};`));
  const hash = createHash('sha256')
    .update(`${parts.join('')}${op}`)
    .digest('hex');
  return { ...event, k1, k2, file: '', hash };
}

/** Logs of earlier releases have a hash beside each event. */
const hasHash = ({ file }: Pick<KeyedEvent, 'file'>): boolean => file === 'f1';

/** The events of a merge as they came. */
const BATCH = ownName('__batch');

let session: Session;
const scratch = mkdtempSync(join(tmpdir(), 'strata-keyed-'));

before(async () => {
  session = await createDuckDbEngine().open({ memoryBytes: 1e9, threads: 1, scratch });
});

after(async () => {
  await session[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true, force: true });
});

describe(`keyed merges equal the reference (seed ${SEED})`, () => {
  for (const { name, mode, rules } of VARIANTS) {
    test(name, async () => {
      const check = fc.asyncProperty(batchesArbitrary, async ({ events, batches }) => {
        await startOver(mode);
        for (const batch of batches) await merge(mode, batch);
        assert.deepEqual(await versions(), expectedVersions(events, rules));
        const before = await versions();
        for (const batch of batches) assert.equal(await merge(mode, batch), 0, 'a replay is known');
        assert.deepEqual(await versions(), before, 'a replay changes nothing');
        await asOfEqualsReplay(events, rules, before);
      });
      await fc.assert(check, { numRuns: Math.ceil(CASES / KEYS_PER_RUN / VARIANTS.length), seed: SEED });
    });
  }

  test('upsert holds the open rows of scd2', async () => {
    const mode: KeyedMode = { ...SCD2, kind: 'upsert' };
    const check = fc.asyncProperty(batchesArbitrary, async ({ events, batches }) => {
      await startOver(mode);
      for (const batch of batches) await merge(mode, batch);
      const rows = await session.rows({
        name: 'rows',
        text: userSql(`SELECT k1, k2, a, b, u FROM ${HISTORY} ORDER BY k1, k2`),
      });
      const rules = { coalesce: true, validTo: false };
      const open = byKey(events).flatMap(([k1, k2, of]) =>
        versionsOf(of, rules)
          .filter((v) => v.to === null)
          .map(({ a, b, u }) => ({ k1, k2, a, b, u })),
      );
      assert.deepEqual(rows, open);
      const latest = byKey(events).flatMap(([k1, k2, of]) => {
        const last = latestOf(of, rules);
        return last === undefined ? [] : [{ k1, k2, a: last.a, b: last.b, u: last.u }];
      });
      assert.deepEqual(rows, latest);
    });
    await fc.assert(check, { numRuns: Math.ceil(CASES / KEYS_PER_RUN / VARIANTS.length), seed: SEED });
  });
});

/** Where rows lie, of which a merge on read says that they are gone. */
const PLACES = ", __file VARCHAR DEFAULT 'f', __number BIGINT DEFAULT 0";

const SCOPE = { all: false, withdrawn: [] };

async function startOver(mode: KeyedMode): Promise<void> {
  for (const [table, columns] of [
    [LOG, logColumns(mode, COLUMNS)],
    [HISTORY, historyColumns(mode, COLUMNS)],
    [BATCH, logColumns(mode, COLUMNS)],
  ] as const) {
    const types = columns.map((c) => `"${c.name}" ${duckType(c.type)}`).join(', ');
    await session.run({
      name: 'start',
      text: userSql(`CREATE OR REPLACE TABLE ${table} (${types}, ${BUCKET} INTEGER DEFAULT 0${PLACES})`),
    });
  }
}

const MADE = [
  ...['VIEW __new', 'VIEW __staged', 'TABLE __several', 'TABLE __late', 'TABLE __known', 'TABLE __fresh'],
  ...['TABLE __touched', 'TABLE __key_events', 'TABLE __recomputed', 'TABLE __same', 'TABLE __gone'],
];

/** One batch through the statements of a merge unit; answers how many events were fresh. */
async function merge(mode: KeyedMode, batch: readonly KeyedEvent[]): Promise<number> {
  await session.run({ name: 'clear', text: userSql(`DELETE FROM ${BATCH}`) });
  if (batch.length > 0)
    await session.run({ name: 'stage', text: userSql(`INSERT INTO ${BATCH} BY NAME ${renderEvents(batch)}`) });
  for (const made of MADE)
    await session.run({ name: 'drop', text: userSql(`DROP ${made.replace(' ', ' IF EXISTS ')}`) });
  // What comes first takes a shorter way, and has to come to the same.
  const isFirst = batch.length % 2 === 0 && (await countRows(LOG)) === 0;
  if (isFirst) await openFirst(session, mode, COLUMNS, sql`${BATCH}`);
  else await session.run(createRelation(NEW, sql`${BATCH}`));
  await session.run(createLate(mode, true));
  await session.run(createKnown(mode, SCOPE));
  await session.run(createFresh(mode, TOLD_APART, []));
  await session.run(createTouched(mode, SCOPE));
  await session.run(createKeyEvents(mode, COLUMNS, SCOPE));
  await session.run(createRecomputed(mode, COLUMNS, TOLD_APART));
  const columns = historyColumns(mode, COLUMNS);
  const history = isFirst ? renderFirstHistory(mode, columns) : renderHistory(mode, columns);
  const log = isFirst ? renderFirstLog(mode, logColumns(mode, COLUMNS)) : FRESH;
  await session.run({ name: 'next', text: userSql(`CREATE OR REPLACE TABLE __next AS SELECT * FROM ${history}`) });
  if (!isFirst && (await countRows(FRESH)) > 0) await mergeOnRead(mode);
  const placed = `SELECT *, 'f' AS __file, row_number() OVER () AS __number FROM __next`;
  await session.run({ name: 'swap', text: userSql(`CREATE OR REPLACE TABLE ${HISTORY} AS ${placed}`) });
  const before = await countRows(LOG);
  await session.run({ name: 'log', text: userSql(`INSERT INTO ${LOG} BY NAME SELECT * FROM ${log}`) });
  assert.deepEqual(await session.rows(findBreaches(mode, HISTORY)), []);
  return (await countRows(LOG)) - before;
}

async function countRows(table: Sql): Promise<number> {
  return Number((await session.rows({ name: 'count', text: userSql(`SELECT count(*) AS n FROM ${table}`) }))[0]?.['n']);
}

/** What a merge on read adds and takes out comes to the rows that a merge writes anew, and none of it is there already. */
async function mergeOnRead(mode: KeyedMode): Promise<void> {
  const columns = historyColumns(mode, COLUMNS);
  for (const statement of createGone(mode, columns)) await session.run(statement);
  const all = [...columns.map(({ name }) => `"${name}"`), BUCKET].join(', ');
  const left = `SELECT ${all} FROM ${HISTORY} ANTI JOIN __gone ON __number = pos`;
  const added = renderAdded(mode, columns);
  const now = `(${left} UNION ALL SELECT ${all} FROM ${added})`;
  const written = `(SELECT ${all} FROM __next)`;
  const differ = (a: string, b: string): string => `SELECT count(*) FROM (FROM ${a} EXCEPT ALL FROM ${b})`;
  const text = `SELECT (${differ(now, written)}) AS more, (${differ(written, now)}) AS missing,
    (SELECT count(*) FROM ${added} WHERE ${BUCKET} IS NULL) AS lost,
    (SELECT count(*) FROM (SELECT ${all} FROM ${HISTORY} INTERSECT SELECT ${all} FROM ${added})) AS again`;
  const [counts] = await session.rows({ name: 'on read', text: userSql(text) });
  assert.deepEqual(Object.values(counts ?? {}).map(Number), [0, 0, 0, 0], 'merged on read');
  assert.deepEqual(await session.rows(findBreaches(mode, renderAfter(mode, added))), []);
}

function renderEvents(events: readonly KeyedEvent[]): string {
  const value = (v: string | number | null): string =>
    v === null ? 'NULL' : typeof v === 'number' ? String(v) : quoteText(v);
  const rows = events.map(
    (e) =>
      `(${[e.k1, e.k2, e.seq, e.a, e.b, e.u, e.end, e.op, hasHash(e) ? e.hash : null, e.file, e.k1].map(value).join(', ')})`,
  );
  return `SELECT * FROM (VALUES ${rows.join(', ')}) v(k1, k2, seq, a, b, u, end_seq, _op, _event_hash, _source_file, _key_hash)`;
}

type Row = { readonly k1: number; readonly k2: string; readonly from: number; readonly to: number | null };

async function versions(): Promise<readonly Row[]> {
  const select = `SELECT k1, k2, valid_from AS "from", valid_to AS "to", a, b, u, end_seq AS "end" FROM ${HISTORY} ORDER BY k1, k2, valid_from`;
  return (await session.rows({ name: 'versions', text: userSql(select) })) as unknown as readonly Row[];
}

function expectedVersions(events: readonly KeyedEvent[], rules: Rules): readonly Row[] {
  return byKey(events).flatMap(([k1, k2, of]) =>
    versionsOf(of, rules).map(({ from, to, a, b, u, end }) => ({ k1, k2, from, to, a, b, u, end })),
  );
}

function byKey(events: readonly KeyedEvent[]): readonly (readonly [number, string, readonly KeyedEvent[]])[] {
  const keys = [...new Set(events.map((e) => `${String(e.k1).padStart(3, '0')}|${e.k2}`))].sort();
  return keys.map((key) => {
    const [k1, k2] = key.split('|');
    return [Number(k1), k2 ?? '', events.filter((e) => e.k1 === Number(k1) && e.k2 === k2)] as const;
  });
}

/** What the table says of a moment is what it would have said with the events up to then: the tracked columns. */
async function asOfEqualsReplay(events: readonly KeyedEvent[], rules: Rules, rows: readonly Row[]): Promise<void> {
  for (const at of [1, 4, 7]) {
    const now = rows.filter((r) => r.from <= at && (r.to === null || at < r.to));
    const then = expectedVersions(
      events.filter((e) => e.seq <= at),
      rules,
    ).filter((r) => r.from <= at && (r.to === null || at < r.to));
    const tracked = (row: Row): unknown => ({ ...row, to: null, u: null, end: null });
    assert.deepEqual(now.map(tracked), then.map(tracked), `as of ${at}`);
  }
}
