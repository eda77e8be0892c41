import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { append, csv, day, definePipeline, month, replace, scd2, upsert } from '../../lib/define/index.ts';
import type { Row } from '../../lib/ports.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const HEADER = 'id,amount\n';

type Change = {
  readonly sql?: string;
  readonly silver?: Readonly<Record<string, unknown>>;
  readonly pipeline?: Readonly<Record<string, unknown>>;
  readonly amount?: unknown;
  readonly gold?: string;
};

/** `items` and what was asked for beside it. */
function shop({ sql, silver = {}, pipeline = {}, amount = 'int', gold }: Change = {}): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { rows: csv({ columns: { id: 'int', amount } as never }) },
      ...pipeline,
      silver: { items: { from: 'rows', ...(sql === undefined ? {} : { sql: 'items.sql' }) }, ...silver },
      gold: { totals: { sql: 'totals.sql' } },
    } as Parameters<typeof definePipeline>[0]),
    sql: { 'totals.sql': gold ?? 'SELECT sum(amount) AS amount FROM silver.items', 'items.sql': sql ?? '' },
  };
}

const DOUBLED = 'SELECT id, amount * 2 AS amount FROM batch.rows';

async function openShop(before: Change = {}): Promise<TestLake> {
  const lake = await openTestLake(shop(before));
  await lake.land('rows', 'a.csv', `${HEADER}1,10\n2,20\n`);
  await lake.run({ runId: 'first' });
  await lake.land('rows', 'b.csv', `${HEADER}3,30\n`);
  await lake.run({ runId: 'second' });
  return lake;
}

async function become(lake: TestLake, change: Change): Promise<TestLake> {
  const spec = await compileTest(shop(change), lake.scratch);
  return lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
}

const amounts = (lake: TestLake, table = 'shop_silver.items'): Promise<unknown> =>
  lake.rows(table, 'SELECT list(amount ORDER BY id) AS amounts FROM t');

describe('a run of a pipeline that has changed', () => {
  for (const [what, change, named] of [
    ['the SQL', { sql: DOUBLED }, /the SQL/],
    ['a column of the contract', { amount: { type: 'int', min: '15' } }, /column amount of the contract/],
    ['the key', { silver: { items: { from: 'rows', mode: append({ dedupe: { key: 'id' } }) } } }, /the key/],
  ] as const) {
    test(`stops where ${what} decides about rows that are there, and names the choice`, async () => {
      const lake = await become(await openShop(), change);
      await lake.land('rows', 'c.csv', `${HEADER}4,40\n`);
      const { status, error } = await lake.run({ runId: 'stopped' });
      assert.equal(status, 'FAILED');
      assert.equal(error?.name, 'InvalidInput');
      assert.match(error.message, named);
      for (const choice of ['strata backfill shop', '--forward-only', 'onChange'])
        assert.ok(error.message.includes(choice));
      assert.deepEqual(await amounts(lake), [{ amounts: [10, 20, 30] }]);
      lake.close();
    });
  }

  test('goes forward where it is told to, once or by the pipeline, and does not ask again', async () => {
    for (const pipeline of [{}, { onChange: 'forward' }]) {
      const lake = await become(await openShop(), { sql: DOUBLED, pipeline });
      await lake.land('rows', 'c.csv', `${HEADER}4,40\n`);
      const asked = 'onChange' in pipeline ? {} : { forward_only: true };
      assert.equal((await lake.run({ runId: 'forward', ...asked })).status, 'SUCCEEDED');
      assert.deepEqual(await amounts(lake), [{ amounts: [10, 20, 30, 80] }]);
      await lake.land('rows', 'd.csv', `${HEADER}5,50\n`);
      assert.equal((await lake.run({ runId: 'next' })).status, 'SUCCEEDED');
      lake.close();
    }
  });

  test('that is deployed between two states of a run is the next run’s: this one goes by its plan', async () => {
    const before = await openShop();
    const changed = await compileTest(shop({ sql: DOUBLED, pipeline: { onChange: 'forward' } }), before.scratch);
    let deployed = false;
    const lake = before.reopen((deps) => ({
      ...deps,
      specs: async (name) => (deployed ? changed : deps.specs(name)),
      store: {
        ...deps.store,
        async write(key, ...rest) {
          const answer = await deps.store.write(key, ...rest);
          deployed ||= key === 'ops/shop/_runs/meanwhile/plan.json';
          return answer;
        },
      },
    }));
    await lake.land('rows', 'c.csv', `${HEADER}4,40\n`);
    assert.equal((await lake.run({ runId: 'meanwhile' })).status, 'SUCCEEDED');
    assert.ok(deployed);
    assert.deepEqual(await amounts(lake), [{ amounts: [10, 20, 30, 40] }]);
    await lake.land('rows', 'd.csv', `${HEADER}5,50\n`);
    assert.equal((await lake.run({ runId: 'next' })).status, 'SUCCEEDED');
    assert.deepEqual(await amounts(lake), [{ amounts: [10, 20, 30, 40, 100] }]);
    before.close();
  });

  test('makes the table anew where the pipeline says so, gold with it', async () => {
    const lake = await become(await openShop(), { sql: DOUBLED, pipeline: { onChange: 'backfill' } });
    await lake.land('rows', 'c.csv', `${HEADER}4,40\n`);
    const result = await lake.run({ runId: 'anew' });
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    assert.deepEqual(await amounts(lake), [{ amounts: [20, 40, 60, 80] }]);
    assert.deepEqual(await lake.rows('shop_gold.totals'), [{ amount: '200' }]);
    assert.deepEqual(result.accounting['rows']?.read, 4);
    lake.close();
  });

  test('goes forward nowhere where rows of now cannot stand beside those that are there, and plan says so first', async () => {
    const keyed = { items: { from: 'rows', mode: upsert({ key: 'id', sequence: 'amount' }) } };
    for (const [what, before, change] of [
      ['type', {}, { amount: 'date' }],
      ['mode', {}, { silver: keyed }],
      ['key', { silver: keyed }, { silver: { items: { from: 'rows', mode: append() } } }],
    ] as const) {
      for (const pipeline of [{}, { onChange: 'forward' }]) {
        const lake = await become(await openShop(before), {
          ...change,
          gold: 'SELECT count(*) AS n FROM silver.items',
          pipeline,
        });
        await lake.land('rows', 'c.csv', HEADER);
        const asked = 'onChange' in pipeline ? {} : { forward_only: true };
        const { changes } = await planRun(lake.deps, 'shop', asked);
        const planned = changes.find(({ table }) => table === 'shop_silver.items');
        assert.deepEqual([planned?.refused, planned?.does], [true, 'refused; strata backfill shop'], what);
        const { error } = await lake.run({ runId: `forward-${what}`, ...asked });
        assert.equal(error?.name, 'InvalidInput');
        assert.match(error.message, /strata backfill shop makes .*--forward-only cannot be: .* in shop_silver\.items$/);
        lake.close();
      }
    }
  });

  for (const [what, columns, said] of [
    ['a type', { id: 'int', amount: 'int', note: 'int' }, /note is string in the table and int in the pipeline/],
    [
      'a spelling',
      { id: 'int', amount: 'int', Note: 'string' },
      /note is spelled so .* Note in .* \(renamedFrom: 'note'/,
    ],
  ] as const) {
    test(`stops where the contract gives a column that drift brought ${what} that its table cannot take, and plan says so`, async () => {
      const drifting = (own: object): Change => ({
        pipeline: { sources: { rows: csv({ columns: own, drift: 'evolve' } as never) } },
      });
      const before = await openTestLake(shop(drifting({ id: 'int', amount: 'int' })));
      await before.land('rows', 'a.csv', 'id,amount,note\n1,10,5\n');
      assert.equal((await before.run({ runId: 'first' })).status, 'SUCCEEDED');
      const spec = await compileTest(shop(drifting(columns)), before.scratch);
      const lake = before.reopen((deps) => ({ ...deps, specs: async () => spec }));
      await lake.land('rows', 'b.csv', `id,amount,${what === 'a type' ? 'note' : 'Note'}\n2,20,6\n`);
      const [change] = (await planRun(lake.deps, 'shop')).changes;
      assert.deepEqual([change?.kind, change?.refused], ['backfill', true]);
      for (const forward_only of [false, true]) {
        const { error } = await lake.run({ runId: `plain-${forward_only}`, ...(forward_only ? { forward_only } : {}) });
        assert.equal(error?.name, 'InvalidInput');
        assert.match(error?.message ?? '', said);
        assert.match(error?.message ?? '', /--forward-only cannot be/);
      }
      assert.equal((await lake.run({ runId: 'anew', backfill: {} })).status, 'SUCCEEDED');
      assert.deepEqual(
        (await lake.rows('shop_silver.items')).map((row) => row[what === 'a type' ? 'note' : 'Note']),
        what === 'a type' ? [5, 6] : [null, '6'],
      );
      before.close();
    });
  }

  test('stops where a replaced table is partitioned otherwise, which only a backfill can follow', async () => {
    const days = (by: typeof day): TestPipeline => ({
      name: 'shop',
      definition: definePipeline({
        name: 'shop',
        sources: { rows: csv({ columns: { day: 'date', v: 'int' } }) },
        silver: { items: { from: 'rows', mode: replace(), partitionBy: [by('day')] } },
      }),
    });
    const lake = await openTestLake(days(month));
    await lake.land('rows', 'a.csv', 'day,v\n2026-01-01,1\n2026-01-02,2\n');
    await lake.run({ runId: 'first' });
    const spec = await compileTest(days(day), lake.scratch);
    const daily = lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
    await daily.land('rows', 'b.csv', 'day,v\n2026-01-01,3\n');
    const { changes } = await planRun(daily.deps, 'shop', { forward_only: true });
    assert.deepEqual(
      changes.map(({ kind, what, does }) => [kind, what, does]),
      [['backfill', ['the partitioning'], 'refused; strata backfill shop']],
    );
    assert.match(
      (await daily.run({ runId: 'stopped' })).error?.message ?? '',
      /items: the partitioning\nstrata backfill/,
    );
    assert.equal((await daily.run({ runId: 'anew', backfill: {} })).status, 'SUCCEEDED');
    assert.deepEqual(await daily.rows('shop_silver.items', 'SELECT v FROM t ORDER BY v'), [{ v: 2 }, { v: 3 }]);
    daily.close();
  });

  test('goes on without a word where what is new says nothing of the rows that are there', async () => {
    for (const change of [
      { silver: { items: { from: 'rows', description: 'Items.' } } },
      { sql: 'SELECT *\nFROM batch.rows' },
    ] as const) {
      const lake = await become(await openShop('sql' in change ? { sql: 'SELECT *\nFROM batch.rows' } : {}), change);
      await lake.land('rows', 'c.csv', `${HEADER}4,40\n`);
      assert.equal((await lake.run({ runId: 'on' })).status, 'SUCCEEDED');
      assert.deepEqual(await amounts(lake), [{ amounts: [10, 20, 30, 40] }]);
      lake.close();
    }
  });

  test('of which the log can tell what rows would be is planned as refused, with the rebuild that does it', async () => {
    const of = (mode: unknown): Change => ({ silver: { items: { from: 'rows', mode } } });
    const lake = await become(await openShop(of(upsert({ key: 'id', sequence: 'amount' }))), {
      ...of(scd2({ key: 'id', sequence: 'amount' })),
    });
    const { changes } = await planRun(lake.deps, 'shop');
    assert.deepEqual(
      changes.filter(({ refused }) => refused).map(({ table, kind, does }) => [table, kind, does]),
      [
        [
          'shop_silver.items',
          'recompute',
          'refused; strata rebuild shop_silver.items makes all rows anew from its log, by the mode of now',
        ],
      ],
    );
    lake.close();
  });

  test('that makes a table anew of which files are gone is planned as refused, with what does without them', async () => {
    for (const change of [
      { sql: DOUBLED, pipeline: { onChange: 'backfill' } },
      { silver: { later: { from: 'rows' } } },
    ] as const) {
      const lake = await become(await openShop(), change);
      await lake.store.remove('bronze/shop/rows/a.csv');
      const refused = (await planRun(lake.deps, 'shop')).changes.filter((one) => one.refused);
      assert.deepEqual(
        refused.map(({ kind, does }) => [kind, does]),
        [
          [
            'backfill',
            'refused; 1 files that were ingested are not in bronze as they were; restore them, or strata backfill shop --allow-missing',
          ],
        ],
      );
      const { error } = await lake.run({ runId: 'gone' });
      assert.match(error?.message ?? '', /bronze\/shop\/rows\/a\.csv\n.*strata backfill shop --allow-missing$/);
      lake.close();
    }
  });

  test('stops where no backfill can follow, and says what can', async () => {
    const parted = { items: { from: 'rows', partitionBy: [month('day')] } };
    const dated = (own: object): Change => ({
      silver: parted,
      gold: 'SELECT count(*) AS n FROM silver.items',
      pipeline: { sources: { rows: csv({ columns: { id: 'int', ...own } as never }) } },
    });
    const before = await openTestLake(shop(dated({ day: 'date' })));
    await before.land('rows', 'a.csv', 'id,day\n1,2026-01-05\n');
    assert.equal((await before.run({ runId: 'first' })).status, 'SUCCEEDED');
    const lake = await become(before, dated({ day: 'timestamp' }));
    await lake.land('rows', 'b.csv', 'id,day\n2,2026-01-06\n');
    const { error } = await lake.run({ runId: 'retyped' });
    assert.equal(error?.name, 'InvalidInput');
    assert.match(
      error?.message ?? '',
      /day is date in the table and timestamp in the pipeline\n.*strata drop shop_silver\.items --force$/,
    );
    assert.doesNotMatch(error?.message ?? '', /strata backfill/);
    before.close();
  });

  test('that takes the column away by which gold is partitioned is planned as refused', async () => {
    const gold = (column: string): TestPipeline => ({
      name: 'shop',
      definition: definePipeline({
        name: 'shop',
        sources: { rows: csv({ columns: { day: 'date', v: 'int' } }) },
        silver: { items: { from: 'rows' } },
        gold: { days: { sql: 'days.sql', partitionBy: [month(column)] } },
      }),
      sql: { 'days.sql': `SELECT day AS ${column}, v FROM silver.items` },
    });
    const lake = await openTestLake(gold('day'));
    await lake.land('rows', 'a.csv', 'day,v\n2026-01-01,1\n');
    await lake.run({ runId: 'first' });
    const spec = await compileTest(gold('date_of'), lake.scratch);
    const renamed = lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
    const { changes } = await planRun(renamed.deps, 'shop');
    assert.deepEqual(
      changes.map(({ table, refused }) => [table, refused]),
      [['shop_gold.days', true]],
    );
    assert.match(
      changes[0]?.does ?? '',
      /^refused; .* day is date, by which it is or was partitioned.* give the model a new name/,
    );
    renamed.close();
  });

  test('computes gold anew', async () => {
    const lake = await become(await openShop(), { gold: 'SELECT max(amount) AS most FROM silver.items' });
    assert.equal((await lake.run({ runId: 'gold' })).status, 'SUCCEEDED');
    assert.deepEqual(await lake.rows('shop_gold.totals'), [{ most: 30 }]);
    lake.close();
  });
});

describe('a table that is not there, on a source with history', () => {
  test('gets all that its source has had', async () => {
    const lake = await openTestLake(shop({ pipeline: {}, silver: {} }));
    await lake.land('rows', 'a.csv', `${HEADER}1,10\n2,20\n`);
    await lake.run({ runId: 'first' });
    const more = { later: { from: 'rows' } };
    const grown = await become(lake, { silver: more });
    await grown.land('rows', 'b.csv', `${HEADER}3,30\n`);
    const result = await grown.run({ runId: 'grown' });
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    assert.deepEqual(await amounts(grown, 'shop_silver.later'), [{ amounts: [10, 20, 30] }]);
    assert.deepEqual(await amounts(grown), [{ amounts: [10, 20, 30] }]);
    grown.close();
  });

  test('is made without its siblings, which take what waits for them', async () => {
    const lake = await become(await openShop(), {
      silver: { later: { from: 'rows', mode: upsert({ key: 'id', sequence: 'amount' }) } },
    });
    const { levels } = await planRun(lake.deps, 'shop');
    assert.deepEqual(
      levels.flatMap(({ tables }) => tables.map(({ table, action }) => [table, action])),
      [['shop_silver.later', 'create']],
    );
    const made = await lake.run({ runId: 'made' });
    assert.deepEqual(Object.keys(made.tables), ['shop_silver.later__log', 'shop_silver.later']);
    assert.deepEqual(await amounts(lake, 'shop_silver.later'), [{ amounts: [10, 20, 30] }]);
    await lake.land('rows', 'c.csv', `${HEADER}4,40\n`);
    await lake.deps.catalog.drop({ pipeline: 'shop', layer: 'silver', name: 'later' });
    await lake.deps.catalog.drop({ pipeline: 'shop', layer: 'silver', name: 'later__log' });
    const again = await lake.run({ runId: 'again' });
    assert.equal(again.status, 'SUCCEEDED', again.error?.message);
    assert.deepEqual(
      [again.tables['shop_silver.items']?.rows_added, again.tables['shop_silver.later']?.rows_added],
      [1, 4],
    );
    assert.deepEqual(await amounts(lake), [{ amounts: [10, 20, 30, 40] }]);
    assert.deepEqual(await amounts(lake, 'shop_silver.later'), [{ amounts: [10, 20, 30, 40] }]);
    assert.deepEqual(
      await lake.rows(
        'shop_ops.files',
        'SELECT run_id, list(right(key, 5) ORDER BY key) AS files, table_name FROM t GROUP BY ALL ORDER BY ALL',
      ),
      [
        { run_id: 'again', files: ['a.csv', 'b.csv'], table_name: 'shop_silver.later' },
        { run_id: 'again', files: ['c.csv'], table_name: null },
        { run_id: 'first', files: ['a.csv'], table_name: null },
        { run_id: 'made', files: ['a.csv', 'b.csv'], table_name: 'shop_silver.later' },
        { run_id: 'second', files: ['b.csv'], table_name: null },
      ],
    );
    assert.equal((await lake.answer()).kind, 'nothing');
    lake.close();
  });

  test('that has changed is made anew without its siblings', async () => {
    const both = { later: { from: 'rows' } };
    const lake = await become(await openShop({ silver: both }), {
      silver: both,
      sql: DOUBLED,
      pipeline: { onChange: 'backfill' },
    });
    await lake.land('rows', 'c.csv', `${HEADER}4,40\n5,x\n`);
    const result = await lake.run({ runId: 'anew' });
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    assert.deepEqual(
      [result.tables['shop_silver.items']?.rows_added, result.tables['shop_silver.later']?.rows_added],
      [4, 1],
    );
    assert.deepEqual(await amounts(lake), [{ amounts: [20, 40, 60, 80] }]);
    assert.deepEqual(await amounts(lake, 'shop_silver.later'), [{ amounts: [10, 20, 30, 40] }]);
    lake.close();
  });

  test('leaves in quarantine what its siblings keep there, where it is made anew', async () => {
    const both = { later: { from: 'rows', expect: { large: { condition: 'amount > 10', policy: 'drop' } } } };
    const lake = await openShop({ silver: both });
    await lake.land('rows', 'bad.csv', `${HEADER}7,x\n8,5\n`);
    await lake.run({ runId: 'bad' });
    const rejected = (): Promise<unknown> =>
      lake.rows(
        'shop_ops.quarantine',
        "SELECT line, codes[1] AS code, status, table_name FROM t WHERE source_file LIKE '%bad.csv' ORDER BY ALL",
      );
    const shared = { line: 2, code: 'TYPE_ERROR' };
    const own = { line: 3, code: 'LARGE', table_name: 'shop_silver.later' };
    assert.deepEqual(await rejected(), [
      { ...shared, status: 'quarantined', table_name: null },
      { ...own, status: 'quarantined' },
    ]);
    await lake.run({ runId: 'anew', backfill: {}, select: ['silver.items'] });
    assert.deepEqual(await rejected(), [
      { ...shared, status: 'quarantined', table_name: 'shop_silver.items' },
      { ...shared, status: 'quarantined', table_name: 'shop_silver.later' },
      { ...shared, status: 'released', table_name: 'shop_silver.items' },
      { ...own, status: 'quarantined' },
    ]);
    await lake.run({ runId: 'both', backfill: {} });
    assert.deepEqual(
      await lake.rows(
        'shop_ops.quarantine',
        "SELECT line, table_name FROM t WHERE source_file LIKE '%bad.csv' AND status = 'quarantined' ORDER BY ALL",
      ),
      [
        { line: 2, table_name: null },
        { line: 3, table_name: 'shop_silver.later' },
      ],
    );
    lake.close();
  });

  for (const mode of [upsert, scd2]) {
    test(`but for its log is made anew with it: ${mode.name}`, async () => {
      const silver = { items: { from: 'rows', mode: mode({ key: 'id', sequence: 'amount' }) } };
      const lake = await openShop({ silver });
      await lake.land('rows', 'c.csv', `${HEADER}1,20\n`);
      await lake.run({ runId: 'third' });
      const whole = await amounts(lake);
      await lake.deps.catalog.drop({ pipeline: 'shop', layer: 'silver', name: 'items__log' });
      await lake.land('rows', 'd.csv', `${HEADER}1,15\n`);
      for (const asked of [{}, { forward_only: true }]) {
        const { changes } = await planRun(lake.deps, 'shop', asked);
        assert.deepEqual(
          changes.map(({ table, what, does, refused }) => [table, what, does, refused]),
          [['shop_silver.items', ['its log is not there'], 'made anew from all that has landed', false]],
        );
      }
      const again = await lake.run({ runId: 'again' });
      assert.equal(again.status, 'SUCCEEDED', again.error?.message);
      assert.deepEqual(await amounts(lake), whole);
      assert.deepEqual(await lake.rows('shop_silver.items__log', 'SELECT count(*)::INT AS events FROM t'), [
        { events: 5 },
      ]);
      assert.equal((await lake.answer()).kind, 'nothing');
      lake.close();
    });
  }

  test('gets what lands from now on where it is told to', async () => {
    const lake = await become(await openShop(), { silver: { later: { from: 'rows', backfill: 'never' } } });
    await lake.land('rows', 'c.csv', `${HEADER}4,40\n`);
    assert.equal((await lake.run({ runId: 'never' })).status, 'SUCCEEDED');
    assert.deepEqual(await amounts(lake, 'shop_silver.later'), [{ amounts: [40] }]);
    lake.close();
  });

  test('never loses the rows of files that were ingested and would be rejected now, unless it is told to', async () => {
    const lake = await openShop();
    const withDrift = async (drift: 'fail' | 'ignore', more: object = {}): Promise<TestLake> => {
      const definition = definePipeline({
        name: 'shop',
        sources: { rows: csv({ drift, columns: { id: 'int' } }) },
        silver: { items: { from: 'rows' }, ...more },
      } as Parameters<typeof definePipeline>[0]);
      const spec = await compileTest({ name: 'shop', definition }, lake.scratch);
      return lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
    };
    const ids = (of: TestLake): Promise<readonly Row[]> => of.rows('shop_silver.items', 'SELECT id FROM t ORDER BY id');
    const all = [{ id: 1 }, { id: 2 }, { id: 3 }];

    const less = await withDrift('fail');
    const refused = await less.run({ runId: 'refused', backfill: {} });
    assert.equal(refused.status, 'FAILED');
    assert.match(
      refused.error?.message ?? '',
      /make shop_silver\.items anew: 2 files that were ingested would be rejected now[\s\S]*a\.csv: SCHEMA_ERROR[\s\S]*--allow-missing/,
    );
    assert.deepEqual(await ids(less), all);

    const sibling = await withDrift('fail', { other: { from: 'rows' } });
    assert.equal((await sibling.run({ runId: 'sibling' })).status, 'FAILED');
    assert.equal(await sibling.metadata('shop_silver.other'), undefined);

    const taken = await (await withDrift('ignore')).run({ runId: 'taken', backfill: {} });
    assert.deepEqual([taken.status, taken.rejected_files], ['SUCCEEDED', []]);
    assert.deepEqual(await ids(less), all);

    const without = await less.run({ runId: 'without', backfill: { allow_missing: true } });
    assert.deepEqual([without.status, without.rejected_files.length], ['SUCCEEDED', 2]);
    assert.deepEqual(await ids(less), []);
    less.close();
  });

  test('comes back whole when it was dropped', async () => {
    const lake = await openShop();
    const id = { pipeline: 'shop', layer: 'silver', name: 'items' } as const;
    await lake.deps.catalog.drop(id);
    await lake.land('rows', 'c.csv', `${HEADER}4,40\n`);
    assert.equal((await lake.run({ runId: 'whole' })).status, 'SUCCEEDED');
    assert.deepEqual(await amounts(lake), [{ amounts: [10, 20, 30, 40] }]);
    lake.close();
  });
});

test('a run asks rows that are there about an expectation that is new, once', async () => {
  const expect = (policy: string) => ({
    items: { from: 'rows', expect: { small: { condition: 'amount < 20', policy } } },
  });
  const lake = await openShop();
  const failed = await (await become(lake, { silver: expect('fail') })).run({ runId: 'failed' });
  assert.match(failed.error?.message ?? '', /silver\.items: expectation small, new or changed .* strata check shop/);
  const before = await lake.metadata('shop_silver.items');
  const warning = await become(lake, { silver: expect('warn') });
  const { status, warnings } = await warning.run({ runId: 'warned' });
  assert.deepEqual([status, warnings.length], ['SUCCEEDED', 1]);
  assert.deepEqual((await lake.metadata('shop_silver.items'))?.snapshots, before?.snapshots);
  assert.equal((await warning.answer({ runId: 'again' })).kind, 'nothing');
  lake.close();
});

test('a plan names each change, its kind and what will be done', async () => {
  const lake = await become(await openShop(), {
    sql: DOUBLED,
    gold: 'SELECT max(amount) AS most FROM silver.items',
    silver: { later: { from: 'rows' } },
  });
  const { changes } = await planRun(lake.deps, 'shop');
  assert.deepEqual(
    changes.map(({ table, kind, refused }) => ({ table, kind, refused })),
    [
      { table: 'shop_silver.items', kind: 'backfill', refused: true },
      { table: 'shop_silver.later', kind: 'backfill', refused: false },
      { table: 'shop_gold.totals', kind: 'recompute', refused: false },
    ],
  );
  for (const { does } of changes) assert.notEqual(does, '');
  lake.close();
});

test('tables of one source that count differently have accounts of their own, and a row is held against those that rejected it', async () => {
  const latest = { from: 'rows', mode: upsert({ key: 'id', sequence: 'amount' }) };
  const large = { from: 'rows', expect: { large: { condition: 'amount >= 20', policy: 'drop' } } };
  const lake = await openTestLake(shop({ silver: { latest, large } }));
  await lake.land('rows', 'a.csv', `${HEADER}1,10\n,20\n3,x\n3,30\n3,30\n`);
  const { accounting, status, error } = await lake.run({ runId: 'first' });
  assert.equal(status, 'SUCCEEDED', error?.message);
  const none = { quarantined: 1, condemned: 0, duplicates: 0 };
  assert.deepEqual(accounting['rows'], {
    ...{ read: 5, accepted: 4, ...none },
    tables: {
      'shop_silver.items': { read: 5, accepted: 4, ...none },
      'shop_silver.latest': { read: 5, accepted: 2, ...none, quarantined: 2, duplicates: 1 },
      'shop_silver.large': { read: 5, accepted: 3, ...none, quarantined: 2 },
    },
  });
  assert.deepEqual(await lake.rows('shop_ops.accounting', 'SELECT table_name, read, accepted FROM t ORDER BY ALL'), [
    { table_name: 'shop_silver.items', read: 5, accepted: 4 },
    { table_name: 'shop_silver.large', read: 5, accepted: 3 },
    { table_name: 'shop_silver.latest', read: 5, accepted: 2 },
  ]);
  // The same rows again: each is known to the table that had rejected it, and welcome to the others.
  await lake.land('rows', 'b.csv', `${HEADER}1,10\n,20\n3,x\n`);
  assert.equal((await lake.run({ runId: 'again' })).status, 'SUCCEEDED');
  assert.deepEqual(
    await lake.rows(
      'shop_ops.quarantine',
      'SELECT run_id, line, codes[1] AS code, status, table_name FROM t ORDER BY run_id DESC, line, code, table_name',
    ),
    [
      { run_id: 'first', line: 2, code: 'LARGE', status: 'quarantined', table_name: 'shop_silver.large' },
      { run_id: 'first', line: 3, code: 'NULL_KEY', status: 'quarantined', table_name: 'shop_silver.latest' },
      { run_id: 'first', line: 4, code: 'TYPE_ERROR', status: 'quarantined', table_name: null },
      { run_id: 'again', line: 2, code: 'DUPLICATE_FAILURE', status: 'condemned', table_name: 'shop_silver.large' },
      { run_id: 'again', line: 3, code: 'DUPLICATE_FAILURE', status: 'condemned', table_name: 'shop_silver.latest' },
      { run_id: 'again', line: 4, code: 'DUPLICATE_FAILURE', status: 'condemned', table_name: null },
    ],
  );
  assert.deepEqual(await amounts(lake), [{ amounts: [10, 10, 30, 30, 20, 20] }]);
  lake.close();
});
