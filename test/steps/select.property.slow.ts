import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { append, csv, definePipeline, month, scd2, seed, upsert } from '../../lib/define/index.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

/** Lives of a lake; SELECT_CASES more or fewer of them. */
const CASES = Number(process.env['SELECT_CASES'] ?? 3);
const SEED = Number(process.env['SELECT_SEED'] ?? Date.now() % 2 ** 31);

/**
 * Modes whose tables are a function of the files, in the order of their names, and not of which came together in a run; a
 * join finds what it looks for as soon as that has landed, and its values never change.
 */
const PIPELINE = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: {
      people: csv({ columns: { id: 'bigint', name: 'string' } }),
      sales: csv({
        columns: { id: 'bigint', person: 'bigint', day: 'date', code: 'string', amount: { type: 'int', min: 0 } },
      }),
      prices: csv({ columns: { item: 'bigint', at: 'int', price: 'int' } }),
      codes: seed('codes.csv', { columns: { code: 'string', title: 'string' } }),
    },
    silver: {
      people: { from: 'people', mode: append({ dedupe: { key: 'id' } }), tags: ['dimension'] },
      sales: { from: 'sales', sql: 'sales.sql', mode: append({ dedupe: { key: 'id' } }), partitionBy: [month('day')] },
      sales_twin: {
        from: 'sales',
        mode: append(),
        expect: { even: { condition: 'id % 2 = 0', policy: 'drop' } },
        tags: ['twin'],
      },
      prices: { from: 'prices', mode: scd2({ key: 'item', sequence: 'at', buckets: 2 }) },
      latest: { from: 'prices', mode: upsert({ key: 'item', sequence: 'at', buckets: 2 }), tags: ['twin'] },
    },
    gold: {
      months: { sql: 'months.sql', partitionBy: [month('day')], refresh: 'touched', tags: ['slow'] },
      best: { sql: 'best.sql', tags: ['slow'] },
      versions: { sql: 'versions.sql' },
    },
  } as Parameters<typeof definePipeline>[0]),
  sql: {
    'sales.sql':
      'SELECT s.*, p.name, c.title FROM batch.sales s LEFT JOIN silver.people p ON p.id = s.person LEFT JOIN silver.codes c ON c.code = s.code',
    'months.sql': 'SELECT day, name, title, sum(amount) AS amount FROM silver.sales GROUP BY ALL',
    'best.sql': 'SELECT name, max(amount) AS amount FROM gold.months GROUP BY name',
    'versions.sql':
      'SELECT p.item, count(*) AS n, any_value(l.price) AS price FROM silver.prices p LEFT JOIN silver.latest l ON l.item = p.item GROUP BY p.item',
    'codes.csv': 'code,title\na,Apple\nb,Bread\n',
  },
};

const names = ['people', 'sales', 'sales_twin', 'prices', 'latest', 'codes', 'months', 'best', 'versions'];
const selector = fc.oneof(
  fc
    .tuple(fc.constantFrom('', '+'), fc.constantFrom(...names), fc.constantFrom('', '+'))
    .map((parts) => parts.join('')),
  fc.constantFrom('tag:slow', 'tag:twin+', '+tag:slow', 'source:sales', 'state:modified', 'state:new', 'gold.*'),
);
const request = fc.oneof(
  fc.record({ select: fc.array(selector, { minLength: 1, maxLength: 2 }) }),
  fc.record({
    exclude: fc.array(fc.constantFrom('tag:slow', 'tag:dimension+', 'source:prices', 'gold.*', 'sales sales_twin'), {
      minLength: 1,
      maxLength: 1,
    }),
  }),
);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ land: fc.constantFrom('people', 'sales', 'prices'), rows: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 2, arbitrary: fc.record({ run: request }) },
);

const TABLES = [
  'shop_silver.people',
  'shop_silver.sales',
  'shop_silver.sales_twin',
  'shop_silver.prices',
  'shop_silver.latest',
  'shop_silver.codes',
  'shop_gold.months',
  'shop_gold.best',
  'shop_gold.versions',
];
/** By table. Whether a row that comes again is condemned depends on whether it came in another run. */
const BOOKS = {
  'shop_ops.files': 'SELECT source, key, status, records FROM own ORDER BY ALL',
  'shop_ops.accounting':
    'SELECT source, sum(read) AS read, sum(accepted) AS accepted, sum(quarantined + condemned) AS rejected, sum(duplicates) AS duplicates FROM own GROUP BY source ORDER BY ALL',
  'shop_ops.quarantine': 'SELECT source_file, line FROM own ORDER BY ALL',
};
const SOURCES = { people: ['people'], sales: ['sales', 'sales_twin'], prices: ['prices', 'latest'], codes: ['codes'] };

/** What a book says of one table: its own rows, and those of all tables of its source. */
function ofTable(select: string, source: string, table: string): string {
  return `WITH own AS (FROM t WHERE source = '${source}' AND (table_name IS NULL OR table_name = 'shop_silver.${table}')) ${select}`;
}

test(`selected runs and one full run come to what full runs alone come to (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
      const [some, all] = [await openTestLake(PIPELINE), await openTestLake(PIPELINE)];
      try {
        for (const [n, one] of steps.entries()) {
          if ('land' in one) for (const lake of [some, all]) await land(lake, n, one.land, one.rows);
          else {
            await runIfAny(some, one.run);
            await runIfAny(all, {});
          }
        }
        for (const lake of [some, all]) await runIfAny(lake, {});
        assert.equal((await some.answer()).kind, 'nothing');
        assert.deepEqual(await contents(some), await contents(all));
      } finally {
        some.close();
        all.close();
      }
    }),
    { numRuns: CASES, seed: SEED, endOnFailure: true },
  );
});

/** Sales are of people who have landed before them; some rows are repeated, some rejected. */
async function land(lake: TestLake, n: number, source: 'people' | 'sales' | 'prices', rows: number): Promise<void> {
  const file = `${String(n).padStart(3, '0')}.csv`;
  const each = Array.from({ length: rows }, (_, i) => n * 3 + i);
  switch (source) {
    case 'people':
      return lake.land('people', file, `id,name\n${each.map((id) => `${id % 7},name ${id % 7}\n`).join('')}`);
    case 'sales': {
      await lake.land(
        'people',
        file.replace('.csv', '-first.csv'),
        `id,name\n${each.map((id) => `${id % 7},name ${id % 7}\n`).join('')}`,
      );
      const row = (id: number): string =>
        `${id},${id % 7},2026-0${1 + (id % 3)}-01,${id % 2 === 0 ? 'a' : 'x'},${id % 5 === 4 ? -id : id}\n`;
      return lake.land('sales', file, `id,person,day,code,amount\n${each.map(row).join('')}`);
    }
    case 'prices':
      return lake.land(
        'prices',
        file,
        `item,at,price\n${each.map((at) => `${at % 3},${(at * 7) % 20},${at}\n`).join('')}`,
      );
  }
}

async function runIfAny(lake: TestLake, how: Parameters<TestLake['answer']>[0]): Promise<void> {
  const answer = await lake.answer(how);
  // What cannot be left out is refused, and nothing is done.
  if (answer.kind === 'nothing' || (answer.kind === 'ended' && answer.refused && how?.exclude !== undefined)) return;
  assert.equal(answer.kind === 'ended' && answer.result.status, 'SUCCEEDED', JSON.stringify(answer));
}

async function contents(lake: TestLake): Promise<unknown> {
  const found: Record<string, unknown> = {};
  // Where nothing has landed for it there is no table, or one without rows.
  const rowsOf = async (name: string, select?: string): Promise<unknown> =>
    (await lake.metadata(name)) === undefined ? [] : lake.rows(name, select);
  for (const name of TABLES) found[name] = await rowsOf(name);
  for (const [book, select] of Object.entries(BOOKS)) {
    for (const [source, tables] of Object.entries(SOURCES)) {
      for (const table of tables) found[`${book} of ${table}`] = await rowsOf(book, ofTable(select, source, table));
    }
  }
  return found;
}
