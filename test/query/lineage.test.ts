import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableRef } from '../../lib/core/spec.ts';
import { lineageOf, type ModelGraph } from '../../lib/query/lineage.ts';

const SPEC: ModelGraph = {
  name: 'p',
  models: [
    model('silver', 'a', [], 'files'),
    model('silver', 'b', [ref('silver', 'a')], 'more'),
    model('gold', 'c', [ref('silver', 'b')]),
    model('gold', 'd', [ref('gold', 'c'), ref('silver', 'a')]),
    model('gold', 'alone', []),
    model('gold', 'across', [{ pipeline: 'q', layer: 'gold', name: 'sales' }]),
  ],
};

const CASES: readonly (readonly [
  string,
  readonly string[],
  readonly string[],
  readonly string[],
  readonly string[],
])[] = [
  // id, reads, read by, further upstream, further downstream
  ['silver.a', ['bronze/p/files'], ['p_silver.b', 'p_gold.d'], [], ['p_gold.c']],
  ['silver.b', ['bronze/p/more', 'p_silver.a'], ['p_gold.c'], ['bronze/p/files'], ['p_gold.d']],
  ['gold.c', ['p_silver.b'], ['p_gold.d'], ['bronze/p/more', 'p_silver.a', 'bronze/p/files'], []],
  ['gold.d', ['p_gold.c', 'p_silver.a'], [], ['p_silver.b', 'bronze/p/files', 'bronze/p/more'], []],
  ['gold.alone', [], [], [], []],
  ['gold.across', ['q_gold.sales'], [], [], []],
];

for (const [id, reads, readBy, further, below] of CASES) {
  test(`the lineage of ${id}, nearest first`, () => {
    assert.deepEqual(lineageOf(SPEC, id), {
      reads,
      read_by: readBy,
      upstream: [...reads, ...further],
      downstream: [...readBy, ...below],
    });
  });
}

test('a table that no model makes has no lineage', () => {
  assert.equal(lineageOf(SPEC, 'gold.unknown'), undefined);
});

function ref(layer: 'silver' | 'gold', name: string) {
  return { layer, name };
}

function model(
  layer: 'silver' | 'gold',
  name: string,
  reads: readonly TableRef[],
  from = '',
): ModelGraph['models'][number] {
  const base = { id: `${layer}.${name}`, name, reads };
  return layer === 'gold' ? { ...base, layer } : { ...base, layer, from };
}
