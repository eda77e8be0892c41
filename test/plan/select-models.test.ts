import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import type { GoldModel, SilverModel, TableRef } from '../../lib/core/spec.ts';
import { asksForState, completeSelection, type Selectors, selectModels } from '../../lib/plan/select-models.ts';

const silver = (name: string): TableRef => ({ layer: 'silver', name });
const gold = (name: string): TableRef => ({ layer: 'gold', name });
const COMMON = { sql: '', sqlFile: null, columns: [], partitionBy: [], sortBy: [], expect: [], description: null };

function table(name: string, from: string, reads: readonly TableRef[] = [], tags: readonly string[] = []): SilverModel {
  const mode = { kind: 'append', dedupe: null, onDuplicate: 'drop' } as const;
  return {
    ...COMMON,
    id: `silver.${name}`,
    name,
    layer: 'silver',
    from,
    mode,
    reads,
    tags,
    metadata: [],
    joins: [],
    selectsAll: false,
  };
}

function answer(name: string, reads: readonly TableRef[], tags: readonly string[] = []): GoldModel {
  return { ...COMMON, id: `gold.${name}`, name, layer: 'gold', reads, tags, readsLogs: [], refresh: { kind: 'full' } };
}

/** customers -> orders -> revenue -> best; orders and lines take the same files; `all` is a table of both layers. */
const SPEC = {
  name: 'shop',
  sources: [{ name: 'orders' }, { name: 'customers' }, { name: 'all' }],
  models: [
    table('customers', 'customers', [], ['daily']),
    table('all', 'all'),
    table('orders', 'orders', [silver('customers')], ['daily', 'team:a']),
    table('lines', 'orders'),
    answer('revenue', [silver('orders')], ['daily']),
    answer('best', [gold('revenue')]),
    answer('all', [silver('all')]),
  ],
};
const STATE = { modified: new Set(['silver.lines', 'gold.best']), fresh: new Set(['gold.best']) };

const short = (ids: readonly string[]): string =>
  ids.map((id) => id.replace('silver.', 's.').replace('gold.', 'g.')).join(' ');

const CASES: readonly (readonly [Selectors, string])[] = [
  [{}, 's.customers s.all s.orders s.lines g.revenue g.best g.all'],
  [{ select: ['orders'] }, 's.orders'],
  [{ select: ['silver.orders'] }, 's.orders'],
  [{ select: ['+orders'] }, 's.customers s.orders'],
  [{ select: ['orders+'] }, 's.orders g.revenue g.best'],
  [{ select: ['+orders+'] }, 's.customers s.orders g.revenue g.best'],
  [{ select: ['orders+1'] }, 's.orders g.revenue'],
  [{ select: ['1+best'] }, 'g.revenue g.best'],
  [{ select: ['2+best'] }, 's.orders g.revenue g.best'],
  [{ select: ['all'] }, 's.all g.all'],
  [{ select: ['gold.all'] }, 'g.all'],
  [{ select: ['silver.*'] }, 's.customers s.all s.orders s.lines'],
  [{ select: ['tag:daily'] }, 's.customers s.orders g.revenue'],
  [{ select: ['tag:team:a+1'] }, 's.orders g.revenue'],
  [{ select: ['source:orders'] }, 's.orders s.lines'],
  [{ select: ['source:customers+'] }, 's.customers s.orders g.revenue g.best'],
  [{ select: ['state:modified'] }, 's.lines g.best'],
  [{ select: ['state:new'] }, 'g.best'],
  [{ select: ['+state:new'] }, 's.customers s.orders g.revenue g.best'],
  [{ select: ['lines', 'best'] }, 's.lines g.best'],
  [{ select: ['lines best'] }, 's.lines g.best'],
  [{ select: ['tag:daily,gold.*'] }, 'g.revenue'],
  [{ select: ['+best,tag:daily'] }, 's.customers s.orders g.revenue'],
  [{ select: ['state:modified,customers'] }, ''],
  [{ exclude: ['tag:daily'] }, 's.all s.lines g.best g.all'],
  [{ select: ['+best'], exclude: ['customers', 'best'] }, 's.orders g.revenue'],
];

describe('selectors', () => {
  for (const [selectors, expected] of CASES) {
    test(JSON.stringify(selectors), () => assert.equal(short(selectModels(SPEC, selectors, STATE)), expected));
  }

  const mistakes: readonly (readonly [string, RegExp])[] = [
    ['oders', /^no model "oders" in shop: expected one of silver.customers, .*; did you mean "orders"\?/],
    ['+silver.order', /no model "silver.order" in shop: .*; did you mean "silver.orders"\?/],
    ['+', /no model "\+" in shop/],
    ['', /an empty selector: expected a model such as/],
    ['tag:daly', /no tag "daly" in shop: expected one of daily, team:a; did you mean "daily"\?/],
    ['source:order', /no source "order" in shop: expected one of orders, customers, all; did you mean "orders"\?/],
    ['state:changed', /no state "changed": expected modified or new/],
    ['path:gold', /the selector "path:gold" is of no kind that there is/],
    [
      'orders,lines',
      /the selector "orders,lines" selects nothing: a comma means both; for either, give --select twice/,
    ],
  ];
  for (const [text, expected] of mistakes) {
    test(`${JSON.stringify(text)} is a mistake`, () => {
      assert.throws(
        () => selectModels(SPEC, { select: [text] }, STATE),
        (error) => error instanceof InvalidInput && expected.test(error.message),
      );
    });
  }

  test('a pipeline without tags says so, and state needs a lake', () => {
    const bare = { ...SPEC, models: SPEC.models.map((model) => ({ ...model, tags: [] })) };
    assert.throws(() => selectModels(bare, { select: ['tag:x'] }), /expected none: no model has tags/);
    assert.throws(() => selectModels(SPEC, { select: ['state:new'] }), /state:new needs a lake/);
    assert.equal(asksForState({ select: ['a', '+state:modified'] }), true);
    assert.equal(asksForState({ exclude: ['a,state:new'] }), true);
    assert.equal(asksForState({ select: ['tag:state', 'orders'] }), false);
  });
});

describe('a selection that can be run', () => {
  test('has with a silver table those that it joins, and none that takes the same files', () => {
    assert.deepEqual(completeSelection(SPEC, { select: ['orders'] }), {
      models: ['silver.customers', 'silver.orders'],
      along: [{ model: 'silver.customers', because: 'silver.orders joins it' }],
    });
    assert.deepEqual(completeSelection(SPEC, { select: ['lines'] }), { models: ['silver.lines'], along: [] });
  });

  test('has nothing with gold, which is made again', () => {
    assert.deepEqual(completeSelection(SPEC, { select: ['best'] }), { models: ['gold.best'], along: [] });
  });

  test('cannot leave out what has to come along', () => {
    assert.throws(
      () => completeSelection(SPEC, { exclude: ['customers'] }),
      /silver.customers is excluded, but silver.orders joins it: exclude silver.orders as well, or neither/,
    );
    assert.deepEqual(completeSelection(SPEC, { exclude: ['customers+', 'lines'] }).models, ['silver.all', 'gold.all']);
  });
});
