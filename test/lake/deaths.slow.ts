import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { append, csv, upsert } from '../../lib/define/index.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { underMarkOrFail } from '../../lib/lake/run/deaths.ts';
import { keyOf, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const COLUMNS = { id: 'bigint', v: 'string' } as const;

function shop(silver: Readonly<Record<string, unknown>>): TestPipeline {
  return { name: 'shop', definition: { name: 'shop', sources: { orders: csv({ columns: COLUMNS }) }, silver } };
}

const MODES = {
  append: append(),
  'append by key': append({ dedupe: { key: 'id' } }),
  upsert: upsert({ key: 'id', sequence: 'v' }),
} as const;

/** A lake whose process ends without a word when it lends a file that is called so. */
function dying(lake: TestLake, file: string): TestLake {
  return lake.reopen((deps) => {
    let dead = false;
    const alive = <T>(act: () => Promise<T>): Promise<T> => (dead ? Promise.reject(new Error('dead')) : act());
    const { store } = deps;
    return {
      ...deps,
      isGone: () => true,
      store: {
        ...store,
        write: (key, bytes, condition) => alive(() => store.write(key, bytes, condition)),
        remove: (key) => alive(() => store.remove(key)),
        borrow: (objects) => {
          dead ||= objects.some((object) => keyOf(object).endsWith(file));
          return alive(() => store.borrow(objects));
        },
      },
    };
  });
}

/** A lake whose process ends as soon as it works on a model, whatever the file. */
function dyingAt(lake: TestLake, model: string): TestLake {
  return lake.reopen((deps) => {
    let dead = false;
    const alive = <T>(act: () => Promise<T>): Promise<T> => (dead ? Promise.reject(new Error('dead')) : act());
    const { store } = deps;
    return {
      ...deps,
      isGone: () => true,
      store: {
        ...store,
        write: (key, bytes, condition) =>
          alive(async () => {
            const outcome = await store.write(key, bytes, condition);
            dead ||= /\/attempts\/|\/_deaths\//.test(key) && key.includes(model) && outcome.kind === 'written';
            return outcome;
          }),
        remove: (key) => alive(() => store.remove(key)),
        borrow: (objects) => alive(() => store.borrow(objects)),
      },
    };
  });
}

function living(lake: TestLake): TestLake {
  return lake.reopen((deps) => ({ ...deps, isGone: () => true }));
}

async function withLake(pipeline: TestPipeline, use: (lake: TestLake) => Promise<void>): Promise<void> {
  const lake = await openTestLake(pipeline);
  try {
    await use(lake);
  } finally {
    lake.close();
  }
}

async function landThree(lake: TestLake): Promise<void> {
  await lake.land('orders', 'a.csv', 'id,v\n1,a\n2,b\n');
  await lake.land('orders', 'b-heavy.csv', 'id,v\n3,c\n1,z\n');
  await lake.land('orders', 'c.csv', 'id,v\n2,b\n4,d\n');
}

const IDS = 'SELECT id, v FROM t ORDER BY ALL';
const LEDGER = 'SELECT key, status, records, code FROM t ORDER BY ALL';

async function keysBelow(lake: TestLake, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of lake.store.list(prefix)) keys.push(key);
  return keys;
}

for (const [name, mode] of Object.entries(MODES)) {
  const pipeline = shop({ kept: { from: 'orders', mode } });

  describe(`${name}: a file of which workers die`, () => {
    test('is suspended after three deaths with others and three alone, and the others are published', async () => {
      const expected = await rowsWithout(pipeline);
      await withLake(pipeline, async (lake) => {
        await landThree(lake);
        for (let death = 0; death < 6; death += 1) await dying(lake, 'b-heavy.csv').answer({ runId: 'r' });
        const result = await living(lake).run({ runId: 'r' });
        assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
        assert.deepEqual(
          result.suspended_files.map(({ file }) => file),
          ['bronze/shop/orders/b-heavy.csv'],
        );
        assert.match(result.suspended_files[0]?.reason ?? '', /^WORKER_KILLED: 3 workers/);
        assert.deepEqual(result.rejected_files, []);
        assert.deepEqual(await lake.rows('shop_silver.kept', IDS), expected);
        assert.equal(result.accounting['orders']?.read, 4);
        assert.deepEqual(await lake.rows('shop_ops.files', LEDGER), [
          { key: 'bronze/shop/orders/a.csv', status: 'ingested', records: 2, code: null },
          { key: 'bronze/shop/orders/b-heavy.csv', status: 'suspended', records: 0, code: 'WORKER_KILLED' },
          { key: 'bronze/shop/orders/c.csv', status: 'ingested', records: 2, code: null },
        ]);
        assert.deepEqual(await keysBelow(lake, 'ops/shop/_deaths/'), []);
      });
    });

    test('that lives in the end is taken with the others, and nothing is forgotten', async () => {
      const expected = await rowsOfAll(pipeline);
      await withLake(pipeline, async (lake) => {
        await landThree(lake);
        for (let death = 0; death < 5; death += 1) await dying(lake, 'b-heavy.csv').answer({ runId: 'r' });
        const result = await living(lake).run({ runId: 'r' });
        assert.deepEqual([result.status, result.suspended_files], ['SUCCEEDED', []]);
        assert.deepEqual(await lake.rows('shop_silver.kept', IDS), expected);
        assert.equal(result.accounting['orders']?.read, 6);
        assert.deepEqual(await keysBelow(lake, 'ops/shop/_deaths/'), []);
      });
    });
  });
}

test('of two units at once, of which workers die, the one is suspended that was alone with the last of them', async () => {
  const two: TestPipeline = {
    name: 'shop',
    definition: {
      name: 'shop',
      sources: { orders: csv({ columns: COLUMNS }), people: csv({ columns: COLUMNS }) },
      silver: { kept: { from: 'orders', mode: append() }, known: { from: 'people', mode: append() } },
    },
  };
  await withLake(two, async (lake) => {
    await lake.land('orders', 'good.csv', 'id,v\n1,a\n');
    await lake.land('people', 'heavy.csv', 'id,v\n2,b\n');
    const atOnce = (of: TestLake): TestLake =>
      of.reopen((deps) => ({ ...deps, isGone: () => true, settings: { ...deps.settings, unitsAtOnce: 2 } }));
    const marks = async () => (await keysBelow(lake, 'ops/shop/')).filter((key) => key.includes('/attempts/'));
    // The good one is lent first, and dies with the other: both have a mark.
    await atOnce(dying(lake, 'heavy.csv')).answer({ runId: 'r' });
    assert.equal((await marks()).length, 2);
    // From now on each is alone: the good one, whose first mark stays, has no second death.
    await atOnce(dying(lake, 'heavy.csv')).answer({ runId: 'r' });
    assert.deepEqual(
      (await marks()).map((key) => key.includes('kept')),
      [true, false, false],
    );
    for (let death = 2; death < 6; death += 1) await atOnce(dying(lake, 'heavy.csv')).answer({ runId: 'r' });
    const result = await atOnce(lake).run({ runId: 'r' });
    assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
    assert.deepEqual(
      result.suspended_files.map(({ file }) => file),
      ['bronze/shop/people/heavy.csv'],
    );
    assert.deepEqual(await lake.rows('shop_silver.kept', IDS), [{ id: 1, v: 'a' }]);
  });
});

async function rowsOfAll(pipeline: TestPipeline): Promise<unknown> {
  return rowsOf(pipeline, landThree);
}

async function rowsWithout(pipeline: TestPipeline): Promise<unknown> {
  return rowsOf(pipeline, async (lake) => {
    await landThree(lake);
    await lake.store.remove('bronze/shop/orders/b-heavy.csv');
  });
}

async function rowsOf(pipeline: TestPipeline, land: (lake: TestLake) => Promise<void>): Promise<unknown> {
  let rows: unknown;
  await withLake(pipeline, async (lake) => {
    await land(lake);
    await lake.run();
    rows = await lake.rows('shop_silver.kept', IDS);
  });
  return rows;
}

const PLAIN = shop({ kept: { from: 'orders', mode: append() } });

async function suspended(lake: TestLake): Promise<void> {
  await lake.land('orders', 'heavy.csv', 'id,v\n1,a\n');
  for (let death = 0; death < 6; death += 1) await dying(lake, 'heavy.csv').answer({ runId: 'r' });
  assert.equal((await living(lake).run({ runId: 'r' })).suspended_files.length, 1);
}

describe('a suspended file', () => {
  test('is named by every run, and taken again on demand alone', async () => {
    await withLake(PLAIN, async (lake) => {
      await suspended(lake);
      const nothing = await lake.answer();
      assert.ok(nothing.kind === 'nothing');
      assert.deepEqual(
        nothing.suspended.map(({ file }) => file),
        ['bronze/shop/orders/heavy.csv'],
      );
      await lake.land('orders', 'more.csv', 'id,v\n2,b\n');
      assert.equal((await lake.run()).suspended_files.length, 1);
      const retried = await lake.run({ retry: {} });
      assert.deepEqual([retried.status, retried.suspended_files], ['SUCCEEDED', []]);
      assert.deepEqual(await lake.rows('shop_silver.kept', IDS), [
        { id: 1, v: 'a' },
        { id: 2, v: 'b' },
      ]);
      const again = await lake.answer();
      assert.ok(again.kind === 'nothing' && again.suspended.length === 0);
      assert.equal((await lake.answer({ retry: {} })).kind, 'nothing', 'once is enough');
    });
  });

  test('that is taken away, or replaced, is suspended no more', async () => {
    await withLake(PLAIN, async (lake) => {
      await suspended(lake);
      await lake.land('orders', 'heavy.csv', 'id,v\n7,g\n');
      const result = await lake.run();
      assert.deepEqual(result.suspended_files, []);
      assert.deepEqual(await lake.rows('shop_silver.kept', IDS), [{ id: 7, v: 'g' }]);
    });
  });

  test('counts its deaths anew when it is retried', async () => {
    await withLake(PLAIN, async (lake) => {
      await suspended(lake);
      for (let death = 0; death < 5; death += 1) {
        await dying(lake, 'heavy.csv').answer({ runId: 'again', retry: {} });
      }
      assert.deepEqual((await living(lake).run({ runId: 'again', retry: {} })).suspended_files, []);
      assert.deepEqual(await lake.rows('shop_silver.kept', IDS), [{ id: 1, v: 'a' }]);
    });
  });
});

test('a rejected file is retried by name or by status, and one that was not set aside by no means', async () => {
  await withLake(PLAIN, async (lake) => {
    await lake.land('orders', 'bad.csv', 'other\n1\n');
    await lake.land('orders', 'good.csv', 'id,v\n1,a\n');
    assert.equal((await lake.run()).rejected_files.length, 1);
    assert.equal((await lake.answer({ retry: {} })).kind, 'nothing', 'only suspended files are meant');
    assert.equal((await lake.run({ retry: { files: ['bad.csv'] } })).rejected_files.length, 1);
    assert.equal((await lake.run({ retry: { status: 'rejected' } })).rejected_files.length, 1);
    const refused = await lake.run({ retry: { files: ['good.csv'] } });
    assert.match(refused.error?.message ?? '', /not set aside in shop: good\.csv/);
    assert.deepEqual(await lake.rows('shop_silver.kept', IDS), [{ id: 1, v: 'a' }]);
  });
});

test('workers that died with the machine, or on another one, say nothing about a file', async () => {
  await withLake(PLAIN, async (lake) => {
    await lake.land('orders', 'heavy.csv', 'id,v\n1,a\n');
    for (let boot = 0; boot < 9; boot += 1) {
      const machine = dying(lake, 'heavy.csv').reopen((deps) => booted(deps, `boot-${boot}`));
      await machine.answer({ runId: 'r' });
    }
    const marks = await keysBelow(lake, 'ops/shop/_runs/r/level-0/attempts/');
    assert.equal(marks.length, 1);
    assert.deepEqual((await living(lake).run({ runId: 'r' })).suspended_files, []);
  });
});

function booted(deps: StepDeps, boot: string): StepDeps {
  return { ...deps, settings: { ...deps.settings, boot } };
}

test('a file of which the workers of one table die is left out of that table alone', async () => {
  const pipeline = shop({
    first: { from: 'orders', mode: append() },
    second: { from: 'orders', mode: append() },
  });
  await withLake(pipeline, async (lake) => {
    await lake.land('orders', 'heavy.csv', 'id,v\n2,b\n');
    for (let death = 0; death < 6; death += 1) await dyingAt(lake, 'silver.second').answer({ runId: 'r' });
    const result = await living(lake).run({ runId: 'r' });
    assert.deepEqual([result.status, result.suspended_files.length], ['SUCCEEDED', 1]);
    assert.deepEqual(await lake.rows('shop_ops.files', 'SELECT status, records, table_name FROM t ORDER BY ALL'), [
      { status: 'ingested', records: 1, table_name: 'shop_silver.first' },
      { status: 'suspended', records: 0, table_name: 'shop_silver.second' },
    ]);
    await lake.land('orders', 'a.csv', 'id,v\n1,a\n');
    assert.equal((await lake.run({ runId: 'r2' })).suspended_files.length, 1);
    assert.deepEqual(await lake.rows('shop_silver.second', IDS), [{ id: 1, v: 'a' }]);
    const retried = await lake.run({ runId: 'r3', retry: {} });
    assert.deepEqual([retried.suspended_files, Object.keys(retried.tables)], [[], ['shop_silver.second']]);
    for (const table of ['first', 'second']) assert.equal((await lake.rows(`shop_silver.${table}`, IDS)).length, 2);
    assert.equal((await lake.answer()).kind, 'nothing');
  });
});

test('deaths that no file is to blame for end the run with the settings to raise', async () => {
  await withLake(PLAIN, async ({ deps }) => {
    const keyOfMark = (attempt: number): string => `ops/shop/_runs/r/level-0/attempts/gold-${attempt}`;
    const die = (): Promise<never> => {
      throw new Error('dead');
    };
    const unable = { ...deps, store: { ...deps.store, remove: async () => {} } };
    for (let death = 0; death < 3; death += 1) {
      await assert.rejects(underMarkOrFail(unable, 'gold.x', keyOfMark, die), /dead/);
    }
    await assert.rejects(
      underMarkOrFail(deps, 'gold.x', keyOfMark, die),
      /gold\.x: a worker has ended 3 times.*--memory/,
    );
  });
});
