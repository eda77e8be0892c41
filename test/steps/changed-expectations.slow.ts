import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseTableName } from '../../lib/core/tables.ts';
import {
  append,
  csv,
  definePipeline,
  full,
  identity,
  replace,
  rowCount,
  scd2,
  unique,
  upsert,
} from '../../lib/define/index.ts';
import { currentSnapshot } from '../../lib/iceberg/snapshot.ts';
import type { TableMetadata } from '../../lib/iceberg/types.ts';
import { readMade } from '../../lib/lake/tables/made-by.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const MODES = {
  appended: { mode: append() },
  replaced: { mode: replace(), partitionBy: [identity('kind')] },
  whole: { mode: full() },
  latest: { mode: upsert({ key: 'id', sequence: 'seq', buckets: 1 }) },
  versions: { mode: scd2({ key: 'id', sequence: 'seq', buckets: 1 }) },
} as const;
const SILVER = Object.keys(MODES).map((name) => `silver.${name}`);
const MODELS = [...SILVER, 'gold.kinds', 'gold.touched'];

type Expect = Readonly<Record<string, unknown>>;
type Change = { readonly expect?: Expect; readonly sql?: string; readonly pipeline?: object };

/** A source for each mode, and gold over the first: whole, and by partition. */
function shop({ expect = {}, sql, pipeline = {} }: Change = {}): TestPipeline {
  const columns = { id: 'int', seq: 'int', amount: 'int', kind: 'string' } as const;
  const silver = Object.entries(MODES).map(([name, table]) => {
    const own = name === 'appended' && sql !== undefined ? { sql: 'appended.sql' } : {};
    return [name, { from: name, ...table, ...own, expect }] as const;
  });
  const driven = 'SELECT id, seq, amount, kind FROM silver.appended';
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      ...pipeline,
      sources: Object.fromEntries(Object.keys(MODES).map((name) => [name, csv({ columns })])),
      silver: Object.fromEntries(silver),
      gold: {
        kinds: { sql: 'kinds.sql', expect },
        touched: { sql: 'touched.sql', refresh: 'touched', partitionBy: [identity('kind')], expect },
      },
    } as Parameters<typeof definePipeline>[0]),
    sql: { 'kinds.sql': driven, 'touched.sql': driven, 'appended.sql': sql ?? '' },
  };
}

const HEADER = 'id,seq,amount,kind\n';

async function openShop(expect: Expect = {}): Promise<TestLake> {
  const lake = await openTestLake(shop({ expect }));
  for (const source of Object.keys(MODES)) await lake.land(source, 'a.csv', `${HEADER}1,10,-5,a\n2,11,7,b\n`);
  assert.equal((await lake.run({ runId: 'first' })).status, 'SUCCEEDED');
  return lake;
}

async function become(lake: TestLake, change: Change): Promise<TestLake> {
  const spec = await compileTest(shop(change), lake.scratch);
  return lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
}

async function tableOf(lake: TestLake, model: string): Promise<TableMetadata> {
  const table = await lake.metadata(`shop_${model}`);
  assert.ok(table);
  return table;
}

const snapshotOf = async (lake: TestLake, model: string): Promise<unknown> =>
  currentSnapshot(await tableOf(lake, model))?.['snapshot-id'];

const amountsOf = (lake: TestLake, model: string): Promise<unknown> =>
  lake.rows(`shop_${model}`, 'SELECT list(amount ORDER BY id, seq) AS amounts FROM t');

let runs = 0;
/** A run of one model under an id of its own. */
function runOf(lake: TestLake, model: string, asked: object = {}): ReturnType<TestLake['answer']> {
  runs += 1;
  return lake.answer({ runId: `run-${runs}`, select: [model], ...asked });
}

async function resultOf(
  answer: ReturnType<TestLake['answer']>,
): Promise<{ status: string; error: string; warnings: readonly string[] }> {
  const ended = await answer;
  if (ended.kind !== 'ended') return { status: ended.kind, error: '', warnings: [] };
  const { status, error, warnings } = ended.result;
  return { status, error: error === null ? '' : `${error.name}: ${error.message}`, warnings };
}

describe('without new files, an expectation that is new is asked of the table as it is', () => {
  let lake: TestLake;
  before(async () => {
    lake = await openShop();
  });
  after(() => lake.close());

  for (const model of MODELS) {
    for (const [kind, broken] of [
      ['row', { condition: 'amount > 0' }],
      ['table', { ...rowCount({ min: 3 }) }],
    ] as const) {
      test(`of ${model}, by a ${kind}`, async () => {
        const as = await tableOf(lake, model);
        const failing = await become(lake, { expect: { fine: 'id > 0', [kind]: broken } });
        const plan = await planRun(failing.deps, 'shop', { select: [model] });
        const [change] = plan.changes.filter(({ table }) => table === `shop_${model}`);
        assert.deepEqual([change?.kind, change?.refused, plan.status], ['check', false, 'WORK']);
        assert.ok(change?.what.includes(`expectation ${kind}, new`));
        const tables = plan.levels.flatMap((level) => level.tables.map(({ table, action }) => [table, action]));
        assert.deepEqual(tables, [[`shop_${model}`, 'check']]);
        for (const _again of [1, 2]) {
          const failed = await resultOf(runOf(failing, model));
          assert.equal(failed.status, 'FAILED');
          assert.match(
            failed.error,
            new RegExp(
              `^AuditFailed: ${model}: expectation ${kind}, new or changed .* 1 offending.*; nothing is published. strata check shop`,
            ),
          );
        }
        assert.deepEqual(await tableOf(lake, model), as, 'nothing is published');

        const warning = await become(lake, { expect: { fine: 'id > 0', [kind]: { ...broken, policy: 'warn' } } });
        const dry = await resultOf(runOf(warning, model, { dryRun: true }));
        assert.deepEqual([dry.status, dry.warnings.length], ['DRY_RUN', 1]);
        assert.deepEqual(await tableOf(lake, model), as, 'nothing is published by a dry run');
        const warned = await resultOf(runOf(warning, model));
        assert.equal(warned.status, 'SUCCEEDED', warned.error);
        assert.match(
          warned.warnings[0] ?? '',
          new RegExp(`^${model}: expectation ${kind}, new or changed.*1 offending`),
        );
        const is = await tableOf(lake, model);
        assert.deepEqual(is.snapshots, as.snapshots, 'no new snapshot');
        assert.deepEqual(Object.keys(readMade(is)?.checks ?? {}).sort(), ['fine', kind].sort());
        assert.equal((await runOf(warning, model)).kind, 'nothing');
        assert.deepEqual(await tableOf(lake, model), is);
      });
    }
  }
});

describe('with new files', () => {
  const FAIL = { positive: 'amount > 0' };
  const WARN = { positive: { condition: 'amount > 0', policy: 'warn' } };

  test('rows that stay are asked as well, and nothing is published where they are not as expected', async () => {
    const lake = await openShop();
    for (const model of ['silver.appended', 'silver.replaced', 'silver.latest', 'silver.versions']) {
      const source = model.replace('silver.', '');
      await lake.land(source, 'b.csv', `${HEADER}3,12,9,c\n`);
      const failed = await resultOf(runOf(await become(lake, { expect: FAIL }), model));
      assert.match(
        failed.error,
        new RegExp(`AuditFailed: ${model}: expectation positive, new or changed.*: 1 offending`),
      );
      assert.deepEqual(await amountsOf(lake, model), [{ amounts: [-5, 7] }]);
      const warning = await become(lake, { expect: WARN });
      const warned = await resultOf(runOf(warning, model));
      assert.deepEqual([warned.status, warned.warnings.length], ['SUCCEEDED', 1]);
      assert.deepEqual(await amountsOf(lake, model), [{ amounts: [-5, 7, 9] }]);
      await lake.land(source, 'c.csv', `${HEADER}4,13,9,d\n`);
      assert.deepEqual((await resultOf(runOf(warning, model))).warnings, [], 'asked once');
    }
    lake.close();
  });

  test('rows that they replace are not', async () => {
    const lake = await openShop();
    for (const [source, rows, expected] of [
      ['replaced', '1,12,5,a\n', [5, 7]],
      ['whole', '1,12,5,a\n', [5]],
      ['latest', '1,12,5,a\n', [5, 7]],
    ] as const) {
      await lake.land(source, 'b.csv', `${HEADER}${rows}`);
      const { status, error } = await resultOf(runOf(await become(lake, { expect: FAIL }), `silver.${source}`));
      assert.equal(status, 'SUCCEEDED', error);
      assert.deepEqual(await amountsOf(lake, `silver.${source}`), [{ amounts: expected }]);
    }
    lake.close();
  });

  test('gold that follows only the touched partitions is asked whole', async () => {
    const lake = await openShop();
    const is = await become(lake, { expect: { positive: 'id > 0' } });
    await is.land('appended', 'b.csv', `${HEADER}3,12,9,c\n`);
    assert.equal((await resultOf(runOf(is, 'silver.appended'))).status, 'SUCCEEDED');
    const failed = await resultOf(runOf(await become(lake, { expect: FAIL }), 'gold.touched'));
    assert.match(failed.error, /AuditFailed: gold\.touched: expectation positive does not hold: 1 offending/);
    lake.close();
  });
});

describe('what is remembered', () => {
  test('another bound or policy is asked, another code or none is not', async () => {
    const lake = await openShop({ few: rowCount({ max: 2 }), positive: { condition: 'id > 0', code: 'A' } });
    const unchanged = { few: rowCount({ max: 2 }), positive: { condition: 'id > 0', code: 'B' } };
    assert.equal((await runOf(await become(lake, { expect: unchanged }), 'silver.whole')).kind, 'nothing');
    assert.equal((await runOf(await become(lake, {}), 'silver.whole')).kind, 'nothing');
    const changed = { ...unchanged, few: rowCount({ max: 1 }), one: unique('id') };
    const { changes } = await planRun((await become(lake, { expect: changed })).deps, 'shop', { select: ['whole'] });
    assert.deepEqual(changes[0]?.what, ['expectation few', 'expectation one, new']);
    const failed = await resultOf(runOf(await become(lake, { expect: changed }), 'silver.whole'));
    assert.match(failed.error, /expectation few, new or changed/);
    lake.close();
  });

  test('a table of a release that did not remember is asked from the next change on', async () => {
    const lake = await openShop({ fine: 'id > 0' });
    const id = parseTableName('shop_silver.whole');
    const entry = await lake.deps.catalog.load(id);
    assert.ok(entry);
    const { checks: _checks, ...earlier } = readMade(entry.metadata) ?? {};
    const properties = { ...entry.metadata.properties, 'strata.made-by': JSON.stringify(earlier) };
    await lake.deps.catalog.commit(id, entry, { ...entry.metadata, properties });
    const failing = await become(lake, { expect: { positive: 'amount > 0' } });
    assert.equal((await runOf(failing, 'silver.whole')).kind, 'nothing');
    await failing.land('whole', 'b.csv', `${HEADER}3,12,9,c\n`);
    assert.equal((await resultOf(runOf(failing, 'silver.whole'))).status, 'SUCCEEDED');
    const more = await become(lake, { expect: { positive: 'amount > 0', more: rowCount({ min: 5 }) } });
    assert.match((await resultOf(runOf(more, 'silver.whole'))).error, /expectation more, new or changed/);
    lake.close();
  });

  test('is what was asked, and no other change of the pipeline', async () => {
    const lake = await openShop();
    const forward = {
      pipeline: { onChange: 'forward' },
      sql: 'SELECT id, seq, amount * 2 AS amount, kind FROM batch.appended',
    };
    const changed = await become(lake, { ...forward, expect: { fine: 'id > 0' } });
    assert.equal((await resultOf(runOf(changed, 'silver.appended'))).status, 'SUCCEEDED');
    const { changes } = await planRun(changed.deps, 'shop', { select: ['silver.appended'] });
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['backfill'],
    );
    lake.close();
  });

  test('one that raises is broken by the rows of which it does: a run fails, or warns', async () => {
    const lake = await openShop();
    const numeric = { condition: 'CAST(kind AS INT) > 0' };
    const failed = await resultOf(runOf(await become(lake, { expect: { numeric } }), 'silver.appended'));
    assert.match(failed.error, /AuditFailed: .* expectation numeric, new or changed .* does not hold: 2 offending/);
    const warned = await resultOf(
      runOf(await become(lake, { expect: { numeric: { ...numeric, policy: 'warn' } } }), 'silver.appended'),
    );
    assert.equal(warned.status, 'SUCCEEDED', warned.error);
    assert.match(warned.warnings[0] ?? '', /expectation numeric, new or changed.*does not hold: 2 offending/);
    lake.close();
  });

  test('a rebuild asks what it makes anew', async () => {
    const lake = await openShop();
    const before = await snapshotOf(lake, 'silver.versions');
    const failing = await become(lake, { expect: { positive: 'amount > 0' } });
    const failed = await resultOf(failing.answer({ runId: 'rebuild', rebuild: 'shop_silver.versions' }));
    assert.match(failed.error, /AuditFailed: silver\.versions: expectation positive, new or changed/);
    assert.equal(await snapshotOf(lake, 'silver.versions'), before);
    lake.close();
  });
});
