import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenInput } from '../../../lib/core/run.ts';
import { markFiles } from '../../../lib/lake/ops/marks.ts';
import { type EventLake, withLake } from './event-lake.ts';

test('a run that events started takes what they named and looks for nothing else, once bronze was compared', async () => {
  await withLake(async ({ lake, execute, upload, ids, marks, listed, heads }) => {
    await lake.land('orders', 'unseen.csv', 'id\n1\n');
    await upload('a.csv', 'id\n2\n');
    assert.equal((await execute()).status, 'planned');
    assert.deepEqual(await ids(), [1, 2], 'the first run compares, and finds what no event told of');
    assert.deepEqual([listed, await marks()], [['bronze/shop/orders/', 'bronze/shop/people/'], 0]);

    await lake.land('orders', 'lost.csv', 'id\n3\n');
    await upload('b.csv', 'id\n4\n');
    await upload('c.csv', 'id\n5\n', 'people');
    assert.equal((await execute()).status, 'planned');
    assert.deepEqual([await ids(), await ids('people')], [[1, 2, 4], [5]]);
    assert.deepEqual(
      [listed, heads.toSorted(), await marks()],
      [[], ['bronze/shop/orders/b.csv', 'bronze/shop/people/c.csv'], 0],
    );

    assert.equal((await execute()).status, 'nothing', 'events whose files another run took');
  });
});

const HOUR = 3_600_000;

const COMPARES: readonly (readonly [string, (world: EventLake) => Promise<Partial<OpenInput>>])[] = [
  [
    'a day after the last comparison',
    async ({ time }) => {
      time.now += 24 * HOUR;
      return { started_by: 'events' };
    },
  ],
  ['that a schedule starts', async () => ({ started_by: 'schedule' })],
  ['that is there to compare', async () => ({ started_by: 'comparison' })],
  ['that a person asks for', async () => ({})],
  [
    'when a mark asks for it',
    async ({ lake }) => {
      await lake.store.write('ops/shop/_landed/compare-x.json', new TextEncoder().encode('{"compare":true}'), {
        kind: 'any',
      });
      return { started_by: 'events' };
    },
  ],
  [
    'when a mark is damaged',
    async ({ lake }) => {
      await lake.store.write('ops/shop/_landed/x.json', new TextEncoder().encode('{"files":'), { kind: 'any' });
      return { started_by: 'events' };
    },
  ],
];

for (const [what, prepare] of COMPARES) {
  test(`a run ${what} finds a file whose event was lost`, async () => {
    await withLake(async (world) => {
      const { lake, execute, upload, ids, time, marks } = world;
      await upload('a.csv', 'id\n1\n');
      await execute();
      await lake.land('orders', 'lost.csv', 'id\n2\n');
      time.now += 23 * HOUR;
      await upload('b.csv', 'id\n3\n');
      await execute();
      assert.deepEqual(await ids(), [1, 3]);
      time.now -= 23 * HOUR;
      const asked = await prepare(world);
      assert.equal((await execute(asked)).status, 'planned');
      assert.deepEqual([await ids(), await marks()], [[1, 2, 3], 0]);
    });
  });
}

test('a pipeline with another source than at the last comparison compares', async () => {
  await withLake(async ({ lake, deps, execute, upload, ids }) => {
    const specs = deps.specs;
    const [orders, people] = (await specs('shop')).sources;
    assert.ok(orders !== undefined && people !== undefined);
    let isThere = false;
    Object.assign(deps, {
      async specs(name: string) {
        const spec = await specs(name);
        if (isThere) return spec;
        const models = spec.models.filter(({ id }) => id !== 'silver.people');
        return { ...spec, sources: [orders], models, levels: [['silver.orders']] };
      },
    });
    await upload('a.csv', 'id\n1\n');
    await upload('early.csv', 'id\n2\n', 'people');
    await execute();
    isThere = true;
    await upload('b.csv', 'id\n3\n');
    await execute();
    assert.deepEqual([await ids(), await ids('people')], [[1, 3], [2]]);
    assert.equal((await lake.store.head('ops/shop/compared.json')) === undefined, false);
  });
});

test('what was named and is gone, ignored, of no source or known is no file', async () => {
  await withLake(async ({ lake, execute, upload, ids, marks }) => {
    await upload('a.csv', 'id\n1\n');
    await execute();
    await upload('gone.csv', 'id\n2\n');
    await lake.store.remove('bronze/shop/orders/gone.csv');
    const names = [
      'bronze/shop/nothing/a.csv',
      'arn:aws:states:eu-central-1:1:execution:other:x',
      'bronze/shop/orders/../x',
    ];
    for (const key of names) await markFiles(lake.store, 'shop', [{ key, etag: 'x' }]);
    await markFiles(lake.store, 'shop', [{ key: 'bronze/shop/orders/a.csv', etag: 'x', version: 'v1' }]);
    assert.equal(await marks(), 5);
    assert.equal((await execute()).status, 'nothing');
    assert.deepEqual([await ids(), await marks()], [[1], 0]);
  });
});

test('where versions are kept, an upload that was overwritten is taken, one that was withdrawn is not', async () => {
  await withLake(
    async ({ lake, execute, upload, ids }) => {
      await upload('a.csv', 'id\n1\n');
      await execute();
      await upload('b.csv', 'id\n2\n');
      await upload('b.csv', 'id\n3\n');
      await upload('c.csv', 'id\n4\n');
      await lake.store.remove('bronze/shop/orders/c.csv');
      await upload('c.csv', 'id\n5\n');
      await execute();
      assert.deepEqual(await ids(), [1, 2, 3, 5]);
    },
    { versions: true },
  );
});

test('marks of a run that fails stay, and the next run takes them', async () => {
  await withLake(async ({ deps, execute, upload, ids, marks }) => {
    await upload('a.csv', 'id\n1\n');
    await execute();
    await upload('b.csv', 'id\n2\n');
    const { engine } = deps;
    let opened = 0;
    const failing = {
      async open(options: Parameters<typeof engine.open>[0]) {
        opened += 1;
        if (opened === 2) throw new RangeError('no more');
        return engine.open(options);
      },
    };
    Object.assign(deps, { engine: failing });
    await assert.rejects(execute(), /no more/);
    assert.equal(await marks(), 1);
    Object.assign(deps, { engine });
    await execute();
    assert.deepEqual([await ids(), await marks()], [[1, 2], 0]);
  });
});

test('a run of some models leaves the marks to one of all', async () => {
  await withLake(async ({ execute, upload, ids, marks }) => {
    await upload('a.csv', 'id\n1\n');
    await upload('a.csv', 'id\n1\n', 'people');
    await execute();
    await upload('b.csv', 'id\n2\n');
    await upload('b.csv', 'id\n2\n', 'people');
    await execute({ select: ['silver.orders'] });
    assert.deepEqual([await ids(), await ids('people'), await marks()], [[1, 2], [1], 2]);
    await execute();
    assert.deepEqual([await ids(), await ids('people'), await marks()], [[1, 2], [1, 2], 0]);
  });
});
