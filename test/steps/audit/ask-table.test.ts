import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../../../lib/core/errors.ts';
import { csv, definePipeline, query, unique } from '../../../lib/define/index.ts';
import type { StepDeps } from '../../../lib/lake/deps.ts';
import type { Session } from '../../../lib/ports.ts';
import { explainCapacity } from '../../../lib/runtime/lambda/capacity.ts';
import { askTable, notPublished } from '../../../lib/steps/audit/ask-table.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../../support/test-lake.ts';

type Expect = Readonly<Record<string, unknown>>;

/** Gold whose `n` is a number in two of three rows. */
function shop(expect: Expect, own: Expect = {}): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { s: csv({ columns: { id: 'int', n: 'string' } }) },
      silver: { s: { from: 's', expect: own } },
      gold: { g: { sql: 'g.sql', expect } },
    } as Parameters<typeof definePipeline>[0]),
    sql: { 'g.sql': 'SELECT id, n FROM silver.s' },
  };
}

async function become(lake: TestLake, pipeline: TestPipeline): Promise<TestLake> {
  const spec = await compileTest(pipeline, lake.scratch);
  return lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
}

const NUMERIC = 'CAST(n AS INT) > 3';
const NEGATIVE = 'SELECT * FROM this WHERE CAST(n AS INT) < 0';

test('an expectation that raises over a row', async (t) => {
  const warn = { policy: 'warn' } as const;
  const lake = await openTestLake(
    shop({
      numeric: { condition: NUMERIC, ...warn },
      asked: query(NEGATIVE, warn),
      each: { ...unique('id'), ...warn },
      small: { condition: 'id < 3', ...warn },
    }),
  );
  await lake.land('s', 'a.csv', 'id,n\n1,5\n2,x\n3,0\n');

  await t.test('and only warns stops no run: the row breaks a condition, a query cannot be evaluated', async () => {
    const { status, warnings, error } = await lake.run();
    assert.equal(status, 'SUCCEEDED', error?.message);
    const [asked, numeric, small, ...others] = warnings.toSorted();
    assert.match(
      asked ?? '',
      /^gold\.g: expectation asked cannot be evaluated: .*Could not convert string 'x' to INT32/,
    );
    assert.doesNotMatch(asked ?? '', /LINE/);
    assert.equal(numeric, 'gold.g: expectation numeric does not hold: 2 offending');
    assert.equal(small, 'gold.g: expectation small does not hold: 1 offending');
    assert.deepEqual(others, []);
    assert.equal((await lake.rows('shop_gold.g')).length, 3);
  });

  await t.test('and fails is what the run says, not what the engine says of a statement', async () => {
    for (const [expect, said] of [
      [{ numeric: NUMERIC }, /^gold\.g: expectation numeric.* does not hold: 2 offending; nothing is published/],
      [{ asked: query(NEGATIVE) }, /^gold\.g: expectation asked.* cannot be evaluated: .*; nothing is published/],
    ] as const) {
      const { status, error } = await (await become(lake, shop(expect))).run();
      assert.deepEqual([status, error?.name], ['FAILED', 'AuditFailed']);
      assert.match(error?.message ?? '', said);
    }
  });

  await t.test('is told of rows that are there already in the same way', async () => {
    const { warnings } = await (await become(lake, shop({}, { numeric: { condition: NUMERIC, ...warn } }))).run();
    assert.match(warnings[0] ?? '', /^silver\.s: expectation numeric, new or changed .*, does not hold: 2 offending; /);
  });

  await t.test(
    'for want of memory is told with what the engine says, so that a function names what to raise',
    async () => {
      const [model] = (await compileTest(shop({}, { each: unique('id') }), lake.scratch)).models;
      let deps: StepDeps | undefined;
      lake.reopen((own) => {
        deps = { ...own, engine: { open: async (options) => short(await own.engine.open(options)) } };
        return deps;
      });
      assert.ok(model !== undefined && deps !== undefined);
      const nothing = async (): Promise<AsyncDisposable> => new AsyncDisposableStack();
      const [wrong] = [...(await askTable(deps, model, nothing, model.expect)).values()];
      assert.equal(wrong?.said, 'cannot be evaluated: expectation each: Out of Memory Error: x');
      const told = explainCapacity(
        'Audit',
        { memoryMb: 3008, tmpMb: 512 },
        notPublished('nothing is published', wrong),
      );
      assert.match(String(told), /^EngineError: .*compute\.steps\.Audit\.memory \(3008 MB now.* nothing is published$/);
    },
  );
  lake.close();
});

/** A session that has too little memory for one question. */
function short(session: Session): Session {
  return {
    ...session,
    rows: async (statement) => {
      if (statement.name !== 'expectation each') return session.rows(statement);
      const cause = new Error('Out of Memory Error: x');
      throw new EngineError(`${statement.name}: ${cause.message}`, { cause });
    },
  };
}
