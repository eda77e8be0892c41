import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import type { ModelSpec } from '../../lib/core/spec.ts';
import { append, csv, definePipeline, rowCount, upsert } from '../../lib/define/index.ts';
import { listFiles } from '../../lib/query/list-files.ts';
import { collectPage } from '../../lib/query/status/page-facts.ts';
import { collectFacts, factOf, pipelinesIn, runFacts } from '../../lib/query/status/status-facts.ts';
import { tagTable } from '../../lib/runtime/tag-table.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const HEADER = 'id,kind,mail\n';
const START = Date.parse('2026-01-01T00:00:00Z');

describe('what is known of a pipeline', () => {
  let lake: TestLake;
  let rejecting: TestLake;
  before(async () => {
    const definition = definePipeline({
      name: 'shop',
      owner: 'shop@example.com',
      tier: 2,
      description: 'Orders of a shop.',
      timezone: 'Europe/Berlin',
      slo: { quarantineRate: 50 },
      maintenance: { everyRuns: 3, vacuum: { every: '1s' } },
      sources: {
        orders: csv({
          columns: {
            id: { type: 'int', required: true, description: 'The number.' },
            kind: { type: 'string', in: ['x'] },
            mail: { type: 'string', personal: true },
          },
        }),
      },
      silver: {
        orders: {
          from: 'orders',
          mode: append(),
          expect: {
            few: { condition: 'id < 100', policy: 'fail' },
            some: { ...rowCount({ min: 5 }), policy: 'warn' },
            'some more': { ...rowCount({ min: 1 }), policy: 'warn' },
            known: { condition: 'kind is not null', policy: 'drop' },
          },
        },
      },
      gold: { kinds: { sql: 'kinds.sql', expect: { one: rowCount({ max: 1 }) } } },
    });
    rejecting = await openTestLake({
      name: 'shop',
      definition: definePipeline({
        name: 'shop',
        sources: { orders: csv({ columns: { id: { type: 'int', required: true }, kind: 'string' } }) },
        silver: { orders: { from: 'orders', mode: append() } },
        gold: {},
      }),
    });
    const sql = { 'kinds.sql': 'SELECT kind, count(*) AS n FROM silver.orders GROUP BY kind' };
    lake = await openTestLake({ name: 'shop', definition, sql });
    await lake.land('orders', 'a.csv', `${HEADER}1,x,a@b\n2,y,\nz,y,\nz,z,\n`);
    await lake.run({ runId: 'r1' });
    await lake.land('orders', 'b.csv', `${HEADER}100,x,\n`);
    assert.equal((await lake.run({ runId: 'r2' })).status, 'FAILED');
    await tagTable(lake.deps, { table: 'shop_silver.orders', name: 'seen' });
  });
  after(async () => {
    await lake.close();
    await rejecting.close();
  });

  test('has the files that were rejected, until others come in their place', async () => {
    const count = async (): Promise<number | undefined> => (await collectFacts(rejecting.deps, 'shop')).rejected_files;
    await rejecting.land('orders', 'a.csv', 'kind\nx\n');
    await rejecting.run({ runId: 'r1' });
    assert.equal(await count(), 1);
    await rejecting.land('orders', 'a.csv', 'id,kind\n1,x\n');
    await rejecting.run({ runId: 'r2' });
    assert.equal(await count(), undefined);
    assert.deepEqual(await listFiles(rejecting.deps, 'shop', { status: 'rejected' }), []);
    assert.equal((await listFiles(rejecting.deps, 'shop', {})).length, 2);
  });

  test('are its runs, failed ones too, and no command', async () => {
    const { runs, ...facts } = await collectFacts(lake.deps, 'shop');
    assert.deepEqual(
      runs.map(({ run_id, succeeded, read, rejected }) => [run_id, succeeded, read, rejected]),
      [
        ['r2', false, undefined, undefined],
        ['r1', true, 4, 3],
      ],
    );
    const [failed, good] = runs;
    assert.match(failed?.error ?? '', /^AuditFailed: .*few/);
    assert.equal(good?.error, null);
    for (const { started, finished, duration_ms } of runs) {
      assert.ok(started > START && started <= finished && finished < START + 3_600_000);
      assert.ok(duration_ms > 0 && duration_ms <= finished - started + 60_000);
    }
    assert.deepEqual(
      [facts.owner, facts.tier, facts.timezone, facts.breaker],
      ['shop@example.com', 2, 'Europe/Berlin', 'closed'],
    );
    assert.deepEqual(facts.slo, { freshnessMs: null, quarantineRate: 50 });
    const [uncounted] = await runFacts(lake.deps, 'shop', false);
    assert.ok(uncounted && !('read' in uncounted));
  });

  test('are facts of rows of any release', () => {
    const ended = { run_id: 'a', status: 'SUCCEEDED', finished_at: '2026-01-01 00:00:10+00' };
    const fact = {
      run_id: 'a',
      succeeded: true,
      finished: START + 10_000,
      duration_ms: 0,
      started: START + 10_000,
      error: null,
    };
    assert.deepEqual(factOf(ended), fact);
    assert.deepEqual(factOf({ ...ended, kind: null, duration_ms: '4000' }), {
      ...fact,
      duration_ms: 4_000,
      started: START + 6_000,
    });
    const whole = {
      ...ended,
      kind: 'run',
      started_at: '2026-01-01 00:00:03+00',
      status: 'FAILED',
      error: 'E: x',
      cost_usd: 0.5,
      cost_rate: 'R',
    };
    assert.deepEqual(factOf({ ...whole, read: 7, rejected: 2 }), {
      ...{ ...fact, started: START + 3_000, succeeded: false, error: 'E: x' },
      ...{ cost_usd: 0.5, cost_rate: 'R', read: 7, rejected: 2 },
    });
    for (const none of [
      { ...ended, kind: 'compact' },
      { ...ended, finished_at: null },
    ])
      assert.equal(factOf(none), undefined);
  });

  test('are changes at which a run stops', async () => {
    const spec = await lake.deps.specs('shop');
    const models = spec.models.map((model) =>
      model.layer === 'silver' ? { ...model, sql: `${model.sql} `, written: 'other' } : model,
    );
    const { deps } = lake.reopen((given) => ({ ...given, specs: async () => ({ ...spec, models }) }));
    const { behind } = await collectFacts(deps, 'shop');
    assert.ok(
      behind.some(
        ({ table, why }) => table === 'shop_silver.orders' && why.startsWith('refused; choose: strata backfill shop'),
      ),
      JSON.stringify(behind),
    );
  });

  test('are rejected rows by their codes, each under all of its own', async () => {
    const { quarantine } = await collectFacts(lake.deps, 'shop');
    assert.deepEqual(quarantine, [
      { code: 'DOMAIN_ERROR', quarantined: 3, condemned: 0, last_day: 3 },
      { code: 'TYPE_ERROR', quarantined: 2, condemned: 0, last_day: 2 },
    ]);
    const now = new Date(START + 2 * 86_400_000);
    const later = lake.reopen((deps) => ({ ...deps, clock: { ...deps.clock, now: () => now } }));
    const [first] = (await collectFacts(later.deps, 'shop')).quarantine;
    assert.deepEqual([first?.quarantined, first?.last_day], [3, 0]);
  });

  test('are the tables that a run would write, and what is due', async () => {
    const { behind, maintenance, unfinished, suspended_files } = await collectFacts(lake.deps, 'shop');
    assert.deepEqual(
      behind.map(({ table, why }) => `${table}: ${why}`),
      ['shop_silver.orders: new files of orders', 'shop_gold.kinds: this run writes silver.orders'],
    );
    assert.deepEqual(
      maintenance.map(({ operation, table }) => [operation, table]),
      [['vacuum', null]],
    );
    assert.deepEqual([unfinished, suspended_files], [null, 0]);
  });

  test('with what tables are made from, and what was rejected day by day, are a page', async () => {
    const page = await collectPage(lake.deps, 'shop', {
      days: 30,
      compared: { before: 'r1', after: 'r2' },
    });
    assert.deepEqual(
      page.tests.map(({ table, name, policy, expects, outcome, run_id, said }) => [
        ...[table, name, policy, expects, outcome, run_id],
        said?.replace(/^AuditFailed: /, '') ?? null,
      ]),
      [
        [
          ...['shop_silver.orders', 'few', 'fail', 'id < 100', 'broken', 'r2'],
          'silver.orders: expectation few (id < 100) does not hold for 1 rows; nothing is published',
        ],
        [
          ...['shop_silver.orders', 'some', 'warn', 'at least 5 rows', 'broken', 'r1'],
          "silver.orders: expectation some does not hold: 1 offending, such as {'rows': 1}",
        ],
        ['shop_silver.orders', 'some more', 'warn', 'at least 1 rows', 'held', 'r1', null],
        ['shop_silver.orders', 'known', 'drop', 'kind is not null', 'held', 'r1', null],
        ['shop_gold.kinds', 'one', 'fail', 'at most 1 rows', 'held', 'r1', null],
      ],
    );
    assert.match(page.tests[0]?.at ?? '', /^2026-01-01T00:\d\d:\d\d\.\d{3}Z$/);
    const { nodes, rejected, status, models, quality, nulls, description } = page;
    const made = '2026-01-01T00:';
    assert.deepEqual(
      nodes.map(({ name, kind, level, reads, rows, updated }) => [
        name,
        kind,
        level,
        reads,
        rows,
        updated?.slice(0, made.length) ?? null,
      ]),
      [
        ['shop.orders', 'source', 0, [], null, null],
        ['shop_silver.orders', 'silver', 1, ['shop.orders'], 1, made],
        ['shop_gold.kinds', 'gold', 2, ['shop_silver.orders'], 1, made],
      ],
    );
    assert.deepEqual(rejected, [
      { day: '2026-01-01', code: 'DOMAIN_ERROR', rows: 3 },
      { day: '2026-01-01', code: 'TYPE_ERROR', rows: 2 },
    ]);
    assert.deepEqual(status, await collectFacts(lake.deps, 'shop'));
    assert.equal(description, 'Orders of a shop.');
    assert.deepEqual(
      models.map(({ model, runs, failed, rows_out }) => [model, runs, failed, rows_out]),
      [
        ['silver.orders', 2, 1, 1],
        ['gold.kinds', 1, 0, 1],
      ],
    );
    const [silver, gold] = models;
    for (const one of [silver, gold])
      assert.ok(one?.mean !== null && one?.p50 === one?.mean && one?.p95 === one?.mean && (one?.cost_usd ?? 0) > 0);
    assert.deepEqual(
      [page.before, page.after].map((set) => set.map(({ model, runs, failed }) => [model, runs, failed])),
      [
        [
          ['silver.orders', 1, 0],
          ['gold.kinds', 1, 0],
        ],
        [['silver.orders', 1, 1]],
      ],
    );
    // Not those that are personal.
    assert.deepEqual(
      quality
        .filter(({ table }) => table === 'shop_silver.orders')
        .map(({ column, rows, nulls }) => [column, rows, nulls]),
      [
        ['id', 1, 0],
        ['kind', 1, 0],
      ],
    );
    assert.deepEqual(
      nodes.map(({ columns }) =>
        columns.map(({ name, type, description, from }) => [`${name} ${type}`, description, ...from].join(', ')),
      ),
      [
        ['id int, The number.', 'kind string, '],
        ['id int, The number., shop.orders.id', 'kind string, , shop.orders.kind'],
        ['kind string, , shop_silver.orders.kind', 'n bigint, '],
      ],
    );
    assert.deepEqual(nulls, []);
    assert.ok(status.runs.every(({ cost_usd }) => cost_usd === undefined || cost_usd > 0));
  });

  test('of tests are not known where they have not been asked yet, or nothing is kept of that', async () => {
    const before = await lake.copy();
    await before.store.remove('ops/shop/_runs/r1/result.json');
    const spec = await before.deps.specs('shop');
    const renamed = (model: ModelSpec) => ({
      ...model,
      expect: model.expect.map((one) => (one.name === 'few' ? { ...one, name: 'fewer' } : one)),
    });
    const specs = async () => ({ ...spec, models: spec.models.map(renamed) });
    const { tests } = await collectPage({ ...before.deps, specs }, 'shop', { days: 30 });
    assert.deepEqual(
      tests.map(({ name, outcome, run_id }) => [name, outcome, run_id]),
      [
        ...['fewer', 'some', 'some more', 'known'].map((name) => [name, 'unknown', null]),
        // What is published has held to all that it must.
        ['one', 'held', 'r1'],
      ],
    );
    before.close();
  });

  test('are of its latest run where it does not compile any more', async () => {
    const broken = new InvalidInput('shop does not compile');
    const { deps } = lake.reopen((given) => ({ ...given, specs: () => Promise.reject(broken) }));
    const { behind, owner, runs } = await collectFacts(deps, 'shop');
    assert.deepEqual([owner, runs.length], ['shop@example.com', 2]);
    assert.deepEqual(behind, [{ table: null, why: 'shop does not compile' }]);
    await assert.rejects(collectFacts(deps, 'shpo'), broken);
  });

  test('of one that has never run are few', async () => {
    assert.deepEqual(await pipelinesIn(lake.deps), ['shop']);
    const shop: TestPipeline = {
      name: 'shop',
      definition: definePipeline({
        name: 'shop',
        sources: { a: csv({ columns: { id: 'int', at: 'int' } }) },
        silver: { a: { from: 'a', mode: upsert({ key: 'id', sequence: 'at' }) } },
      }),
    };
    const slo = { quarantineRate: 1 };
    const definition = definePipeline({
      name: 'none',
      slo,
      sources: {},
      gold: { b: { sql: 'b.sql', description: 'All.' } },
    });
    const sql = { 'b.sql': 'SELECT l.id FROM shop.silver.a__log l JOIN shop.silver.a USING (id)' };
    const none = await openTestLake({ name: 'none', definition, sql }, { others: [shop] });
    assert.deepEqual(await pipelinesIn(none.deps), []);
    const { runs, quarantine, behind, maintenance } = await collectFacts(none.deps, 'none');
    assert.deepEqual([runs, quarantine, maintenance], [[], [], []]);
    assert.match(
      behind[0]?.why ?? '',
      /^none reads shop\.silver\.a, shop\.silver\.a__log, which no run has published yet/,
    );
    const { nodes, before: compared } = await collectPage(none.deps, 'none', { days: 1 });
    assert.deepEqual(compared, []);
    assert.deepEqual(
      nodes.map(({ name, kind, level, reads, rows, description }) => [name, kind, level, reads, rows, description]),
      [
        ['shop_silver.a', 'elsewhere', 0, [], null, null],
        ['none_gold.b', 'gold', 1, ['shop_silver.a'], null, 'All.'],
      ],
    );
    none.close();
  });
});
