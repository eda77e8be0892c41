import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { renderProfile } from '../../lib/cli/output/profile.ts';
import { type ProfiledOperator, parseProfile, type StatementProfile } from '../../lib/core/profile.ts';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { keepProfile, readProfile } from '../../lib/lake/ops/profiles.ts';
import type { RunAnswer } from '../../lib/remote/run-request.ts';
import { keepRunProfile } from '../../lib/runtime/page/keep-profile.ts';
import { profilingEngine } from '../../lib/runtime/profile.ts';
import { openTestLake } from '../support/test-lake.ts';

const shop = definePipeline({
  name: 'shop',
  sources: { items: csv({ columns: { id: { type: 'int', required: true } } }) },
  silver: { items: { from: 'items', mode: append() } },
  gold: { count: { sql: 'count.sql' } },
});

test('a run says of each session what its statements did, in sessions that are locked too, and leaves no file', async () => {
  const given = await openTestLake({
    name: 'shop',
    definition: shop,
    sql: { 'count.sql': 'SELECT count(*) AS n FROM silver.items' },
  });
  const { engine, profiles } = profilingEngine(createDuckDbEngine({ reuse: true }), given.deps.ids, true);
  const lake = given.reopen((deps) => ({ ...deps, engine }));
  try {
    await lake.land('items', 'a.csv', `id\n${Array.from({ length: 300 }, (_, id) => id).join('\n')}\n`);
    const { tables } = await lake.run();
    assert.equal(tables['shop_silver.items']?.rows_added, 300);
    const written = (name: string): StatementProfile =>
      profiles.flatMap(({ statements }) => statements).find((one) => one.name === `write ${name}`) ?? assert.fail(name);
    const operators = ({ children, ...own }: ProfiledOperator): readonly Omit<ProfiledOperator, 'children'>[] => [
      own,
      ...children.flatMap(operators),
    ];
    const silver = operators(written('silver.items').plan ?? assert.fail('no plan'));
    assert.equal(silver[0]?.operator, 'COPY_TO_FILE');
    assert.ok(
      silver.some(({ operator, rows, bytes }) => operator === 'READ_CSV' && rows === 300 && bytes > 0),
      JSON.stringify(silver),
    );
    assert.ok(written('gold.count').ms > 0);
    // A session a unit: two tables are never in one.
    for (const { statements } of profiles) {
      const tables = statements.filter(({ name }) => /^write (silver|gold)/.test(name));
      assert.ok(tables.length <= 1, JSON.stringify(tables.map(({ name }) => name)));
    }
    assert.deepEqual(
      (await readdir(given.scratch, { recursive: true })).filter((name) => name.includes('profile-')),
      [],
    );
    const session = await engine.open({
      memoryBytes: 1e9,
      threads: 1,
      scratch: given.scratch,
      folders: [given.scratch],
    });
    await assert.rejects(session.run({ name: 'other', text: 'SET threads = 2' as never }), /locked/);
    await session[Symbol.asyncDispose]();
  } finally {
    given.close();
  }
});

const DUCKDB = {
  ...{ latency: 1.5, cumulative_rows_scanned: 7, total_bytes_read: 10, total_bytes_written: 20 },
  ...{ system_peak_buffer_memory: 3_000, system_peak_temp_dir_size: 4_000 },
  children: [
    {
      ...{ operator_name: 'ORDER_BY', operator_cardinality: 7, result_set_size: 56, operator_timing: 0.25 },
      extra_info: { 'Order By': ['a', 'b'], Estimated: '9' },
      children: [{ operator_type: 'TABLE_SCAN', extra_info: { Table: `t${'x'.repeat(70)}` }, children: [] }],
    },
  ],
};

test("DuckDB's profile of a statement is read, whatever it lacks", () => {
  const profile = parseProfile('write gold.a', DUCKDB);
  assert.deepEqual(profile, {
    ...{ name: 'write gold.a', ms: 1_500, rows_scanned: 7, bytes_read: 10, bytes_written: 20 },
    ...{ memory_bytes: 3_000, spilled_bytes: 4_000 },
    plan: {
      ...{ operator: 'ORDER_BY', about: 'a, b', rows: 7, bytes: 56, ms: 250 },
      children: [{ operator: 'TABLE_SCAN', about: `t${'x'.repeat(70)}`, rows: 0, bytes: 0, ms: 0, children: [] }],
    },
  });
  const none = {
    ms: 0,
    rows_scanned: 0,
    bytes_read: 0,
    bytes_written: 0,
    memory_bytes: 0,
    spilled_bytes: 0,
    plan: null,
  };
  assert.deepEqual(parseProfile('SET', null), { name: 'SET', ...none });
});

test('a profile is shown unit by unit, statements that took no time only in the count', () => {
  const [slow, fast] = [parseProfile('write gold.a', DUCKDB), parseProfile('SET', { latency: 0.0001 })];
  const text = renderProfile([{ statements: [] }, { statements: [slow, fast] }, { statements: [{ ...fast, ms: 2 }] }]);
  const lines = text.split('\n');
  assert.equal(lines[0], 'unit 1, gold.a: 2 statements, 1.5 s, memory 3.0 kB, spilled 4.0 kB');
  assert.equal(
    lines[1],
    '  write gold.a: 1.5 s, 7 rows scanned, read 10 B, written 20 B, memory 3.0 kB, spilled 4.0 kB',
  );
  assert.match(lines[2] ?? '', /^ {4}ORDER_BY +7 rows +56 B +250 ms {2}a, b$/);
  assert.match(lines[3] ?? '', /^ {6}TABLE_SCAN +0 rows +0 B +0 ms {2}tx{58}…$/);
  assert.deepEqual(lines.slice(4), [
    '',
    'unit 2: 1 statement, 2 ms, memory 0 B',
    '  SET: 2 ms, 0 rows scanned, memory 0 B',
    '',
  ]);
});

test('of a run the statements that took longest are kept, without what they are about', async () => {
  const lake = await openTestLake({ name: 'shop', definition: shop, sql: { 'count.sql': 'SELECT 1 AS n' } });
  try {
    assert.equal(await readProfile(lake.store, 'shop'), null);
    const scan: ProfiledOperator = { operator: 'SCAN', about: 'id = 7', rows: 3, bytes: 24, ms: 1, children: [] };
    const join = { ...scan, operator: 'JOIN', children: [scan] };
    const facts = { rows_scanned: 3, bytes_read: 0, bytes_written: 0, memory_bytes: 8, spilled_bytes: 0 };
    const statement = (name: string, ms: number): StatementProfile => ({ name, ms, ...facts, plan: null });
    const many = Array.from({ length: 60 }, (_, at) => statement(`s${at}`, at));
    const units = [{ statements: many }, { statements: [{ ...statement('write silver.items', 99), plan: join }] }];
    await keepProfile(lake.store, 'shop', { run_id: 'r-1', at: '2026-01-01T00:00:00.000Z' }, units);
    const kept = (await readProfile(lake.store, 'shop')) ?? assert.fail();
    assert.deepEqual([kept.run_id, kept.at, kept.statements.length], ['r-1', '2026-01-01T00:00:00.000Z', 50]);
    const operator = { rows: 3, bytes: 24, ms: 1 };
    assert.deepEqual(kept.statements[0], {
      ...{ unit: 2, name: 'write silver.items', ms: 99, ...facts },
      operators: [
        { depth: 0, operator: 'JOIN', ...operator },
        { depth: 1, operator: 'SCAN', ...operator },
      ],
    });
    assert.deepEqual(
      [kept.statements[1]?.name, kept.statements[1]?.unit, kept.statements[1]?.operators],
      ['s59', 1, []],
    );
    const brief = [statement('SET', 0.4), statement('bind', 0.5)];
    await keepProfile(lake.store, 'shop', { run_id: 'r-1', at: kept.at }, [{ statements: brief }]);
    const few = (await readProfile(lake.store, 'shop'))?.statements;
    assert.deepEqual(
      few?.map(({ name }) => name),
      ['bind'],
    );
    const waits = { run_id: 'r-2', since: 's', expires_at: 'e', digest: 'd', because: [] };
    const lookedAt = async (answer: RunAnswer): Promise<string | undefined> => {
      await keepRunProfile(lake.deps, 'shop', answer, units);
      return (await readProfile(lake.store, 'shop'))?.run_id;
    };
    // Another run waits, or the run had ended before: nothing was done.
    assert.equal(await lookedAt({ kind: 'awaiting', pipeline: 'shop', awaiting: waits, own: false }), 'r-1');
    assert.equal(await lookedAt({ kind: 'awaiting', pipeline: 'shop', awaiting: waits, own: true }), 'r-2');
    await lake.land('items', 'a.csv', 'id\n1\n');
    const first = await lake.answer({ runId: 'r-3' });
    assert.equal(await lookedAt(first), 'r-3');
    await keepProfile(lake.store, 'shop', { run_id: 'r-4', at: 'later' }, units);
    assert.equal(await lookedAt(await lake.answer({ runId: 'r-3' })), 'r-4');
  } finally {
    lake.close();
  }
});
