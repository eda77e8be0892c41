import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import type { GoldModel, PipelineSpec } from '../../lib/core/spec.ts';
import { csv, definePipeline, identity, scd2 } from '../../lib/define/index.ts';
import { compileTest, type TestPipeline } from '../support/test-lake.ts';

const scratch = mkdtempSync(join(tmpdir(), 'strata-test-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const COLUMNS = { id: 'int', amount: 'decimal(10,2)', at: 'int' } as const;

type Given = {
  readonly gold?: string;
  readonly silver?: string;
  readonly after?: string | readonly string[];
  readonly touched?: boolean;
};

function pipeline(name: string, { gold, silver, after, touched }: Given = {}): TestPipeline {
  return {
    name,
    definition: definePipeline({
      name,
      ...(after === undefined ? {} : { after }),
      sources: { rows: csv({ columns: COLUMNS }), persons: csv({ columns: COLUMNS }) },
      silver: {
        items: { from: 'rows', ...(silver === undefined ? {} : { sql: 'items.sql' as const }) },
        people: { from: 'persons', mode: scd2({ key: 'id', sequence: 'at' }) },
      },
      gold: {
        sales: {
          sql: 'sales.sql',
          ...(touched ? { refresh: 'touched' as const, partitionBy: [identity('id')] } : {}),
        },
      },
    }),
    sql: {
      'sales.sql': gold ?? 'SELECT id, sum(amount) AS amount FROM silver.items GROUP BY id',
      'items.sql': silver ?? '',
    },
  };
}

const RETAIL = pipeline('retail');

function compiled(given: Given, others: readonly TestPipeline[] = [RETAIL]): Promise<PipelineSpec> {
  const fin = pipeline('fin', given);
  return compileTest(fin, scratch, [fin, ...others]);
}

async function problems(given: Given, others?: readonly TestPipeline[]): Promise<readonly string[]> {
  const error = await compiled(given, others).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof InvalidInput, String(error));
  return error.problems.map(({ file, place, got, expected }) => `${file}: ${place}: got ${got}; expected ${expected}`);
}

const goldOf = (spec: PipelineSpec): GoldModel => {
  const found = spec.models.find((model) => model.layer === 'gold');
  assert.ok(found?.layer === 'gold');
  return found;
};

describe('gold over tables of other pipelines', () => {
  test('is bound against their columns, and the pipeline carries what is read', async () => {
    const spec = await compiled({
      gold: 'SELECT s.id, s.amount, p.is_current, i.amount AS own FROM Retail.gold.SALES s, retail.silver.people p, silver.items i',
    });
    const gold = goldOf(spec);
    assert.deepEqual(gold.reads, [
      { layer: 'silver', name: 'items' },
      { pipeline: 'retail', layer: 'gold', name: 'sales' },
      { pipeline: 'retail', layer: 'silver', name: 'people' },
    ]);
    assert.deepEqual(gold.columns.at(1), { name: 'amount', type: { kind: 'decimal', precision: 38, scale: 2 } });
    assert.deepEqual(
      spec.others?.map((one) => [one.pipeline, one.layer, one.name, one.columns.map((column) => column.name)]),
      [
        ['retail', 'gold', 'sales', ['id', 'amount']],
        ['retail', 'silver', 'people', ['id', 'amount', 'at', 'valid_from', 'valid_to', 'is_current']],
      ],
    );
    assert.deepEqual(spec.levels, [['silver.items', 'silver.people'], ['gold.sales']]);
  });

  test('may read the log of a keyed table, and a table of the same name as its own', async () => {
    const spec = await compiled({
      gold: 'SELECT l._op, t.amount FROM retail.silver.people__log l, retail.silver.items t, silver.items',
    });
    assert.deepEqual(
      spec.others?.map(({ layer, name }) => `${layer}.${name}`),
      ['silver.items', 'silver.people__log'],
    );
  });

  test('may be computed by the partitions that change in the table of another', async () => {
    const spec = await compiled({
      touched: true,
      gold: 'SELECT id, sum(amount) AS amount FROM retail.silver.items GROUP BY id',
    });
    const { refresh } = goldOf(spec);
    assert.ok(refresh.kind === 'touched');
    assert.deepEqual(refresh.driver, { pipeline: 'retail', layer: 'silver', name: 'items' });
    assert.match(refresh.sql, /retail\.silver\.items/);
  });

  test('leaves a pipeline without others as it was', async () => {
    const spec = await compiled({});
    assert.ok(!('others' in spec) && !('after' in spec));
  });

  test('says which pipelines a pipeline runs after', async () => {
    assert.deepEqual((await compiled({ after: 'retail' })).after, ['retail']);
    assert.deepEqual((await compiled({ after: ['retail', 'hr'] }, [RETAIL, pipeline('hr')])).after, ['retail', 'hr']);
  });
});

const SQL = 'pipelines/fin/sales.sql';
const BROKEN: TestPipeline = { ...RETAIL, sql: { 'sales.sql': 'SELECT nothing FROM silver.items' } };

const MISTAKES: readonly (readonly [string, Given, readonly TestPipeline[], string])[] = [
  [
    'an unknown pipeline',
    { gold: 'SELECT 1 AS a\nFROM retial.gold.sales' },
    [RETAIL, pipeline('hr')],
    `${SQL}: line 2, column 6: got the table retial.gold.sales: an unknown pipeline; expected one of retail, hr; did you mean "retail"?`,
  ],
  [
    'an unknown table',
    { gold: 'FROM retail.gold.sale' },
    [RETAIL],
    `${SQL}: line 1, column 6: got the table retail.gold.sale; expected one of retail.silver.items, retail.silver.people, retail.silver.people__log, retail.gold.sales; did you mean "retail.gold.sales"?`,
  ],
  [
    'the name that queries use',
    { gold: 'FROM retail_gold.sales' },
    [RETAIL],
    `${SQL}: line 1, column 6: got the table retail_gold.sales; expected a table of another pipeline by its name in models; did you mean "retail.gold.sales"?`,
  ],
  [
    'its own table by its full name',
    { gold: 'FROM fin.silver.items' },
    [RETAIL],
    `${SQL}: line 1, column 6: got the table fin.silver.items; expected a table of this pipeline by its short name; did you mean "silver.items"?`,
  ],
  [
    'silver that reads another',
    { silver: 'SELECT b.* FROM batch.rows b LEFT JOIN retail.silver.items i ON i.id = b.id', gold: 'SELECT 1 AS a' },
    [RETAIL],
    'pipelines/fin/items.sql: line 1, column 40: got the table retail.silver.items; expected tables of this pipeline: gold alone reads those of others',
  ],
  [
    'a column that the other lacks',
    { gold: 'SELECT amonut FROM retail.gold.sales' },
    [RETAIL],
    `${SQL}: line 1, column 8: got Referenced column "amonut" not found in FROM clause; expected a column that is there: "amount"; did you mean "amount"?`,
  ],
  [
    'a circle',
    { gold: 'FROM retail.gold.sales' },
    [pipeline('retail', { gold: 'FROM hr.gold.sales' }), pipeline('hr', { gold: 'FROM fin.silver.items' })],
    'the circle fin -> retail -> hr -> fin; expected pipelines that do not wait for each other',
  ],
  [
    'a circle that is closed by what runs after what',
    { after: 'retail' },
    [pipeline('retail', { gold: 'FROM fin.gold.sales' })],
    'the circle fin -> retail -> fin',
  ],
  [
    'to run after itself',
    { after: 'fin' },
    [],
    'pipelines/fin/pipeline.ts: after: got "fin": the circle fin -> fin; expected pipelines that do not wait for each other',
  ],
  [
    'to run after one that is not there',
    { after: ['retial'] },
    [RETAIL],
    'pipelines/fin/pipeline.ts: after: got "retial": an unknown pipeline; expected retail; did you mean "retail"?',
  ],
  [
    'another that does not compile',
    { gold: 'FROM retail.gold.sales' },
    [BROKEN],
    `${SQL}: line 1, column 6: got the table retail.gold.sales: a pipeline that does not compile; expected one that does (pipelines/retail/sales.sql: line 1`,
  ],
  [
    'a name that DuckDB has',
    { gold: 'FROM memory.gold.sales' },
    [pipeline('memory')],
    `${SQL}: line 1, column 6: got the table memory.gold.sales; expected a pipeline of another name: DuckDB has a memory of its own`,
  ],
];

describe('mistakes in reading other pipelines', () => {
  for (const [name, given, others, expected] of MISTAKES) {
    test(name, async () => {
      const found = await problems(given, others);
      assert.equal(found.length, 1, found.join('\n'));
      assert.ok(found[0]?.includes(expected), `${found[0]}\n${expected}`);
    });
  }
});
