import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EngineError } from '../../lib/core/errors.ts';
import { append, csv, full, upsert } from '../../lib/define/index.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import type { Engine, Session } from '../../lib/ports.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const COLUMNS = { id: 'bigint', v: 'string', n: 'int' } as const;

/** Units of one file each, in one call and in maps. */
function shop(unitBytes: number): TestPipeline {
  return {
    name: 'shop',
    definition: {
      name: 'shop',
      settings: { unitBytes },
      sources: { orders: csv({ columns: COLUMNS }), people: csv({ columns: COLUMNS }) },
      silver: {
        kept: {
          from: 'orders',
          mode: append(),
          expect: { fits: { condition: 'n * 1000000 + n > 0', policy: 'drop' } },
        },
        latest: { from: 'orders', mode: upsert({ key: 'id', sequence: 'v', buckets: 4 }) },
        whole: { from: 'people', mode: full() },
      },
      gold: {
        sums: {
          sql: 'sums.sql',
          expect: { small: { condition: 'third * 5000000000000000000 + third >= 0', policy: 'warn' } },
        },
        names: { sql: 'names.sql' },
      },
    },
    sql: {
      'sums.sql': 'SELECT id % 3 AS third, sum(n) AS n FROM silver.kept GROUP BY ALL',
      'names.sql': 'SELECT v, count(*) AS n FROM silver.latest GROUP BY ALL',
    },
  };
}

/** With a row that overflows, one that does not fit, and a file that is none. */
async function landAll(lake: TestLake): Promise<void> {
  for (let file = 0; file < 3; file += 1) {
    const rows = Array.from({ length: 6 }, (_, i) => `${file * 3 + i},v${i % 3},${file === 2 && i === 5 ? 5000 : i}`);
    await lake.land('orders', `o${file}.csv`, `id,v,n\n${rows.join('\n')}\n${file === 1 ? 'x,y,z\n' : ''}`);
  }
  await lake.land('orders', 'odd.csv', 'nothing\n1\n');
  await lake.land('people', 'p.csv', 'id,v,n\n1,a,1\n2,b,2\n');
}

const TABLES = ['shop_silver.kept', 'shop_silver.latest', 'shop_silver.whole', 'shop_gold.sums', 'shop_gold.names'];

async function outcomeOf(lake: TestLake) {
  const result = await lake.run();
  const tables = await Promise.all(TABLES.map((table) => lake.rows(table, 'SELECT * FROM t ORDER BY ALL')));
  const rejected = await lake.rows('shop_ops.quarantine', 'SELECT source, line, raw, codes FROM t ORDER BY ALL');
  const files = await lake.rows('shop_ops.files', 'SELECT key, status, records, code FROM t ORDER BY ALL');
  const { status, error, accounting, warnings } = result;
  return { status, error, accounting, warnings, tables, rejected, files };
}

async function inLake<T>(unitBytes: number, change: (deps: StepDeps) => StepDeps, use: (lake: TestLake) => Promise<T>) {
  const lake = await openTestLake(shop(unitBytes));
  try {
    await landAll(lake);
    return await use(lake.reopen(change));
  } finally {
    lake.close();
  }
}

/**
 * Tells how many sessions are open at once. `short`: every third statement fails while there are more than the two that one step may have, as for
 * a look at whether the machine holds.
 */
function watched(
  engine: Engine,
  short: boolean,
): { readonly engine: Engine; readonly most: () => number; readonly failed: () => number } {
  let [open, most, asked, failed] = [0, 0, 0, 0];
  const busy = async <T>(act: () => Promise<T>): Promise<T> => {
    asked += 1;
    if (short && open > 2 && asked % 3 === 0) {
      failed += 1;
      throw new EngineError('q: Out of Memory Error: taken by another');
    }
    return act();
  };
  const watch = (session: Session): Session => ({
    ...session,
    run: (statement) => busy(() => session.run(statement)),
    rows: (statement) => busy(() => session.rows(statement)),
    copy: (statement) => busy(() => session.copy(statement)),
    async [Symbol.asyncDispose]() {
      open -= 1;
      await session[Symbol.asyncDispose]();
    },
  });
  return {
    most: () => most,
    failed: () => failed,
    engine: {
      async open(options) {
        const session = await engine.open(options);
        open += 1;
        most = Math.max(most, open);
        return watch(session);
      },
    },
  };
}

describe('units at once in one process', () => {
  for (const [where, unitBytes, short] of [
    ['within one call', 64e6, false],
    ['in maps, where they take memory from each other', 110, true],
  ] as const) {
    test(`${where}: tables, accounts, quarantine and rejections are those of one at a time`, async () => {
      const expected = await inLake(unitBytes, (deps) => deps, outcomeOf);
      // What units have to look into: a row of which the condition raises, one that does not fit, a file that is none.
      const { rejected, files, warnings } = expected;
      // What a step of no units asks raises, too.
      assert.ok(
        warnings.some((one) => one.includes('gold.sums: expectation small does not hold')),
        String(warnings),
      );
      assert.deepEqual(
        rejected.map(({ codes }) => String(codes)).filter((codes) => codes !== 'FITS'),
        ['TYPE_ERROR,TYPE_ERROR'],
      );
      assert.equal(rejected.filter(({ raw }) => String(raw).includes('5000')).length, 1);
      assert.equal(files.filter(({ code }) => code === 'SCHEMA_ERROR').length, 1);
      let [most, failed] = [(): number => 0, (): number => 0];
      const together = await inLake(
        unitBytes,
        (deps) => {
          const seen = watched(deps.engine, short);
          most = seen.most;
          failed = seen.failed;
          return { ...deps, engine: seen.engine, settings: { ...deps.settings, unitsAtOnce: 3 } };
        },
        outcomeOf,
      );
      assert.deepEqual(together, expected);
      assert.ok(most() > 1, `${most()} sessions at once`);
      assert.equal(failed() > 0, short, `${failed()} statements failed`);
    });
  }
});
