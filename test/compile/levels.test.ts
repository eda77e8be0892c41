import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findCircles, levelsOf, type Readers } from '../../lib/compile/levels.ts';
import { modelId, type TableRef } from '../../lib/core/spec.ts';

/** `{ 'silver.a': ['silver.b'] }` -> models by id. */
function readers(graph: Readonly<Record<string, readonly string[]>>): Readers {
  return new Map(Object.entries(graph).map(([id, reads]) => [id, { ref: refOf(id), reads: reads.map(refOf) }]));
}

function refOf(id: string): TableRef {
  const [layer = '', name = ''] = id.split('.');
  return { layer: layer === 'gold' ? 'gold' : 'silver', name };
}

const LEVELS: readonly (readonly [Record<string, readonly string[]>, readonly (readonly string[])[]])[] = [
  [{}, []],
  [{ 'silver.a': [], 'silver.b': [] }, [['silver.a', 'silver.b']]],
  [{ 'silver.b': ['silver.a'], 'silver.a': [] }, [['silver.a'], ['silver.b']]],
  [
    { 'gold.g': ['silver.a'], 'silver.a': [], 'silver.b': ['silver.a'], 'silver.c': ['silver.a', 'silver.b'] },
    [['silver.a'], ['silver.b'], ['silver.c'], ['gold.g']],
  ],
  [
    { 'silver.a': [], 'gold.a': ['silver.a'], 'gold.b': ['gold.a', 'silver.a'], 'gold.c': [] },
    [['silver.a'], ['gold.a', 'gold.c'], ['gold.b']],
  ],
];

for (const [graph, levels] of LEVELS) {
  test(`levels of ${JSON.stringify(graph)}`, () => assert.deepEqual(levelsOf(readers(graph)), levels));
}

const CIRCLES: readonly (readonly [Record<string, readonly string[]>, readonly string[]])[] = [
  [{ 'silver.a': ['silver.b'], 'silver.b': [] }, []],
  [{ 'silver.a': ['silver.a'] }, ['silver.a -> silver.a']],
  [{ 'silver.a': ['silver.b'], 'silver.b': ['silver.a'] }, ['silver.a -> silver.b -> silver.a']],
  [
    { 'gold.x': ['gold.a'], 'gold.a': ['gold.b'], 'gold.b': ['gold.c'], 'gold.c': ['gold.a'] },
    ['gold.a -> gold.b -> gold.c -> gold.a'],
  ],
  [
    { 'gold.a': ['gold.b'], 'gold.b': ['gold.a'], 'gold.c': ['gold.d'], 'gold.d': ['gold.c'] },
    ['gold.a -> gold.b -> gold.a', 'gold.c -> gold.d -> gold.c'],
  ],
  [{ 'gold.a': ['gold.b', 'gold.c'], 'gold.b': ['gold.d'], 'gold.c': ['gold.d'], 'gold.d': [] }, []],
];

for (const [graph, circles] of CIRCLES) {
  test(`circles of ${JSON.stringify(graph)}`, () => {
    assert.deepEqual(
      findCircles(readers(graph)).map((path) => path.join(' -> ')),
      circles,
    );
  });
}

test('every model is in one level, above all that it reads, silver below gold', () => {
  const graphs = fc.array(fc.tuple(fc.boolean(), fc.array(fc.nat(11), { maxLength: 4 })), { maxLength: 12 });
  fc.assert(
    fc.property(graphs, (nodes) => {
      const ids = nodes.map(([gold], index) => `${gold ? 'gold' : 'silver'}.m${index}`);
      const graph = nodes.map(([gold, reads], index) => {
        const earlier = reads.filter((read) => read < index && (gold || !nodes[read]?.[0]));
        return [ids[index] ?? '', earlier.map((read) => ids[read] ?? '')] as const;
      });
      const models = readers(Object.fromEntries(graph));
      assert.deepEqual(findCircles(models), []);
      const levels = levelsOf(models);
      assert.deepEqual(levels.flat().sort(), [...ids].sort());
      const levelOf = (id: string): number => levels.findIndex((level) => level.includes(id));
      for (const [id, { reads }] of models) {
        for (const read of reads) assert.ok(levelOf(modelId(read)) < levelOf(id), `${id} reads ${modelId(read)}`);
      }
      const layers = levels.map((level) => new Set(level.map((id) => refOf(id).layer)));
      assert.deepEqual(
        layers
          .map((layer) => [...layer].join())
          .sort()
          .reverse(),
        layers.map((layer) => [...layer].join()),
      );
    }),
    { seed: 20240131, numRuns: 200 },
  );
});
