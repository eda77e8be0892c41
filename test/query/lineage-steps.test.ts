import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderLineage } from '../../lib/cli/output/lineage.ts';
import type { ColumnOrigins } from '../../lib/core/column-origins.ts';
import { type Described, type LineageStep, lineageSteps } from '../../lib/query/lineage-steps.ts';

/** retail: bronze rows -> silver.items -> gold.sales; fin: gold.total of retail's sales. */
const PIPELINES = [
  pipeline('retail', ['rows: id, Amount'], {
    'silver.items': {
      from: 'rows',
      columns: { id: [['batch.rows', 'id']], amount: [['batch.rows', 'Amount']] },
      rows: [],
    },
    'gold.sales': {
      reads: ['silver.items'],
      columns: { paid: [['silver.items', 'amount']], n: [] },
      rows: [['silver.items', 'id']],
    },
  }),
  pipeline('fin', [], {
    'gold.total': {
      reads: ['retail.gold.sales'],
      columns: { total: [['retail.gold.sales', 'paid']] },
      rows: [['retail.gold.sales', 'n']],
    },
  }),
];

test('tables and sources, nearest first, across pipelines', () => {
  const { name, upstream, downstream } = lineageSteps(PIPELINES, 'retail_gold.SALES');
  assert.equal(name, 'retail_gold.sales');
  assert.deepEqual(upstream.map(show), [
    'retail_gold.sales <- retail_silver.items',
    'retail_silver.items <- bronze/retail/rows',
  ]);
  assert.deepEqual(downstream.map(show), ['fin_gold.total <- retail_gold.sales']);
  const source = lineageSteps(PIPELINES, 'bronze/retail/rows');
  assert.deepEqual(source.upstream, []);
  assert.deepEqual(source.downstream.map(show), [
    'retail_silver.items <- bronze/retail/rows',
    'retail_gold.sales <- retail_silver.items',
    'fin_gold.total <- retail_gold.sales',
  ]);
});

test('columns, and what chooses the rows of the tables on the way', () => {
  const { upstream, downstream } = lineageSteps(PIPELINES, 'fin_gold.total.total');
  assert.deepEqual(upstream.map(show), [
    'fin_gold.total.total <- retail_gold.sales.paid',
    'retail_gold.sales.paid <- retail_silver.items.amount',
    'retail_silver.items.amount <- bronze/retail/rows.Amount',
    'retail_gold.sales <= retail_silver.items.id',
    'fin_gold.total <= retail_gold.sales.n',
  ]);
  assert.deepEqual(downstream, []);
});

test('downstream, a column that chooses rows is named, and not followed', () => {
  const { downstream } = lineageSteps(PIPELINES, 'bronze/retail/rows.id');
  assert.deepEqual(downstream.map(show), [
    'retail_silver.items.id <- bronze/retail/rows.id',
    'retail_gold.sales <= retail_silver.items.id',
  ]);
});

const UNKNOWN: readonly (readonly [string, RegExp])[] = [
  [
    'retail_gold.sales.payd',
    /^retail_gold\.sales has no column "payd": expected one of paid, n; did you mean "paid"\?/,
  ],
  [
    'retail_gold.sale',
    /^no pipeline here has "retail_gold\.sale": expected a table .*did you mean "retail_gold\.sales"/,
  ],
  ['bronze/retail/rows.x', /^bronze\/retail\/rows has no column "x"/],
];
for (const [name, message] of UNKNOWN) {
  test(`${name} is refused`, () => {
    assert.throws(() => lineageSteps(PIPELINES, name), { name: 'InvalidInput', message });
  });
}

test('for people, what is further away stands further in, and what was shown is only named again', () => {
  const steps = lineageSteps(PIPELINES, 'fin_gold.total.total');
  assert.equal(
    renderLineage(steps),
    [
      'fin_gold.total.total',
      'comes from',
      '  retail_gold.sales.paid',
      '    retail_silver.items.amount',
      '      bronze/retail/rows.Amount',
      'rows of retail_gold.sales by retail_silver.items.id',
      'rows of fin_gold.total by retail_gold.sales.n',
      'goes into',
      '  nothing',
      '',
    ].join('\n'),
  );
  const { name, downstream } = lineageSteps(PIPELINES, 'bronze/retail/rows.id');
  assert.equal(
    renderLineage({ name, downstream }),
    [
      'bronze/retail/rows.id',
      'goes into',
      '  retail_silver.items.id',
      '    retail_gold.sales (its rows are chosen, joined or grouped by it)',
      '',
    ].join('\n'),
  );
  const step = (from: string, to: string): LineageStep => ({ name: to, from, by: 'table' });
  const diamond = [step('a', 'b'), step('a', 'c'), step('b', 'd'), step('c', 'd'), step('d', 'e')];
  assert.equal(
    renderLineage({ name: 'a', downstream: diamond }),
    ['a', 'goes into', '  b', '    d', '      e', '  c', '    d', ''].join('\n'),
  );
});

function show({ name, from, by }: LineageStep): string {
  return `${name} ${by === 'rows' ? '<=' : '<-'} ${from}`;
}

type Given = ColumnOrigins & { readonly from?: string; readonly reads?: readonly string[] };

function pipeline(name: string, sources: readonly string[], models: Readonly<Record<string, Given>>): Described {
  const spec = {
    name,
    sources: sources.map((text) => {
      const [source = '', columns = ''] = text.split(': ');
      return { name: source, columns: columns.split(', ').map((column) => ({ name: column })) };
    }),
    models: Object.entries(models).map(([id, { from, reads = [], ...origins }]) => {
      const [layer, model] = id.split('.');
      const columns = Object.keys(origins.columns).map((column) => ({ name: column }));
      return { id, layer, name: model, from, columns, origins, reads: reads.map(refOf) };
    }),
  };
  return spec as unknown as Described;
}

function refOf(text: string): object {
  const [name, layer, pipelineName] = text.split('.').reverse();
  return { layer, name, ...(pipelineName === undefined ? {} : { pipeline: pipelineName }) };
}
