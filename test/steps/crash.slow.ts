import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { FACT_TABLES } from '../../lib/core/ops.ts';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import { tablePrefix } from '../../lib/core/tables.ts';
import {
  append,
  cron,
  csv,
  definePipeline,
  full,
  month,
  replace,
  scd2,
  secret,
  seed,
  upsert,
} from '../../lib/define/index.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import type { TableMetadata } from '../../lib/iceberg/types.ts';
import { factsFolder, listWaiting } from '../../lib/lake/facts/facts-folder.ts';
import { noteFailedPeriod } from '../../lib/lake/ops/branches/failed-periods.ts';
import { readServed, servesBehind } from '../../lib/lake/serve/served.ts';
import { readMade } from '../../lib/lake/tables/made-by.ts';
import { queryRows } from '../../lib/query/select.ts';
import type { RunRequest } from '../../lib/remote/run-request.ts';
import { createStoredSink, readStoredSink } from '../ports/memory-sink.ts';
import { dying, successor } from '../support/dying.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

/**
 * The crash matrix: the process ends before and after every single change that a run makes to the store (the catalog of
 * these tests keeps its tables there, so commits are among them). Whoever comes next must end with the same tables,
 * ledger and accounts as if nothing had happened.
 */
const MODES = {
  'append, dedupe by row': { mode: append({ dedupe: 'row' }), partitionBy: [month('day')] },
  'append, dedupe by key': { mode: append({ dedupe: { key: 'id' } }) },
  replace: { mode: replace(), partitionBy: [month('day')] },
  full: { mode: full() },
  upsert: { mode: upsert({ key: 'id', sequence: 'day', buckets: 2 }) },
  // Keys in ranges, as by default; those of upsert are in buckets.
  scd2: { mode: scd2({ key: 'id', sequence: 'day' }) },
  // Two tables of one source, which count differently; one says beside its files which of their rows are gone.
  'append beside upsert': {
    mode: append(),
    beside: {
      from: 'orders',
      mode: upsert({ key: 'id', sequence: 'day', buckets: 2, writeMode: 'merge-on-read' }),
    },
  },
} as const;

/** Runs that make the tables anew instead. */
const BACKFILLS = {
  'backfill of replace': MODES.replace,
  'backfill of scd2': MODES.scd2,
} as const;

/** CRASH_POINTS=all dies before every change; otherwise before one in twelve. */
const ALL = process.env['CRASH_POINTS'] === 'all';
const STRIDE = ALL ? 1 : 12;
/** A backfill goes through the same changes as a run, and dies before one in four of them. */
const BACKFILL_STRIDE = ALL ? 4 : 12;

const CODEC = { parse: parseMetadata, render: renderMetadata };
const HEADER = 'id,day,amount\n';
/** A run that dies later has asked the engine the same before, and so has who comes next. */
const WAITING = { threads: 1, remember: true } as const;

type Silver = {
  readonly mode: unknown;
  readonly expect?: object;
  readonly beside?: object;
  readonly exports?: object;
  readonly schedules?: object;
  readonly serve?: object;
};

function pipeline({ beside, exports, schedules, serve, ...silver }: Silver, days = '2026-01-05'): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      ...(schedules && { schedules }),
      ...(serve && { serve }),
      sources: {
        orders: csv({ columns: { id: 'bigint', day: 'date', amount: 'decimal(10,2)' } }),
        days: seed('days.csv', { columns: { day: 'date' } }),
      },
      silver: { orders: { from: 'orders', ...silver }, ...(beside && { beside }) },
      gold: { totals: { sql: 'totals.sql', ...(exports && { export: exports }) } },
    } as Parameters<typeof definePipeline>[0]),
    sql: {
      'days.csv': `day\n${days}\n`,
      'totals.sql': 'SELECT sum(amount) AS amount, count(*) AS orders FROM silver.orders',
    },
  };
}

/** A lake with one finished run and new files waiting: a duplicate, a rejected row, a rejected file and a changed seed among them. */
async function openWaiting(silver: Silver, changed: PipelineSpec): Promise<TestLake> {
  const lake = await openTestLake(pipeline(silver), WAITING);
  await lake.land('orders', 'a.csv', `${HEADER}1,2026-01-05,1.00\n2,2026-02-06,2.00\n`);
  await lake.run({ runId: 'before' });
  await lake.land(
    'orders',
    'b.csv',
    `${HEADER}2,2026-02-06,2.00\n3,2026-02-07,3.00\n4,2026-02-31,4.00\n1,2026-02-08,5.00\n`,
  );
  await lake.land('orders', 'c.csv', '');
  return lake.reopen((deps) => ({ ...deps, specs: async () => changed }));
}

const BOOKS = {
  'shop_silver.orders': 'SELECT id, day, amount FROM t ORDER BY ALL',
  'shop_silver.beside': 'SELECT * FROM t ORDER BY ALL',
  'shop_silver.days': 'SELECT day FROM t ORDER BY ALL',
  'shop_gold.totals': 'SELECT * FROM t ORDER BY ALL',
  'shop_ops.files': 'SELECT source, key, etag, status, records, code, run_id, table_name FROM t ORDER BY ALL',
  'shop_ops.accounting':
    'SELECT run_id, source, read, accepted, quarantined, duplicates, table_name FROM t ORDER BY ALL',
  'shop_ops.quarantine': 'SELECT source_file, line, codes, run_id, table_name FROM t ORDER BY ALL',
  'shop_ops.runs': 'SELECT run_id, status, rows_read, rows_added FROM t ORDER BY ALL',
} as const;

/** What is kept of runs, be it in the tables or still to come there. */
async function factsOf(lake: TestLake): Promise<unknown> {
  return [
    await queryRows(
      lake.deps,
      'SELECT run_id, model, status, units, rows_in, rows_out FROM shop_ops.model_runs ORDER BY ALL',
    ),
    await queryRows(
      lake.deps,
      'SELECT run_id, model, action, table_or_source, files, rows FROM shop_ops.lineage ORDER BY ALL',
    ),
    await queryRows(lake.deps, 'SELECT run_id, "table", "column", rows, nulls FROM shop_ops.quality ORDER BY ALL'),
    await lake.rows('shop_ops.model_runs', 'SELECT run_id, model FROM t ORDER BY ALL'),
    await listWaiting(lake.store, 'shop'),
  ];
}

async function books(lake: TestLake): Promise<unknown> {
  const orders = await lake.metadata('shop_silver.orders');
  const all: Record<string, unknown> = { checked: orders && readMade(orders)?.checks };
  for (const [table, select] of Object.entries(BOOKS)) {
    const there = table !== 'shop_silver.beside' || (await lake.metadata(table)) !== undefined;
    if (there) all[table] = await lake.rows(table, select);
  }
  if ((await lake.metadata('shop_ops.branches')) !== undefined) {
    const select = 'SELECT branch, period, status, run_id, attempts FROM t ORDER BY ALL';
    all['branches'] = await lake.rows('shop_ops.branches', select);
  }
  if ((await lake.metadata('shop_ops.exports')) !== undefined) {
    const select = 'SELECT run_id, kind, target, state, object, sha256 FROM t ORDER BY ALL';
    all['exports'] = await lake.rows('shop_ops.exports', select);
    for await (const { key } of lake.store.list('ops/shop/_branches/')) all[key] = 'noted';
    for await (const { key } of lake.store.list('exports/')) all[key] = String((await lake.store.read(key)).bytes);
  }
  return all;
}

/** What the catalog has of the tables that are served. */
async function tablesOf(
  lake: TestLake,
): Promise<ReadonlyMap<string, { readonly metadata: TableMetadata } | undefined>> {
  const ids = ['silver.orders', 'gold.totals'] as const;
  const found = await Promise.all(
    ids.map(async (id) => {
      const metadata = await lake.metadata(`shop_${id}`);
      return [id, metadata && { metadata }] as const;
    }),
  );
  return new Map(found);
}

/** Readers that open a table by its folder go by the hint alone. */
async function checkHints(lake: TestLake, where: string): Promise<void> {
  for (const id of await lake.deps.catalog.list()) {
    const folder = `${tablePrefix(id)}/metadata`;
    const hint = new TextDecoder().decode((await lake.store.read(`${folder}/version-hint.text`)).bytes);
    const newest = await createFileCatalog(lake.store, CODEC, { readOnly: true }).load(id);
    assert.equal(newest?.metadataLocation, lake.store.location(`${folder}/v${hint}.metadata.json`), where);
  }
}

/** Lets `asked` die before every change that it makes, `stride` apart; what comes next must leave what a calm run leaves. */
async function dieAndGoOn(waiting: TestLake, asked: Partial<RunRequest>, stride: number): Promise<void> {
  return dieBefore(waiting, asked, (_key, n) => (n - 1) % stride === 0);
}

/** The same before those changes that are chosen, by the key of what is changed and its number. */
async function dieBefore(
  waiting: TestLake,
  asked: Partial<RunRequest>,
  chosen: (key: string, n: number) => boolean,
  look: (lake: TestLake) => Promise<unknown> = books,
): Promise<void> {
  const calm = await waiting.copy();
  const counted = dying(calm, Number.POSITIVE_INFINITY);
  await counted.lake.run(asked);
  const expected = await look(calm);
  calm.close();
  const points = counted.keys.flatMap((key, at) => (chosen(key, at + 1) ? [at + 1] : []));
  assert.ok(points.length > 0);
  for (const n of points) {
    const lake = await waiting.copy();
    await dying(lake, n).lake.answer(asked);
    const answer = await successor(lake, { afresh: true }).answer(asked);
    assert.equal(answer.kind, 'ended', `crash before change ${n}: ${JSON.stringify(answer)}`);
    assert.deepEqual(await look(lake), expected, `crash before change ${n} of ${counted.changes()}`);
    await checkHints(lake, `crash before change ${n} of ${counted.changes()}`);
    lake.close();
  }
  waiting.close();
}

describe('a run that dies before any of its changes is finished by the next', { concurrency: 3 }, () => {
  for (const [name, silver] of Object.entries({ ...MODES, ...BACKFILLS })) {
    test(name, async () => {
      const backfill = name in BACKFILLS;
      const changed = await compileTest(pipeline(silver, '2026-02-06'), tmpdir());
      const asked = { runId: 'r', ...(backfill ? { backfill: {} } : {}) };
      await dieAndGoOn(await openWaiting(silver, changed), asked, backfill ? BACKFILL_STRIDE : STRIDE);
    });
  }

  test('that exports, for a period of its branch', async () => {
    const exports = {
      csv: { to: 'totals.csv' },
      files: { name: 'by/{orders}.txt', text: '{amount}' },
    };
    const silver = { ...MODES.full, exports, schedules: { yearly: cron('0 0 1 1 *') } };
    const changed = await compileTest(pipeline(silver, '2026-02-06'), tmpdir());
    const waiting = await openWaiting(silver, changed);
    // An attempt before it has failed, so that its row takes the place of another.
    const failed = {
      period: '2026',
      status: 'FAILED',
      run_id: 'f',
      attempts: 1,
      finished_at: '2026-01-01T00:00:00Z',
    } as const;
    await noteFailedPeriod(waiting.store, { pipeline: 'shop', branch: 'yearly' }, failed);
    // Objects, the metadata by which the run is in the tables of exports and branches, and what comes after them.
    const point =
      /^exports\/|^ops\/shop\/(exports|branches)\/metadata\/v|^ops\/shop\/(_branches\/|_runs\/r\/commit\.json$)/;
    await dieBefore(waiting, { runId: 'r', branch: 'yearly' }, (key) => point.test(key));
  });

  test('that serves its tables elsewhere', async () => {
    const tables = { orders: { from: 'silver.orders', key: 'id' }, totals: { from: 'gold.totals' } };
    const silver = { ...MODES.upsert, serve: { postgres: { url: secret('REPORTS'), schema: 'web', tables } } };
    const changed = await compileTest(pipeline(silver, '2026-02-06'), tmpdir());
    const opened = await openWaiting(MODES.upsert, changed);
    const waiting = opened.reopen((deps) => ({ ...deps, sink: () => createStoredSink(deps.store) }));
    const look = async (one: TestLake): Promise<unknown> => {
      const { tables: rows, book } = await readStoredSink(one.store);
      const served = (await readServed(one.store, 'shop'))?.tables.map(({ to, run_id }) => `${to} ${run_id}`);
      assert.equal(await servesBehind(one.store, changed, await tablesOf(one)), false);
      return [await books(one), rows, book.map(([run]) => run), served];
    };
    // From the first table that is published to the end: the sink, what the lake says of it, the result.
    let begun = false;
    await dieBefore(
      waiting,
      { runId: 'r' },
      (key) => {
        begun ||= key.endsWith('_runs/r/commit.json');
        return begun;
      },
      look,
    );
  });

  test('that adds facts which wait to the tables, those of runs that failed among them', async () => {
    const lake = await openTestLake(pipeline(MODES.full), WAITING);
    await lake.land('orders', 'a.csv', `${HEADER}1,2026-01-05,1.00\n`);
    await lake.run({ runId: 'before' });
    // As fifteen runs on AWS that failed would have left them.
    for (let n = 10; n < 25; n += 1) {
      const [model] = await lake.rows(
        'shop_ops.model_runs',
        'SELECT * REPLACE (CAST(started_at AS VARCHAR) AS started_at) FROM t LIMIT 1',
      );
      const row = { ...model, run_id: `waits-${n}`, finished_at: '2026-01-01T00:00:00Z' };
      const run = { run_id: `waits-${n}`, status: 'FAILED', started_at: '2026-01-01T00:00:00Z' };
      const facts = { run_id: `waits-${n}`, runs: [run], model_runs: [row], lineage: [], quality: [] };
      const key = `${factsFolder('shop')}20260101T0000${n}Z-waits-${n}.json`;
      await lake.store.write(key, new TextEncoder().encode(JSON.stringify(facts)), { kind: 'absent' });
    }
    await lake.land('orders', 'b.csv', `${HEADER}2,2026-02-06,2.00\n`);
    const point =
      /^ops\/shop\/((runs|model_runs|lineage|quality)\/metadata\/v\d|_facts\/.*waits-(10|24)|_runs\/r\/(commit|result)\.json)/;
    const look = async (one: TestLake): Promise<unknown> => [await books(one), await factsOf(one)];
    await dieBefore(lake, { runId: 'r' }, (key) => point.test(key), look);
  });

  test('that makes the tables of facts in a lake of an earlier release', async () => {
    const lake = await openTestLake(pipeline(MODES.full), WAITING);
    await lake.land('orders', 'a.csv', `${HEADER}1,2026-01-05,1.00\n`);
    await lake.run({ runId: 'before' });
    for (const table of FACT_TABLES) {
      for await (const { key } of lake.store.list(`ops/shop/${table}/`)) await lake.store.remove(key);
    }
    await lake.land('orders', 'b.csv', `${HEADER}2,2026-02-06,2.00\n`);
    const point =
      /^ops\/shop\/(runs|model_runs|lineage|quality)\/metadata\/v\d|^ops\/shop\/_runs\/r\/(commit|result)\.json/;
    const look = async (one: TestLake): Promise<unknown> => [await books(one), await factsOf(one)];
    await dieBefore(lake, { runId: 'r' }, (key) => point.test(key), look);
  });

  for (const [name, silver] of Object.entries({ append: { mode: append() }, replace: MODES.replace })) {
    test(`that reprocesses a corrected file of ${name}`, async () => {
      const lake = await openTestLake(pipeline(silver), WAITING);
      await lake.land('orders', 'a.csv', `${HEADER}1,2026-01-05,1.00\n2,2026-02-06,2.00\n`);
      await lake.run({ runId: 'first' });
      await lake.land('orders', 'b.csv', `${HEADER}3,2026-02-07,3.00\nx,2026-02-08,4.00\n`);
      await lake.run({ runId: 'second' });
      await lake.land('orders', 'a.csv', `${HEADER}1,2026-01-05,1.50\n5,x,2.00\n`);
      const reprocess = { source: 'orders', files: ['a.csv'] };
      await dieAndGoOn(lake, { runId: 'r', reprocess }, BACKFILL_STRIDE);
    });
  }

  test('that makes a table beside one with history', async () => {
    const { beside, ...alone } = MODES['append beside upsert'];
    const changed = await compileTest(pipeline({ ...alone, beside }, '2026-02-06'), tmpdir());
    await dieAndGoOn(await openWaiting(alone, changed), { runId: 'r' }, STRIDE);
  });

  test('that only asks rows which are there about an expectation that is new', async () => {
    const silver = MODES['append, dedupe by row'];
    const expect = { large: { condition: 'amount > 1', policy: 'warn' } };
    const lake = await openTestLake(pipeline(silver), WAITING);
    await lake.land('orders', 'a.csv', `${HEADER}1,2026-01-05,1.00\n2,2026-02-06,2.00\n`);
    await lake.run({ runId: 'before' });
    const changed = await compileTest(pipeline({ ...silver, expect }), tmpdir());
    await dieAndGoOn(
      lake.reopen((deps) => ({ ...deps, specs: async () => changed })),
      { runId: 'r' },
      ALL ? 1 : 4,
    );
  });
});
