import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { specsBut } from '../../lib/cli/specs-here.ts';
import { textHash } from '../../lib/core/parity.ts';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { modelFacts } from '../../lib/query/catalog/model-facts.ts';
import { chosenTexts } from '../../lib/query/chosen-texts.ts';
import { describeTable } from '../../lib/query/describe-table.ts';
import { findTable } from '../../lib/query/find-table.ts';
import { lineageSteps } from '../../lib/query/lineage-steps.ts';
import { listParities } from '../../lib/query/list-parities.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { collectPage } from '../../lib/query/status/page-facts.ts';
import { type SwitchAnswer, type SwitchRequest, switchText } from '../../lib/runtime/switch-text.ts';
import { compileTest, openTestLake, type TestLake } from '../support/test-lake.ts';

const definition = definePipeline({
  name: 'shop',
  sources: { orders: csv({ columns: { id: 'bigint', amount: 'decimal(12,2)' } }) },
  silver: { orders: { from: 'orders', mode: append() } },
  gold: {
    revenue: { sql: { current: 'current.sql', candidate: 'candidate.sql', wrong: 'wrong.sql' } },
    doubled: { sql: 'doubled.sql' },
  },
});
const SQL = {
  'current.sql': 'select sum(amount) as amount from silver.orders',
  'candidate.sql': 'select sum(o.amount) filter (where o.id is not null) as amount from silver.orders o',
  'wrong.sql':
    'select (sum(amount) + case when count(*) > 2 then 0.01 else 0 end)::decimal(38,2) as amount from silver.orders',
  'doubled.sql': 'select 2 * amount as amount from gold.revenue',
};
const TABLE = 'shop_gold.revenue';

describe('strata switch', () => {
  let lake: TestLake;
  before(async () => {
    lake = await openTestLake({ name: 'shop', definition, sql: SQL });
  });
  after(() => lake.close());

  const to = (name: string, more: Partial<SwitchRequest> = {}, of = lake): Promise<SwitchAnswer> =>
    switchText(of.deps, { table: TABLE, to: name, by: 'ana', parities: 3, dryRun: false, ...more });
  const compare = async (n: number): Promise<void> => {
    await lake.land('orders', `${n}.csv`, `id,amount\n${n},${n}.50\n`);
    await lake.run({ runId: `run-${n}`, shadow: true });
  };
  /** What the amount of the table comes from, as pages and `strata lineage` say it. */
  const comesFrom = async (): Promise<readonly (readonly string[])[]> => {
    const { nodes } = await collectPage(lake.deps, 'shop', { days: 30 });
    const pipelines = join(lake.scratch, 'pipelines');
    await mkdir(join(pipelines, 'shop'), { recursive: true });
    await writeFile(join(pipelines, 'shop', 'pipeline.ts'), '');
    const { upstream } = lineageSteps(await specsBut(lake.deps, pipelines), `${TABLE}.amount`);
    return [
      nodes.find(({ name }) => name === TABLE)?.columns[0]?.from ?? [],
      upstream.flatMap(({ name, from }) => (name.startsWith(TABLE) ? [from] : [])),
    ];
  };
  const reasonOf = async (of = lake): Promise<string | undefined> => {
    const { levels } = await planRun(of.deps, 'shop');
    return levels.flatMap(({ tables }) => tables).find(({ table }) => table === TABLE)?.reason;
  };

  test('is refused before anything was compared, and until enough was', async () => {
    assert.deepEqual(await listParities(lake.deps, { pipelines: ['shop'], limit: 9 }), []);
    await assert.rejects(
      to('candidate'),
      /shop_gold\.revenue stays with current: got 0 comparisons of current and candidate as they are now; expected 3 that are equal, each of other rows\. Compare them: strata run shop --shadow/,
    );
    await compare(1);
    await compare(2);
    // Nothing has landed since, so that what it finds it had found.
    await lake.run({ runId: 'run-2-again', shadow: true });
    await assert.rejects(
      to('candidate'),
      /got 2 comparisons of current and candidate as they are now, as 1 were of the same rows again; expected 3/,
    );
    const answer = await to('candidate', { parities: 2, dryRun: true });
    assert.deepEqual(
      [answer.status, answer.from, answer.to, answer.reason],
      ['would be switched', 'current', 'candidate', 'the last 2 comparisons with current were equal'],
    );
    assert.deepEqual(
      answer.parities.map(({ run_id, equal }) => [run_id, equal]),
      [
        ['run-2-again', true],
        ['run-2', true],
        ['run-1', true],
      ],
    );
    // Nothing was done.
    assert.equal((await lake.answer()).kind, 'nothing');
    const texts = (await planRun(lake.deps, 'shop')).texts?.map(({ use, why }) => [use, why]);
    assert.deepEqual(texts, [['current', 'as the pipeline says']]);
    assert.deepEqual(await comesFrom(), [['shop_silver.orders.amount'], ['shop_silver.orders.amount']]);
  });

  test('is refused for a text that was wrong in one decimal of one row', async () => {
    assert.equal((await to('wrong', { parities: 2, dryRun: true })).status, 'would be switched');
    await compare(3);
    await assert.rejects(
      to('wrong', { parities: 1 }),
      /stays with current: got 2 differing of 1 rows in run run-3; expected the last 1 comparisons of current and wrong to be equal\. strata parity shop_gold\.revenue lists them/,
    );
    const [first, second] = await listParities(lake.deps, { table: TABLE, pipelines: [], limit: 2 });
    assert.deepEqual(
      [first, second].map((one) => [
        one?.run_id,
        one?.model,
        one?.left,
        one?.right,
        one?.equal,
        one?.differing,
        one?.sums,
      ]),
      [
        ['run-3', TABLE, 'current', 'candidate', true, 0, { amount: ['7.50', '7.50'] }],
        ['run-3', TABLE, 'current', 'wrong', false, 2, { amount: ['7.50', '7.51'] }],
      ],
    );
  });

  test('is recorded in the lake, and followed by the next run, also in what reads the table', async () => {
    const answer = await to('candidate', { reason: 'ticket 4711' });
    assert.deepEqual(
      [answer.status, answer.reason, answer.parities.map(({ run_id }) => run_id)],
      ['switched', 'ticket 4711', ['run-3', 'run-2-again', 'run-2', 'run-1']],
    );
    const { bytes } = await lake.store.read('ops/shop/implementations.json');
    const { models } = JSON.parse(new TextDecoder().decode(bytes));
    const { at, before: former, text: hash, ...choice } = models['gold.revenue'];
    assert.deepEqual(choice, { use: 'candidate', by: 'ana', reason: 'ticket 4711' });
    assert.match(hash, /^[0-9a-f]{16}$/);
    assert.equal(former.name, 'current');
    assert.match(at, /^2026-01-01T/);
    assert.equal(await reasonOf(), 'the model has changed');
    const why = `chosen by ana at ${at}, in place of current: ticket 4711`;
    const text = { use: 'candidate', others: ['current', 'wrong'], why };
    assert.deepEqual((await planRun(lake.deps, 'shop')).texts, [{ table: TABLE, ...text }]);
    const spec = await chosenTexts(lake.deps, 'shop');
    const facts = await modelFacts(lake.deps, spec, 30);
    assert.deepEqual(facts.map((fact) => [fact.model, fact.text]).slice(1), [
      [TABLE, text],
      ['shop_gold.doubled', undefined],
    ]);
    const found = await findTable(lake.deps.catalog, TABLE);
    assert.deepEqual((await describeTable(lake.deps, found, spec)).text, text);
    const both = ['shop_silver.orders.amount', 'shop_silver.orders.id'];
    assert.deepEqual(await comesFrom(), [both, both]);
    const result = await lake.run({ runId: 'run-4', shadow: true });
    assert.deepEqual(Object.keys(result.tables), ['shop_gold.revenue', 'shop_gold.doubled']);
    assert.deepEqual(
      result.parities?.map(({ left, right, equal }) => [left, right, equal]),
      [
        ['candidate', 'current', true],
        ['candidate', 'wrong', false],
      ],
    );
    assert.deepEqual(await lake.rows('shop_gold.doubled'), [{ amount: '15.00' }]);
    assert.deepEqual(await to('candidate'), {
      table: TABLE,
      from: 'candidate',
      to: 'candidate',
      status: 'unchanged',
      reason: 'it makes the table already',
      parities: [],
    });
  });

  test('goes back without asking, and not to a text that has changed since', async () => {
    const sql = { ...SQL, 'current.sql': 'select sum(amount) as amount from silver.orders where true' };
    const spec = await compileTest({ name: 'shop', definition, sql }, lake.scratch);
    const changed = lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
    await assert.rejects(
      to('current', {}, changed),
      /stays with candidate: got 0 comparisons of candidate and current/,
    );
    const answer = await to('current');
    assert.deepEqual(
      [answer.status, answer.reason, answer.parities],
      ['switched', 'back to current, which was published before', []],
    );
    await lake.run({ runId: 'run-5' });
    assert.equal(await reasonOf(), undefined);
    // Forward again is asked for as it was the first time.
    // The run after the switch has compared what the one before it had, with the texts the other way round.
    await assert.rejects(
      to('candidate', { parities: 99 }),
      /got 3 comparisons of current and candidate as they are now, as 2 were of the same rows again/,
    );
    assert.equal((await to('candidate')).reason, 'the last 3 comparisons with current were equal');
    await to('current');
  });

  test('leaves a choice alone that is no text of the pipeline any more', async () => {
    const other = { ...SQL, 'wrong.sql': 'select sum(amount)::decimal(38,2) as amount from silver.orders' };
    const mended = await compileTest({ name: 'shop', definition, sql: other }, lake.scratch);
    const modified = async (spec: typeof mended): Promise<readonly string[]> => {
      const { deps } = lake.reopen((own) => ({ ...own, specs: async () => spec }));
      return (await planRun(deps, 'shop', { select: ['state:modified'] })).selected?.models ?? [];
    };
    assert.deepEqual(await modified(mended), []);
    const own = { ...SQL, 'current.sql': `${SQL['current.sql']} where true` };
    assert.deepEqual(await modified(await compileTest({ name: 'shop', definition, sql: own }, lake.scratch)), [
      'gold.revenue',
    ]);
    await to('candidate');
    const gold = { ...definition.gold, revenue: { sql: { current: 'current.sql', wrong: 'wrong.sql' } } };
    const spec = await compileTest({ name: 'shop', definition: { ...definition, gold }, sql: SQL }, lake.scratch);
    const gone = lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
    assert.equal(await reasonOf(gone), undefined);
    assert.equal((await to('current', {}, gone)).status, 'unchanged');
    await to('current');
  });

  test('is over once the pipeline uses what was chosen: a later text of the same name was compared with nothing', async () => {
    await to('candidate');
    const later = { ...SQL, 'current.sql': SQL['candidate.sql'], 'candidate.sql': SQL['wrong.sql'] };
    const spec = await compileTest({ name: 'shop', definition, sql: later }, lake.scratch);
    const next = lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
    const [revenue] = (await planRun(next.deps, 'shop')).texts ?? [];
    assert.deepEqual([revenue?.use, revenue?.why], ['current', 'as the pipeline says']);
    await assert.rejects(to('candidate', {}, next), /stays with current: got 2 differing/);
    await to('current');
  });

  test('knows a text from the same for an engine, and with other values of its variables', async () => {
    const hashes = await Promise.all(
      ['0.19', '0.20'].map(async (rate) => {
        const texts = { current: 'current.sql', athena: 'current.sql', taxed: 'taxed.sql' } as const;
        const vars = { rate: { type: 'decimal(4,2)', default: rate } } as const;
        const own = { ...definition, vars, gold: { revenue: { sql: texts } } };
        const taxed = "select (sum(amount) + 0 * var('rate'))::decimal(38,2) as amount from silver.orders";
        const given = { name: 'shop', definition: own, sql: { ...SQL, 'taxed.sql': taxed } };
        const { models } = await compileTest(given, lake.scratch);
        const revenue = models.find((model) => model.layer === 'gold') ?? assert.fail();
        return Object.keys(texts).map((name) => textHash(revenue, name));
      }),
    );
    assert.equal(new Set(hashes[0]).size, 3);
    assert.deepEqual(
      hashes[0]?.map((hash, at) => hash === hashes[1]?.[at]),
      [true, true, false],
    );
  });

  test('of two at once loses none', async () => {
    let others = 1;
    const store: TestLake['store'] = {
      ...lake.store,
      write: async (key, bytes, condition) => {
        if (key.endsWith('implementations.json') && others > 0) {
          others -= 1;
          await lake.store.write(
            key,
            new TextEncoder().encode(JSON.stringify({ models: { 'gold.doubled': { use: 'x' } } })),
            { kind: 'any' },
          );
        }
        return lake.store.write(key, bytes, condition);
      },
    };
    const answer = await to(
      'candidate',
      {},
      lake.reopen((deps) => ({ ...deps, store })),
    );
    assert.equal(answer.reason, 'the last 3 comparisons with current were equal');
    const { bytes } = await lake.store.read('ops/shop/implementations.json');
    assert.deepEqual(Object.keys(JSON.parse(new TextDecoder().decode(bytes)).models), ['gold.doubled', 'gold.revenue']);
  });

  const mistakes: readonly (readonly [name: string, table: string, text: string, message: RegExp])[] = [
    [
      'a text that is not there',
      TABLE,
      'candidat',
      /--to: got "candidat"; expected a text of shop_gold\.revenue: .*did you mean "candidate"/,
    ],
    ['a model of one text', 'shop_gold.doubled', 'x', /shop_gold\.doubled has one text: got nothing to switch to/],
    [
      'a table of silver',
      'shop_silver.orders',
      'x',
      /shop_silver\.orders: got a table of silver; expected one of gold/,
    ],
    [
      'a table that is not there',
      'shop_gold.revenu',
      'x',
      /no gold model makes shop_gold\.revenu: .*did you mean "shop_gold\.revenue"/,
    ],
  ];
  for (const [name, table, text, message] of mistakes) {
    test(`is refused for ${name}`, () => assert.rejects(to(text, { table }), message));
  }
});
