import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTrinoEngine, parseTrino } from '../../lib/adapters/engines/trino.ts';
import type { RunResult } from '../../lib/core/run.ts';
import { parseTableName } from '../../lib/core/tables.ts';
import { generateRetail, parseRetailOptions } from '../../lib/generate/retail.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { placeMetadata, plainTable } from '../../lib/lake/engines/staging.ts';
import { openTable, visibleColumns } from '../../lib/lake/tables/table-state.ts';
import type { Row } from '../../lib/ports.ts';
import { type LocalLake, openLocalLake, runPipeline } from '../../lib/runtime/local.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { loadTable } from '../../lib/table/read.ts';
import { startTrino, type Trino } from './trino-server.ts';

/** Trino, in whose words Athena takes its texts, computes gold models of lakes in folders. */

const ROOT = join(import.meta.dirname, '..', '..');
const LIB = join(ROOT, 'lib', 'define', 'index.ts');

let home: string;
let trino: Trino;
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'strata-engines-'));
  trino = await startTrino(join(home, 'trino'));
  process.env['STRATA_TRINO'] = trino.url;
});
after(async () => {
  await trino?.[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

const silent = { info: () => {}, warn: () => {} };

function openLake(name: string, pipelines: string): Promise<LocalLake> {
  return openLocalLake({ root: join(home, name), pipelines, log: silent, memoryBytes: 500e6, threads: 2 });
}

async function run(
  lake: LocalLake,
  pipeline: string,
  more: Partial<StepDeps> = {},
  runId?: string,
): Promise<RunResult> {
  await lake.make();
  mkdirSync(lake.deps.settings.scratch, { recursive: true });
  const deps = { ...lake.deps, ...more };
  const answer = await runPipeline(deps, { pipeline, retryIntervalMs: 10, ...(runId === undefined ? {} : { runId }) });
  assert.equal(answer.kind, 'ended', JSON.stringify(answer));
  return answer.kind === 'ended' ? answer.result : assert.fail();
}

/** Rows of a query over tables by their full names with `__` for the dot. */
async function rowsOf({ deps }: LocalLake, tables: readonly string[], query: string): Promise<readonly Row[]> {
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

/** A pipeline of the repository whose gold models have texts for Athena beside their own, in test/engines/<pipeline>. */
function withTexts(pipeline: string): string {
  const folder = join(home, 'pipelines', pipeline);
  cpSync(join(ROOT, 'pipelines', pipeline), folder, { recursive: true });
  cpSync(join(import.meta.dirname, pipeline), join(folder, 'athena'), { recursive: true });
  const definition = readFileSync(join(folder, 'pipeline.ts'), 'utf8').replaceAll(
    /'(@strata-lake\/strata|[./]*lib\/define\/index\.ts)'/g,
    `'${LIB}'`,
  );
  writeFileSync(join(folder, 'own.ts'), definition);
  writeFileSync(
    join(folder, 'pipeline.ts'),
    `import own from './own.ts';
const gold = Object.entries(own.gold).map(([name, model]) => [name, { ...model, engine: 'athena', sql: { duckdb: model.sql, athena: \`athena/\${name}.sql\` } }]);
export default { ...own, gold: Object.fromEntries(gold) };
`,
  );
  return join(home, 'pipelines');
}

describe('gold models by Trino', { concurrency: false }, () => {
  test('all of the retail sample have the rows that DuckDB makes of their own texts', async () => {
    const lake = await openLake('retail', withTexts('retail'));
    await lake.make();
    mkdirSync(lake.deps.settings.scratch, { recursive: true });
    {
      await using session = await lake.deps.engine.open({ ...lake.deps.settings, folders: undefined });
      const out = join(lake.root, 'bronze', 'retail');
      await generateRetail(
        parseRetailOptions({ out, transactions: 5000, customers: 200, products: 40, files: 2 }),
        session,
      );
    }
    const result = await run(lake, 'retail');
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    const spec = await lake.deps.specs('retail');
    const tables = spec.models.map(({ layer, name }) => `retail_${layer}.${name}`);
    for (const model of spec.models) {
      if (model.layer !== 'gold') continue;
      const own = model.implementations?.texts.find(({ name }) => name === 'duckdb')?.sql ?? '';
      const got = await rowsOf(lake, tables, `SELECT * FROM gold.${model.name} ORDER BY ALL`);
      assert.ok(got.length > 0, model.id);
      assert.deepEqual(got, await rowsOf(lake, tables, `SELECT * FROM (${own}\n) ORDER BY ALL`), model.id);
    }
  });

  test('101 partitions, one token, an INSERT that is killed, an answer that comes late', async () => {
    const pipelines = writeShop('shop', { days: DAYS }, "partitionBy: [identity('day')]");
    const lake = await openLake('shop', pipelines);
    land(lake, 'a.csv', 101);
    const before = await begun();
    let looks = 0;
    const remainingMs = (): number => {
      looks += 1;
      return looks < 4 ? 0 : 600_000;
    };
    const late = await run(lake, 'shop', { remainingMs }, 'late');
    assert.equal(late.status, 'SUCCEEDED', late.error?.message);
    assert.deepEqual(
      [late.tables['shop_gold.days']?.rows_added, late.tables['shop_gold.days']?.files_added],
      [101, 101],
    );
    const asked = (await begun()).slice(before.length);
    assert.deepEqual(
      asked.map((text) => /^INSERT INTO "iceberg"."strata"."days__strata_\w+_(out|list)"/.exec(text)?.[1]),
      ['list', 'out', 'out'],
    );

    land(lake, 'b.csv', 3);
    const killing = killFirst();
    const killed = await run(lake, 'shop', {}, 'killed');
    assert.match(await killing, /^\d{8}_/);
    assert.equal(killed.status, 'SUCCEEDED', killed.error?.message);
    const expected =
      'SELECT day, count(*) AS n, sum(amount)::DECIMAL(18,2) AS total FROM silver.orders GROUP BY day ORDER BY ALL';
    const tables = ['shop_silver.orders', 'shop_gold.days'];
    assert.deepEqual(
      await rowsOf(lake, tables, 'SELECT * FROM gold.days ORDER BY ALL'),
      await rowsOf(lake, tables, expected),
    );
    assert.deepEqual(
      await trino.rows("SELECT table_name FROM iceberg.information_schema.tables WHERE table_name LIKE '%strata%'"),
      [],
    );
  });

  test('lie in the months of UTC, whatever zone a text has its times in, and take the place of what lay there', async () => {
    const folder = join(home, 'zones', 'shop');
    mkdirSync(folder, { recursive: true });
    const text = (time: string): string => `SELECT ${time} AS t, count(*) AS n FROM silver.orders o GROUP BY 1`;
    writeFileSync(join(folder, 'months.sql'), text('o.t'));
    writeFileSync(join(folder, 'months.athena.sql'), text("at_timezone(o.t, 'Asia/Tokyo')"));
    writeFileSync(
      join(folder, 'pipeline.ts'),
      `import { append, csv, definePipeline, month } from '${LIB}';
export default definePipeline({
  name: 'shop',
  sources: { rows: csv({ columns: { t: 'timestamptz' } }) },
  silver: { orders: { from: 'rows', mode: append() } },
  gold: { months: { engine: 'athena', sql: { duckdb: 'months.sql', athena: 'months.athena.sql' }, partitionBy: [month('t')], refresh: 'touched' } },
});
`,
    );
    const lake = await openLake('zones', join(home, 'zones'));
    const bronze = join(lake.root, 'bronze', 'shop', 'rows');
    mkdirSync(bronze, { recursive: true });
    // In Tokyo the year has begun.
    const late = '2025-12-31 20:00:00+00';
    const tables = ['shop_silver.orders', 'shop_gold.months'];
    for (const [file, rows] of [
      ['a.csv', [late, '2026-01-10 00:00:00+00']],
      ['b.csv', [late]],
    ] as const) {
      writeFileSync(join(bronze, file), `t\n${rows.join('\n')}\n`);
      const { status, error } = await run(lake, 'shop');
      assert.equal(status, 'SUCCEEDED', error?.message);
      assert.deepEqual(
        await rowsOf(lake, tables, 'SELECT t, n FROM gold.months ORDER BY ALL'),
        await rowsOf(lake, tables, 'SELECT t, count(*) AS n FROM silver.orders GROUP BY t ORDER BY ALL'),
      );
    }
  });

  test('are not published where a text is refused, gives another type or breaks an expectation', async () => {
    const texts: readonly (readonly [string, RegExp])[] = [
      [
        'SELECT day, count(*) AS n, no_such(amount) AS total FROM silver.orders GROUP BY day',
        /refuses its text: got line \d+:\d+: Function 'no_such' not registered/,
      ],
      [
        DAYS.replace('CAST(sum(amount) AS decimal(18,2))', 'sum(amount)'),
        /column total: got decimal\(38,2\); expected decimal\(18,2\)/,
      ],
      [
        DAYS.replace('GROUP BY day', 'GROUP BY day UNION ALL SELECT NULL, 0, 1.00'),
        /total: got decimal\(|expectation n > 0|more_than_none/,
      ],
    ];
    for (const [nth, [text, message]] of texts.entries()) {
      const lake = await openLake(
        `wrong-${nth}`,
        writeShop(`wrong-${nth}`, { days: text }, "expect: { more_than_none: 'n > 0' }"),
      );
      land(lake, 'a.csv', 3);
      const { status, error, tables } = await run(lake, 'shop');
      assert.equal(status, 'FAILED', text);
      assert.match(error?.message ?? '', message);
      assert.deepEqual([tables, await loadTable(lake.deps.catalog, parseTableName('shop_gold.days'))], [{}, undefined]);
    }
  });

  test('one token begins one statement, whoever asks, and a table is shown once', async () => {
    const lake = await openLake('tokens', writeShop('tokens', { days: DAYS }, ''));
    await lake.make();
    const [one, other] = [createTrinoEngine(parseTrino(trino.url)), createTrinoEngine(parseTrino(trino.url))];
    const { store } = lake.deps;
    const table = plainTable([{ name: 'x', type: { kind: 'bigint' } }], store.location('gold/shop/t'), UUID, 0);
    const shown = await placeMetadata(store, 'gold/shop/t/', 't__strata_1', table);
    await one.show(shown);
    await other.show(shown);
    const statement = userSql('INSERT INTO "iceberg"."strata"."t__strata_1" SELECT 1');
    const id = await one.start(statement, 'strata-token-of-a-unit-of-this-test');
    assert.equal(await other.start(statement, 'strata-token-of-a-unit-of-this-test'), id);
    while ((await other.look(id)).kind === 'working') await sleep(50);
    assert.deepEqual(await other.look(id), { kind: 'done' });
    assert.deepEqual(await trino.rows('SELECT count(*) FROM iceberg.strata.t__strata_1'), [[1]]);
    assert.match((await other.shown('t__strata_1')) ?? '', /metadata\/0000[1-9]-/);
    await one.hide(['t__strata_1']);
    assert.equal(await other.shown('t__strata_1'), undefined);
  });
});

const UUID = '00000000-0000-4000-8000-000000000001';
const DAYS = 'SELECT day, count(*) AS n, CAST(sum(amount) AS decimal(18,2)) AS total FROM silver.orders GROUP BY day';

function writeShop(name: string, { days }: { readonly days: string }, options: string): string {
  const folder = join(home, name, 'shop');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'days.sql'),
    'SELECT day, count(*) AS n, sum(amount)::DECIMAL(18,2) AS total FROM silver.orders GROUP BY day',
  );
  writeFileSync(join(folder, 'days.athena.sql'), days);
  writeFileSync(
    join(folder, 'pipeline.ts'),
    `import { append, csv, definePipeline, identity } from '${LIB}';
export default definePipeline({
  name: 'shop',
  sources: { rows: csv({ columns: { id: 'int', amount: 'decimal(9,2)', day: 'date' } }) },
  silver: { orders: { from: 'rows', mode: append(), partitionBy: [identity('id')].slice(1) } },
  gold: { days: { engine: 'athena', sql: { duckdb: 'days.sql', athena: 'days.athena.sql' }, ${options} } },
});
`,
  );
  return join(home, name);
}

function land(lake: LocalLake, file: string, days: number): void {
  const folder = join(lake.root, 'bronze', 'shop', 'rows');
  mkdirSync(folder, { recursive: true });
  const rows = Array.from({ length: days }, (_, n) => {
    const day = new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10);
    return `${n},${n}.25,${day}`;
  });
  writeFileSync(join(folder, file), `id,amount,day\n${rows.join('\n')}\n`);
}

/** Kills the first INSERT that begins from now on, and answers its id. */
async function killFirst(): Promise<string> {
  const before = new Set((await inserts()).map(([id]) => id));
  for (let tries = 0; tries < 3000; tries += 1) {
    for (const [id, state] of await inserts()) {
      if (before.has(id) || ['FINISHED', 'FAILED'].includes(String(state))) continue;
      const killed = await trino
        .rows(`CALL system.runtime.kill_query(query_id => '${id}', message => 'by the test')`)
        .then(
          () => true,
          () => false,
        );
      if (killed) return String(id);
    }
    await sleep(5);
  }
  return 'nothing was killed';
}

/** The statements that runs have begun, in their order. */
async function begun(): Promise<readonly string[]> {
  const texts = await trino.rows(
    "SELECT query FROM system.runtime.queries WHERE source LIKE 'strata-%' ORDER BY created",
  );
  return texts.map(([text]) => String(text));
}

function inserts(): Promise<readonly (readonly unknown[])[]> {
  return trino.rows("SELECT query_id, state FROM system.runtime.queries WHERE source LIKE 'strata-%'");
}
