import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv, scd2, upsert } from '../../lib/define/index.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const PIPELINE = {
  name: 'shop',
  definition: {
    name: 'shop',
    sources: { orders: csv({ columns: { id: 'bigint', v: 'string' } }) },
    silver: { kept: { from: 'orders', mode: append({ dedupe: { key: 'id' } }) } },
  },
};

function withUnits(lake: TestLake, unitBytes: number): TestLake {
  return lake.reopen((deps) => ({ ...deps, isGone: () => true, settings: { ...deps.settings, unitBytes } }));
}

async function landed(): Promise<TestLake> {
  const lake = await openTestLake(PIPELINE);
  for (let file = 0; file < 6; file += 1) {
    const rows = Array.from({ length: 50 }, (_, i) => `${file * 30 + i},from file ${file}`);
    await lake.land('orders', `${file}.csv`, `id,v\n${rows.join('\n')}\n`);
  }
  return lake;
}

/** A process that ends once it has written the units of a level, before the plan that names them. */
function diesAtLevelPlan(deps: StepDeps): StepDeps {
  let dead = false;
  const alive = <T>(act: () => Promise<T>): Promise<T> => (dead ? Promise.reject(new Error('dead')) : act());
  const { store } = deps;
  return {
    ...deps,
    store: {
      ...store,
      write: (key, bytes, condition) => {
        dead ||= key.endsWith('level-0/plan.json');
        return alive(() => store.write(key, bytes, condition));
      },
      remove: (key) => alive(() => store.remove(key)),
    },
  };
}

async function unitsOf(lake: TestLake): Promise<readonly string[]> {
  const units: string[] = [];
  for await (const { key } of lake.store.list('ops/shop/_runs/r/level-0/units/silver.kept')) units.push(key);
  return units;
}

test('with little memory files are staged in more units, and the rows are the same', async () => {
  const [roomy, short] = [await landed(), await landed()];
  try {
    await withUnits(roomy, 1e9).run({ runId: 'r' });
    await withUnits(short, 2_000).run({ runId: 'r' });
    assert.equal((await unitsOf(roomy)).length, 1);
    assert.ok((await unitsOf(short)).length > 1);
    const rows = await roomy.rows('shop_silver.kept');
    assert.equal(rows.length, 200);
    assert.deepEqual(await short.rows('shop_silver.kept'), rows);
  } finally {
    roomy.close();
    short.close();
  }
});

test('a run keeps the units that it was planned with, wherever it is gone on with', async () => {
  const lake = await landed();
  try {
    const dying = withUnits(lake, 2_000).reopen(diesAtLevelPlan);
    await dying.answer({ runId: 'r' }).catch(() => undefined);
    const planned = await unitsOf(lake);
    assert.ok(planned.length > 1);
    const result = await withUnits(lake, 1e9).run({ runId: 'r' });
    assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
    assert.deepEqual(await unitsOf(lake), planned);
    assert.equal((await lake.rows('shop_silver.kept')).length, 200);
  } finally {
    lake.close();
  }
});

const KEYED = {
  name: 'shop',
  definition: {
    name: 'shop',
    sources: { items: csv({ columns: { id: 'bigint', seq: 'bigint', v: 'string' } }) },
    silver: {
      latest: { from: 'items', mode: upsert({ key: 'id', sequence: 'seq', buckets: 4 }) },
      whole: { from: 'items', mode: scd2({ key: ['id', 'v'], sequence: 'seq', buckets: 4, missing: 'delete' }) },
    },
  },
};

/** Stages each table's events as an earlier release did, by turns: with the bucket beside each event, and no field ids. */
function stagesAsBefore(deps: StepDeps, staged: Map<string, number>, isOld: (nth: number) => boolean): StepDeps {
  return {
    ...deps,
    engine: {
      open: async (options) => {
        const session = await deps.engine.open(options);
        const copy: typeof session.copy = async (statement) => {
          if (!/ events$/.test(statement.name)) return session.copy(statement);
          const nth = staged.get(statement.name) ?? 0;
          staged.set(statement.name, nth + 1);
          if (!isOld(nth)) return session.copy(statement);
          const text = statement.text
            .replaceAll('"__p0"', '"__bucket"')
            .replace('HIVE_FILE_PATTERN false', 'WRITE_PARTITION_COLUMNS')
            .replace(/FIELD_IDS \{.*?\}, /s, '');
          return session.copy({ name: statement.name, text: userSql(text) });
        };
        return { ...session, copy };
      },
    },
  };
}

test('a run of which an earlier release staged some units ends as if one release had staged all of them', async () => {
  for (const old of [0, 1]) {
    const lake = await openTestLake(KEYED);
    const staged = new Map<string, number>();
    const mixed = withUnits(
      lake.reopen((deps) => stagesAsBefore(deps, staged, (nth) => nth % 2 === old)),
      25_000,
    );
    try {
      for (const [file, ids] of [
        [1, 2, 3],
        [2, 3, 4],
      ].entries()) {
        const rows = ids.map((id) => `${id},${file},${`from ${file} `.repeat(1000)}`);
        await lake.land('items', `${file}.csv`, `id,seq,v\n${rows.join('\n')}\n`);
      }
      const result = await mixed.run({ runId: 'r' });
      assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
      assert.deepEqual([...staged.values()], [2, 2]);
      const latest = await lake.rows('shop_silver.latest', 'SELECT id, seq, v[1:6] AS v FROM t ORDER BY id');
      assert.deepEqual(
        latest,
        [1, 2, 3, 4].map((id) => ({ id, seq: id === 1 ? 0 : 1, v: `from ${id === 1 ? 0 : 1}` })),
      );
      const open = 'SELECT id, seq, valid_to FROM t ORDER BY seq, id';
      // The later extract lacks all keys of the earlier one.
      assert.deepEqual(await lake.rows('shop_silver.whole', open), [
        ...[1, 2, 3].map((id) => ({ id, seq: 0, valid_to: 1 })),
        ...[2, 3, 4].map((id) => ({ id, seq: 1, valid_to: null })),
      ]);
    } finally {
      lake.close();
    }
  }
});
