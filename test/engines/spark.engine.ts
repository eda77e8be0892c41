import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunResult } from '../../lib/core/run.ts';
import type { Progress } from '../../lib/core/sql-engine.ts';
import type { Sql } from '../../lib/core/sql-text.ts';
import { parseTableName } from '../../lib/core/tables.ts';
import { generateRetail, parseRetailOptions } from '../../lib/generate/retail.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import type { StepDeps, TableEngine } from '../../lib/lake/deps.ts';
import { placeMetadata, plainTable } from '../../lib/lake/engines/staging.ts';
import { openTable, visibleColumns } from '../../lib/lake/tables/table-state.ts';
import type { Row } from '../../lib/ports.ts';
import { type LocalLake, openLocalLake, runPipeline } from '../../lib/runtime/local.ts';
import { vacuumTables } from '../../lib/runtime/maintain.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { loadTable } from '../../lib/table/read.ts';
import { sparkHere } from './spark-session.ts';

/** Spark on this machine, which stands for EMR Serverless, computes gold models of lakes in folders. */

const ROOT = join(import.meta.dirname, '..', '..');
const LIB = join(ROOT, 'lib', 'define', 'index.ts');

let home: string;
let lake: LocalLake;
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'strata-spark-'));
  process.env['STRATA_SPARK'] = await sparkHere();
  const [root, pipelines] = [join(home, 'lake'), join(home, 'pipelines')];
  mkdirSync(pipelines);
  lake = await openLocalLake({ root, pipelines, log: silent, memoryBytes: 500e6, threads: 2 });
  await lake.make();
  mkdirSync(lake.deps.settings.scratch, { recursive: true });
});
after(() => rm(home, { recursive: true, force: true }));

const silent = { info: () => {}, warn: () => {} };

async function run(pipeline: string, more: Partial<StepDeps> = {}, runId?: string): Promise<RunResult> {
  const deps = { ...lake.deps, ...more };
  const answer = await runPipeline(deps, { pipeline, retryIntervalMs: 10, ...(runId === undefined ? {} : { runId }) });
  assert.equal(answer.kind, 'ended', JSON.stringify(answer));
  return answer.kind === 'ended' ? answer.result : assert.fail();
}

async function succeed(...asked: Parameters<typeof run>): Promise<RunResult> {
  const result = await run(...asked);
  assert.equal(result.status, 'SUCCEEDED', result.error?.message);
  return result;
}

/** Rows of a query over tables by their full names. */
async function rowsOf(tables: readonly string[], query: string): Promise<readonly Row[]> {
  const { deps } = lake;
  await using session = await deps.engine.open({ ...deps.settings, folders: undefined });
  await using stack = new AsyncDisposableStack();
  for (const schema of ['silver', 'gold'])
    await session.run({ name: 'schema', text: userSql(`CREATE SCHEMA ${schema}`) });
  for (const name of tables) {
    const id = parseTableName(name);
    const entry = await loadTable(deps.catalog, id);
    assert.ok(entry, name);
    const view = { schema: id.layer, table: id.name };
    stack.use(await openTable(deps.store, session, view, entry.metadata, visibleColumns(entry.metadata)));
  }
  return await session.rows({ name: 'query', text: userSql(query) });
}

/** Makes a pipeline of the repository whose gold models have texts for Spark beside their own, in test/engines/spark/<pipeline>. */
function withTexts(pipeline: string): void {
  const folder = join(lake.pipelines, pipeline);
  cpSync(join(ROOT, 'pipelines', pipeline), folder, { recursive: true });
  cpSync(join(import.meta.dirname, 'spark', pipeline), join(folder, 'spark'), { recursive: true });
  const definition = readFileSync(join(folder, 'pipeline.ts'), 'utf8').replaceAll(
    /'(@strata-lake\/strata|[./]*lib\/define\/index\.ts)'/g,
    `'${LIB}'`,
  );
  writeFileSync(join(folder, 'own.ts'), definition);
  writeFileSync(
    join(folder, 'pipeline.ts'),
    `import own from './own.ts';
const gold = Object.entries(own.gold).map(([name, model]) => [name, { ...model, engine: 'spark', sql: { duckdb: model.sql, spark: \`spark/\${name}.sql\` } }]);
export default { ...own, gold: Object.fromEntries(gold) };
`,
  );
}

type Shop = {
  readonly columns: string;
  readonly duckdb: string;
  readonly spark: string;
  readonly options?: string;
  readonly rows: readonly string[];
};

/** Makes a pipeline with one source, one silver table `orders` and one gold model `out`, and lands a file for it. */
function writeShop(name: string, { columns, duckdb, spark, options = '', rows }: Shop): void {
  const folder = join(lake.pipelines, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'out.sql'), duckdb);
  writeFileSync(join(folder, 'out.spark.sql'), spark);
  writeFileSync(
    join(folder, 'pipeline.ts'),
    `import { append, csv, definePipeline, identity, month } from '${LIB}';
export default definePipeline({
  name: '${name}',
  sources: { rows: csv({ columns: { ${columns} } }) },
  silver: { orders: { from: 'rows', mode: append() } },
  gold: { out: { engine: 'spark', sql: { duckdb: 'out.sql', spark: 'out.spark.sql' }, ${options} } },
});
`,
  );
  land(name, 'a.csv', rows);
}

function land(pipeline: string, file: string, rows: readonly string[]): void {
  const folder = join(lake.root, 'bronze', pipeline, 'rows');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), `${rows.join('\n')}\n`);
}

function days(count: number): readonly string[] {
  const day = (n: number): string => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10);
  return ['id,amount,day', ...Array.from({ length: count }, (_, n) => `${n},${n}.25,${day(n)}`)];
}

const DAYS = {
  columns: "id: 'int', amount: 'decimal(9,2)', day: 'date'",
  duckdb: 'SELECT day, count(*) AS n, sum(amount)::DECIMAL(18,2) AS total FROM silver.orders GROUP BY day',
  spark: 'SELECT day, count(*) AS n, CAST(sum(amount) AS decimal(18,2)) AS total FROM silver.orders GROUP BY day',
  rows: days(3),
};

/** Whether the gold model has the rows of its DuckDB text. */
async function assertEqualRows(pipeline: string, { duckdb }: Pick<Shop, 'duckdb'>): Promise<void> {
  const tables = [`${pipeline}_silver.orders`, `${pipeline}_gold.out`];
  const columns = (await rowsOf(tables, `DESCRIBE (${duckdb})`)).map(({ column_name: name }) => `"${name}"`);
  const got = await rowsOf(tables, `SELECT ${columns} FROM gold.out ORDER BY ALL`);
  assert.ok(got.length > 0);
  assert.deepEqual(got, await rowsOf(tables, `SELECT * FROM (${duckdb}) ORDER BY ALL`));
}

describe('gold models by Spark', { concurrency: false }, () => {
  test('all of the retail sample have the rows that DuckDB makes of their own texts', async () => {
    withTexts('retail');
    {
      await using session = await lake.deps.engine.open({ ...lake.deps.settings, folders: undefined });
      const out = join(lake.root, 'bronze', 'retail');
      await generateRetail(
        parseRetailOptions({ out, transactions: 5000, customers: 200, products: 40, files: 2 }),
        session,
      );
    }
    await succeed('retail');
    const spec = await lake.deps.specs('retail');
    const tables = spec.models.map(({ layer, name }) => `retail_${layer}.${name}`);
    for (const model of spec.models) {
      if (model.layer !== 'gold') continue;
      const own = model.implementations?.texts.find(({ name }) => name === 'duckdb')?.sql ?? '';
      const got = await rowsOf(tables, `SELECT * FROM gold.${model.name} ORDER BY ALL`);
      assert.ok(got.length > 0, model.id);
      assert.deepEqual(got, await rowsOf(tables, `SELECT * FROM (${own}\n) ORDER BY ALL`), model.id);
    }
  });

  test('101 partitions by one statement, an answer that comes late, and a session that is killed', async () => {
    const shop = { ...DAYS, options: "partitionBy: [identity('day')]", rows: days(101) };
    writeShop('shop', shop);
    const begun: string[] = [];
    const sqlEngine = (more: Partial<TableEngine>): Partial<StepDeps> => {
      const engine = lake.deps.sqlEngine?.('spark') ?? assert.fail();
      const start: TableEngine['start'] = async (...asked) => {
        begun.push(asked[0]);
        return engine.start(...asked);
      };
      return { sqlEngine: () => ({ ...engine, start, ...more }) };
    };
    let looks = 0;
    const remainingMs = (): number => {
      looks += 1;
      return looks < 4 ? 0 : 600_000;
    };
    const late = await succeed('shop', { remainingMs, ...sqlEngine({}) }, 'late');
    const { rows_added, files_added } = late.tables['shop_gold.out'] ?? {};
    assert.deepEqual([rows_added, files_added, begun.length], [101, 101, 1]);
    assert.match(begun[0] ?? '', /^INSERT INTO `strata`.`shown`.`out__strata_\w+_out` .* VERSION AS OF \d+ /s);
    await assertEqualRows('shop', shop);

    land('shop', 'b.csv', days(3));
    const engine = lake.deps.sqlEngine?.('spark') ?? assert.fail();
    let killed = 0;
    const look: TableEngine['look'] = async (id) => {
      const progress = await engine.look(id);
      if (progress.kind !== 'working' || killed > 0) return progress;
      killed += 1;
      await engine.cancel(id);
      return progress;
    };
    await succeed('shop', sqlEngine({ look }), 'killed');
    assert.deepEqual([killed, begun.length], [1, 3]);
    await assertEqualRows('shop', shop);
    assert.deepEqual(await engine.names(''), []);

    const left = await keysOf('gold/shop/out/staged/killed/');
    assert.deepEqual(
      [left.length, left.filter((key) => !/gold\.out-00000-2\/data\/.*\.parquet$/.test(key))],
      [101, []],
    );
  });

  test('one token begins one statement, and what is left of one is found by its age', async () => {
    const { store } = lake.deps;
    const engine = lake.deps.sqlEngine?.('spark') ?? assert.fail();
    const folder = 'gold/shop/out/staged/gone/0123456789abcdef/gold.out-00000-1/';
    const table = plainTable([{ name: 'x', type: { kind: 'bigint' } }], store.location(folder.slice(0, -1)), UUID, 0);
    await engine.show(await placeMetadata(store, folder, 'out__strata_1', table));
    const insert = userSql('INSERT INTO strata.shown.out__strata_1 SELECT 1L');
    const key = 'ops/shop/_runs/gone/1.json';
    for (const _ of [1, 2]) assert.deepEqual(await ended(insert, key), { kind: 'done' });
    // A session that ended has begun this one.
    await store.write('ops/shop/_runs/gone/2.json.begun', new Uint8Array(), { kind: 'absent' });
    assert.deepEqual(await ended(insert, 'ops/shop/_runs/gone/2.json'), {
      kind: 'failed',
      reason: 'it was begun before, by a session that did not end it',
    });
    const found = await store.read(store.key((await engine.shown('out__strata_1')) ?? ''));
    assert.deepEqual(
      parseMetadata(found.bytes).snapshots.map(({ summary }) => summary.operation),
      ['append'],
    );
    await engine.hide(['out__strata_1']);
    const orphans = await keysOf(folder);
    assert.equal(orphans.length, 5, orphans.join());
    const before = await keysOf('gold/shop/out/');
    const { tables } = await vacuumTables(lake.deps, {
      target: 'shop_gold.out',
      olderThanMs: 0,
      forceRetention: true,
      runId: 'vacuum',
    });
    assert.equal(tables[0]?.files, orphans.length, JSON.stringify(tables));
    assert.deepEqual(
      await keysOf('gold/shop/out/'),
      before.filter((key) => !orphans.includes(key)),
    );
    await assertEqualRows('shop', DAYS);
  });

  test('have values of every type, in the months of UTC, and take the place of what lay there', async () => {
    const types = {
      columns:
        "t: 'timestamptz', at: 'timestamp', i: 'int', big: 'bigint', small: 'decimal(5,2)', large: 'decimal(38,4)', d: 'double', f: 'float', ok: 'boolean', day: 'date', name: 'string'",
      duckdb: 'SELECT * EXCLUDE (name), name AS "a name", encode(name) AS raw FROM silver.orders',
      spark: "SELECT *, name AS `a name`, encode(name, 'utf-8') AS raw FROM silver.orders",
      options: "partitionBy: [month('t')], refresh: 'touched'",
      rows: [
        't,at,i,big,small,large,d,f,ok,day,name',
        // In Tokyo the year has begun.
        '2025-12-31 20:00:00.123456+00,2025-12-31 20:00:00.123456,-1,9007199254740993,-0.01,1234567890123456789012345678901234.5678,0.1,0.5,true,1969-12-31,é',
        '2026-01-10 00:00:00+00,,,,,,,,,,',
      ],
    };
    writeShop('types', types);
    await succeed('types');
    await assertEqualRows('types', types);
    land('types', 'b.csv', [types.rows[0] ?? '', '2025-12-31 23:59:59+00,,,,,,nan,,,,""']);
    await succeed('types');
    await assertEqualRows('types', types);
  });

  test('read a table without the rows that another engine has deleted', async () => {
    writeShop('deleted', DAYS);
    await succeed('deleted');
    await deleteBySpark('deleted', 'id = 1');
    land('deleted', 'b.csv', [...days(1), '7,1.00,2026-03-01']);
    await succeed('deleted');
    assert.deepEqual(
      await rowsOf(['deleted_gold.out'], 'SELECT day::VARCHAR AS day, n::INT AS n FROM gold.out ORDER BY ALL'),
      [
        { day: '2026-01-01', n: 2 },
        { day: '2026-01-03', n: 1 },
        { day: '2026-03-01', n: 1 },
      ],
    );
  });

  test('are not published where a text is refused, gives another type or breaks an expectation', async () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      [
        DAYS.spark.replace('CAST(sum(amount) AS decimal(18,2))', 'no_such(amount)'),
        /gold\.out: Spark \(.*\) refuses its text: got \[UNRESOLVED_ROUTINE\] Cannot resolve function `no_such`/,
      ],
      ['SELECT day, count(*) AS n FROM silver.orders WHERE', /got \[PARSE_SYNTAX_ERROR\]/],
      [
        DAYS.spark.replace('CAST(sum(amount) AS decimal(18,2))', 'sum(amount)'),
        /column total: got decimal\(19,2\); expected decimal\(18,2\)/,
      ],
      [DAYS.spark.replace('count(*)', "CAST('x' AS bigint)"), /got \[CAST_INVALID_INPUT\] The value 'x'/],
      [`${DAYS.spark} UNION ALL SELECT NULL, 0L, 1.00BD`, /expectation|more_than_none/],
    ];
    for (const [nth, [spark, message]] of wrong.entries()) {
      writeShop(`wrong_${nth}`, { ...DAYS, spark, options: "expect: { more_than_none: 'n > 0' }" });
      const { status, error, tables } = await run(`wrong_${nth}`);
      assert.equal(status, 'FAILED', spark);
      assert.match(error?.message ?? '', message);
      const table = await loadTable(lake.deps.catalog, parseTableName(`wrong_${nth}_gold.out`));
      assert.deepEqual([tables, table], [{}, undefined]);
      assert.deepEqual(await keysOf(`gold/wrong_${nth}/out/staged/`), []);
    }
  });
});

async function keysOf(prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of lake.deps.store.list(prefix)) keys.push(key);
  return keys;
}

const UUID = '00000000-0000-4000-8000-000000000001';

async function ended(statement: Sql, key: string): Promise<Progress> {
  const engine = lake.deps.sqlEngine?.('spark') ?? assert.fail();
  const id = await engine.start(statement, 'strata-token-of-this-test', key);
  for (;;) {
    const progress = await engine.look(id);
    if (progress.kind !== 'working') return progress;
    await sleep(50);
  }
}

/** Has Spark delete rows of a silver table by a file of deletes, as another engine that shares the lake does. */
async function deleteBySpark(pipeline: string, where: string): Promise<void> {
  const { store, catalog } = lake.deps;
  const engine = lake.deps.sqlEngine?.('spark') ?? assert.fail();
  const id = parseTableName(`${pipeline}_silver.orders`);
  const entry = (await loadTable(catalog, id)) ?? assert.fail();
  const folder = `${store.key(entry.metadata.location)}/`;
  const shared = {
    ...entry.metadata,
    properties: { ...entry.metadata.properties, 'write.delete.mode': 'merge-on-read' },
  };
  const encoded = new TextEncoder().encode(renderMetadata(shared));
  await store.write(`${folder}metadata/00000-shared.metadata.json`, encoded, { kind: 'absent' });
  await engine.show({ name: 'shared', metadata: shared, metadataLocation: entry.metadataLocation });
  const statement = userSql(`DELETE FROM strata.shown.shared WHERE ${where}`);
  assert.deepEqual(await ended(statement, `ops/${pipeline}/_runs/shared/1.json`), { kind: 'done' });
  const written = (await engine.shown('shared')) ?? assert.fail();
  const next = /v(\d+)\.metadata\.json$/.exec(entry.metadataLocation)?.[1];
  const { bytes } = await store.read(store.key(written));
  await store.write(`${folder}metadata/v${Number(next) + 1}.metadata.json`, bytes, { kind: 'absent' });
  for (const key of [`${folder}metadata/00000-shared.metadata.json`, store.key(written)]) await store.remove(key);
  await engine.hide(['shared']);
  const found = await loadTable(catalog, id);
  assert.equal(found?.metadata.snapshots.at(-1)?.summary['added-delete-files'], '1');
}
