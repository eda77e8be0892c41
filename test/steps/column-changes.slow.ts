import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { append, csv, definePipeline, full, identity, replace, scd2, upsert } from '../../lib/define/index.ts';
import { currentSchema } from '../../lib/iceberg/schema.ts';
import { withQuery } from '../../lib/query/select.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';
import {
  type Batch,
  type ColumnsOfTable,
  type ContractColumns,
  expectedRows,
  type TableMode,
} from './expected-columns.ts';

const KEYED = { key: 'id', sequence: 'q', buckets: 2 } as const;
const BY_ID = { partitionBy: [identity('id')] };

/** What each mode makes of rows is said in expected-columns.ts, on its own. */
const MODES = {
  append: { silver: { mode: append() }, rows: 'append', keeps: true },
  'append by row': { silver: { mode: append({ dedupe: 'row' }), sortBy: ['q', 'v'] }, rows: 'append', keeps: true },
  'append by key': { silver: { mode: append({ dedupe: { key: ['id', 'q'] } }) }, rows: 'append', keeps: true },
  replace: { silver: { mode: replace(), ...BY_ID }, rows: 'replace', keeps: true },
  full: { silver: { mode: full() }, rows: 'full', keeps: false },
  upsert: { silver: { mode: upsert(KEYED) }, rows: 'upsert', keeps: true },
  scd2: { silver: { mode: scd2(KEYED) }, rows: 'scd2', keeps: true },
  gold: { silver: { mode: append() }, gold: {}, rows: 'append', keeps: false },
  'gold touched': { silver: { mode: append() }, gold: { ...BY_ID, refresh: 'touched' }, rows: 'append', keeps: false },
} as const satisfies Readonly<Record<string, { silver: object; gold?: object; rows: TableMode; keeps: boolean }>>;
type Mode = keyof typeof MODES;

const BASE: ContractColumns = { id: 'int', q: 'int', v: 'int', n: 'string' };
const { n: _n, ...WITHOUT_N } = BASE;
const BEFORE: Batch = {
  header: ['id', 'q', 'v', 'n'],
  rows: [
    [1, 1, 5, 'a'],
    [2, 1, 7, 'b'],
    [3, 1, 8, null],
  ],
};
/** By the old header, and earlier than what is there. */
const LATE: Batch = {
  header: ['id', 'q', 'v', 'n'],
  rows: [
    [1, 0, 4, 'z'],
    [5, 1, 2, 'y'],
  ],
};

type Step = { readonly columns: ContractColumns; readonly batch: Batch };
type Change = {
  /** The first pipeline, where it is not the usual one. */
  readonly first?: ContractColumns;
  /** The pipelines and files that follow the first; the last is the one that a fresh lake has. */
  readonly steps: readonly Step[];
  /** The first of them stops a run of a table whose rows stay. */
  readonly stops?: true;
  /** A column goes that versions were told apart by, so that a table of versions has rows of other rules until a rebuild. */
  readonly untracks?: true;
  /** By a column of the end: the one of the start that it is, or null for a new one, in tables that keep their columns. */
  readonly ids: Readonly<Record<string, string | null>>;
  /** The same in tables that are replaced whole, where it is otherwise. */
  readonly wholeIds?: Readonly<Record<string, string | null>>;
};

const same = { id: 'id', q: 'q', v: 'v', n: 'n' };

const CHANGES: Readonly<Record<string, Change>> = {
  add: {
    steps: [
      { columns: { ...BASE, w: 'string' }, batch: { header: ['id', 'q', 'v', 'n', 'w'], rows: [[1, 2, 6, 'c', 'x']] } },
    ],
    ids: { ...same, w: null },
  },
  'add with a default': {
    steps: [
      {
        columns: { ...BASE, w: { type: 'string', default: 'dd' } },
        batch: {
          header: ['id', 'q', 'v', 'n', 'w'],
          rows: [
            [1, 2, 6, 'c', 'x'],
            [2, 2, 9, 'd', null],
          ],
        },
      },
    ],
    stops: true,
    ids: { ...same, w: null },
  },
  drop: {
    steps: [{ columns: WITHOUT_N, batch: { header: ['id', 'q', 'v'], rows: [[1, 2, 6]] } }],
    untracks: true,
    ids: { id: 'id', q: 'q', v: 'v' },
  },
  reorder: {
    steps: [
      {
        columns: { n: 'string', v: 'int', q: 'int', id: 'int' },
        batch: { header: ['v', 'n', 'id', 'q'], rows: [[6, 'c', 1, 2]] },
      },
    ],
    ids: same,
  },
  widen: {
    steps: [
      {
        columns: { ...BASE, v: 'bigint' },
        batch: { header: ['id', 'q', 'v', 'n'], rows: [[1, 2, 5_000_000_000, 'c']] },
      },
    ],
    ids: same,
  },
  retype: {
    steps: [
      { columns: { ...BASE, v: 'string' }, batch: { header: ['id', 'q', 'v', 'n'], rows: [[1, 2, 'six', 'c']] } },
    ],
    stops: true,
    ids: { ...same, v: null },
  },
  rename: {
    steps: [
      {
        columns: { id: 'int', q: 'int', value: { type: 'int', renamedFrom: 'v' }, n: 'string' },
        batch: { header: ['id', 'q', 'value', 'n'], rows: [[1, 2, 6, 'c']] },
      },
    ],
    ids: { id: 'id', q: 'q', value: 'v', n: 'n' },
  },
  'rename the key and the sequence, in a chain': {
    steps: [
      {
        columns: {
          key: { type: 'int', renamedFrom: 'id' },
          seq: { type: 'int', renamedFrom: 'q' },
          v: 'int',
          n: 'string',
        },
        batch: { header: ['key', 'seq', 'v', 'n'], rows: [[1, 2, 6, 'c']] },
      },
      {
        columns: {
          pk: { type: 'int', renamedFrom: ['key', 'id'] },
          seq: { type: 'int', renamedFrom: 'q' },
          v: 'bigint',
          n: 'string',
        },
        batch: {
          header: ['pk', 'seq', 'v', 'n'],
          rows: [
            [1, 3, 5_000_000_000, 'd'],
            [2, 2, 3, 'e'],
          ],
        },
      },
    ],
    ids: { pk: 'id', seq: 'q', v: 'v', n: 'n' },
  },
  'add a dropped name again': {
    steps: [
      { columns: WITHOUT_N, batch: { header: ['id', 'q', 'v'], rows: [[1, 2, 6]] } },
      { columns: BASE, batch: { header: ['id', 'q', 'v', 'n'], rows: [[2, 3, 1, 'again']] } },
    ],
    untracks: true,
    ids: same,
    wholeIds: { ...same, n: null },
  },
  'give a dropped column another name': {
    steps: [
      { columns: WITHOUT_N, batch: { header: ['id', 'q', 'v'], rows: [[1, 2, 6]] } },
      {
        columns: { ...WITHOUT_N, m: { type: 'string', renamedFrom: 'n' } },
        batch: { header: ['id', 'q', 'v', 'm'], rows: [[2, 3, 1, 'again']] },
      },
    ],
    untracks: true,
    ids: { id: 'id', q: 'q', v: 'v', m: 'n' },
    wholeIds: { id: 'id', q: 'q', v: 'v', m: null },
  },
  'make optional': {
    first: { ...BASE, n: { type: 'string', required: true } },
    steps: [
      {
        columns: BASE,
        batch: {
          header: ['id', 'q', 'v', 'n'],
          rows: [
            [1, 2, 6, 'c'],
            [2, 2, 9, null],
          ],
        },
      },
    ],
    stops: true,
    ids: same,
  },
  'make required': {
    steps: [
      {
        columns: { ...BASE, n: { type: 'string', required: true } },
        batch: {
          header: ['id', 'q', 'v', 'n'],
          rows: [
            [1, 2, 6, 'c'],
            [2, 2, 9, null],
          ],
        },
      },
    ],
    stops: true,
    ids: same,
  },
};

/** Names of key, sequence and payload as a pipeline has them now. */
function named(columns: ContractColumns, first: string): string {
  const found = Object.entries(columns).find(([name, column]) => {
    const before = typeof column === 'string' ? [] : [column.renamedFrom ?? []].flat();
    return name === first || before.includes(first);
  });
  return found?.[0] ?? first;
}

function pipeline(mode: Mode, columns: ContractColumns): TestPipeline {
  const { silver, ...rest } = MODES[mode];
  const [id, q] = [named(columns, 'id'), named(columns, 'q')];
  const text = JSON.stringify(silver)
    .replaceAll('"id"', `"${id}"`)
    .replaceAll('"q"', `"${q}"`)
    .replaceAll('"v"', `"${named(columns, 'v')}"`);
  const renamed = Object.fromEntries(
    Object.entries(columns).flatMap(([name, column]) =>
      typeof column === 'string' || column.renamedFrom === undefined ? [] : [[name, column.renamedFrom]],
    ),
  );
  const gold = 'gold' in rest ? JSON.parse(JSON.stringify(rest.gold).replaceAll('"id"', `"${id}"`)) : undefined;
  return {
    name: 'p',
    definition: definePipeline({
      name: 'p',
      sources: { s: csv({ columns: columns as never, drift: 'ignore' }) },
      silver: { s: { from: 's', ...JSON.parse(text) } },
      ...(gold === undefined ? {} : { gold: { g: { sql: 'g.sql', renamed, ...gold } } }),
    } as Parameters<typeof definePipeline>[0]),
    sql: { 'g.sql': `SELECT ${Object.keys(columns).join(', ')} FROM silver.s` },
  };
}

function edited(lake: TestLake, changed: TestPipeline): TestLake {
  const spec = compileTest(changed, lake.scratch);
  return lake.reopen((deps) => ({ ...deps, specs: () => spec }));
}

async function land(lake: TestLake, round: number, { header, rows }: Batch): Promise<void> {
  const lines = [header, ...rows.map((row) => row.map((value) => value ?? ''))].map((line) => `${line.join(',')}\n`);
  await lake.land('s', `${round}.csv`, lines.join(''));
}

const tableOf = (mode: Mode): string => ('gold' in MODES[mode] ? 'p_gold.g' : 'p_silver.s');

async function fieldsOf(lake: TestLake, table: string): Promise<ReadonlyMap<string, number>> {
  const metadata = await lake.metadata(table);
  assert.ok(metadata);
  return new Map(currentSchema(metadata).fields.map(({ name, id }) => [name, id]));
}

/** Rows as text, an empty one for null, and the names of their columns. */
function shown(rows: readonly Readonly<Record<string, unknown>>[], columns: readonly string[]): readonly string[] {
  return rows.map((row) => columns.map((name) => `${name}=${row[name] ?? ''}`).join(' ')).sort();
}

async function rowsOf(lake: TestLake, table: string, columns: readonly string[]): Promise<readonly string[]> {
  return shown(await lake.rows(table), columns);
}

async function rowsAsOf(lake: TestLake, table: string, run: string, columns: readonly string[]) {
  const rows = await withQuery(lake.deps, { sql: `FROM ${table}`, asOf: run }, async (result) => {
    const all: Readonly<Record<string, unknown>>[] = [];
    for await (const page of result.pages()) all.push(...(page as Readonly<Record<string, unknown>>[]));
    return all;
  });
  for (const row of rows)
    assert.deepEqual(
      columns.filter((name) => !Object.hasOwn(row, name)),
      [],
    );
  return shown(rows, columns);
}

/** A run, and what the table has then, as the reference says. */
type Moment = { readonly run: string; readonly columns: readonly string[]; readonly rows: readonly string[] };

async function checkChange(
  mode: Mode,
  { first: base = BASE, steps, stops, untracks, ids, wholeIds = ids }: Change,
): Promise<void> {
  const { rows: kind, keeps } = MODES[mode];
  const table = tableOf(mode);
  const first = { columns: base, batch: BEFORE };
  const last = steps.at(-1) ?? first;
  const all: readonly Step[] = [first, ...steps, { columns: last.columns, batch: LATE }];
  const lake = await openTestLake(pipeline(mode, base), { threads: 1, remember: true });
  const fresh = await openTestLake(pipeline(mode, last.columns), { threads: 1, remember: true });
  try {
    const moments: Moment[] = [];
    const taken = new Map<number, string>();
    let start: ReadonlyMap<string, number> = new Map();
    let held: ColumnsOfTable = { columns: [], rows: [] };
    for (const [round, { columns, batch }] of all.entries()) {
      const now = edited(lake, pipeline(mode, columns));
      await land(now, round, batch);
      const run = `run-${round}`;
      const stopped = stops === true && round === 1 && mode !== 'full';
      if (stopped) {
        const refused = await now.run({ runId: 'refused' });
        assert.equal(refused.error?.name, 'InvalidInput', refused.error?.message);
        assert.deepEqual(await rowsOf(now, table, moments[0]?.columns ?? []), moments[0]?.rows);
      }
      const result = await now.run({ runId: run, ...(stopped ? { backfill: {} } : {}) });
      assert.equal(result.status, 'SUCCEEDED', result.error?.message);
      const mixed = untracks === true && mode === 'scd2' && round > 0;
      assert.deepEqual(
        result.warnings.map((text) => /strata rebuild p_silver\.s/.test(text)),
        mixed ? [true] : [],
      );
      // The silver table under gold keeps its columns, whose values are in gold again when the SQL names them again.
      held = expectedRows(kind, {
        state: stopped ? { columns: [], rows: [] } : held,
        columns,
        batches: stopped ? all.slice(0, round + 1).map((one) => one.batch) : [batch],
        keeps: kind !== 'full' && !stopped,
      });
      const state = keeps ? held : { ...held, columns: Object.keys(columns) };
      const rows = shown(state.rows, state.columns);
      assert.deepEqual(await rowsOf(now, table, state.columns), rows, `after ${run}`);
      const fields = await fieldsOf(now, table);
      assert.deepEqual([...fields.keys()].filter((name) => !name.startsWith('_')).sort(), [...state.columns].sort());
      moments.push({ run, columns: state.columns, rows });
      if (round === 0) start = fields;
      for (const [name, id] of fields) taken.set(id, taken.get(id) ?? name);
    }
    const end = await fieldsOf(lake, table);
    const most = Math.max(...start.values());
    for (const [name, before] of Object.entries(keeps ? ids : wholeIds)) {
      const id = end.get(name) ?? 0;
      if (before === null) assert.ok(id > most, `${name} has an id of its own, got ${id}`);
      else assert.equal(id, start.get(before), `${name} keeps the id of ${before}`);
    }
    for (const { run, columns, rows } of moments)
      assert.deepEqual(await rowsAsOf(lake, table, run, columns), rows, run);
    await checkBackfill(lake, fresh, mode, { all, last });
    for (const { run, columns, rows } of moments)
      assert.deepEqual(await rowsAsOf(lake, table, run, columns), rows, run);
  } finally {
    lake.close();
    fresh.close();
  }
}

async function checkBackfill(
  lake: TestLake,
  fresh: TestLake,
  mode: Mode,
  { all, last }: { readonly all: readonly Step[]; readonly last: Step },
): Promise<void> {
  const table = tableOf(mode);
  for (const [round, { batch }] of all.entries()) {
    await land(fresh, round, batch);
    const { status, error } = await fresh.run({ runId: `run-${round}` });
    assert.equal(status, 'SUCCEEDED', error?.message);
  }
  const again = edited(lake, pipeline(mode, last.columns));
  const { status, error } = await again.run({ runId: 'anew', backfill: {} });
  assert.equal(status, 'SUCCEEDED', error?.message);
  const names = [...(await fieldsOf(fresh, table)).keys()];
  assert.deepEqual([...(await fieldsOf(again, table)).keys()].sort(), [...names].sort());
  assert.deepEqual(await rowsOf(again, table, names), await rowsOf(fresh, table, names));
}

/**
 * COLUMN_CHANGES=all takes every change of every mode, other text those with it in their name; by default it is one in three,
 * some of every mode and of every change.
 */
const CHOSEN = process.env['COLUMN_CHANGES'];
const STRIDE = 3;

function isChosen(name: string, place: number): boolean {
  if (CHOSEN === undefined) return place % STRIDE === 0;
  return CHOSEN === 'all' || name.includes(CHOSEN);
}

for (const [m, mode] of (Object.keys(MODES) as Mode[]).entries()) {
  describe(mode, { concurrency: 2 }, () => {
    for (const [c, [what, change]] of Object.entries(CHANGES).entries()) {
      if (isChosen(`${mode}: ${what}`, m + c)) test(what, () => checkChange(mode, change));
    }
  });
}
