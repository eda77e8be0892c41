import assert from 'node:assert/strict';
import { cpSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { RunResult } from '../../lib/core/run.ts';
import { fullName, parseTableName } from '../../lib/core/tables.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { openTable, visibleColumns } from '../../lib/lake/tables/table-state.ts';
import type { Row } from '../../lib/ports.ts';
import type { RunRequest } from '../../lib/remote/run-request.ts';
import { openLocalLake, runPipeline } from '../../lib/runtime/local.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { loadTable } from '../../lib/table/read.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const LIB = join(ROOT, 'lib', 'define', 'index.ts');

/** Where a pipeline runs. */
export type Lake = { readonly pipeline: string; readonly deps: StepDeps };

/** A lake in a folder, whose Trino is that of STRATA_TRINO. */
export async function openFolder(root: string, pipeline: string, pipelines: string): Promise<Lake> {
  const log = { info: () => {}, warn: () => {} };
  const lake = await openLocalLake({ root, pipelines, log, memoryBytes: 500e6, threads: 2 });
  await lake.make();
  mkdirSync(lake.deps.settings.scratch, { recursive: true });
  return { pipeline, deps: lake.deps };
}

export async function run(
  { pipeline, deps }: Lake,
  request: Partial<RunRequest> = {},
  more: Partial<StepDeps> = {},
): Promise<RunResult> {
  const answer = await runPipeline({ ...deps, ...more }, { pipeline, retryIntervalMs: 10, ...request });
  assert.equal(answer.kind, 'ended', JSON.stringify(answer));
  return answer.kind === 'ended' ? answer.result : assert.fail();
}

export async function land(
  { pipeline, deps }: Lake,
  source: string,
  file: string,
  content: string | Uint8Array,
): Promise<void> {
  const key = `bronze/${pipeline}/${source}/${file}`;
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  await deps.store.write(key, bytes, { kind: 'any' });
}

/** Rows of a query over tables, which it names as texts of models do. */
export async function rowsOf({ deps }: Lake, tables: readonly string[], query: string): Promise<readonly Row[]> {
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

/** Each gold table that an engine has computed against what DuckDB makes of the model's own text. */
export async function assertOwnRows(lake: Lake): Promise<void> {
  const { name: pipeline, models } = await lake.deps.specs(lake.pipeline);
  const layers = (['silver', 'gold'] as const).map((layer) => lake.deps.catalog.list({ pipeline, layer }));
  const tables = (await Promise.all(layers)).flat().map(fullName);
  for (const model of models) {
    const own = model.layer === 'gold' ? model.implementations?.texts.find(({ name }) => name === 'duckdb') : undefined;
    if (own === undefined) continue;
    const got = await rowsOf(lake, tables, `SELECT * FROM gold.${model.name} ORDER BY ALL`);
    assert.ok(got.length > 0, model.id);
    assert.deepEqual(got, await rowsOf(lake, tables, `SELECT * FROM (${own.sql}\n) ORDER BY ALL`), model.id);
  }
}

/** The keys below a prefix. */
export async function keysOf({ deps }: Lake, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of deps.store.list(prefix)) keys.push(key);
  return keys;
}

/** A pipeline of the repository whose gold models have texts for Athena beside their own, as far as test/engines/<pipeline> has one. */
export function withTexts(home: string, pipeline: string): string {
  const texts = globSync('*.sql', { cwd: join(import.meta.dirname, pipeline) }).map((file) => basename(file, '.sql'));
  const folder = join(home, 'pipelines', pipeline);
  cpSync(join(ROOT, 'pipelines', pipeline), folder, { recursive: true });
  cpSync(join(import.meta.dirname, pipeline), join(folder, 'athena'), { recursive: true });
  writeFileSync(
    join(folder, 'pipeline.ts'),
    `import own from '${join(ROOT, 'pipelines', pipeline, 'pipeline.ts')}';
const texts = ${JSON.stringify(texts)};
const both = (name, model) => ({ ...model, engine: 'athena', sql: { duckdb: model.sql, athena: \`athena/\${name}.sql\` } });
const gold = Object.entries(own.gold).map(([name, model]) => [name, texts.includes(name) ? both(name, model) : model]);
export default { ...own, gold: Object.fromEntries(gold) };
`,
  );
  return join(home, 'pipelines');
}

export const DAYS =
  'SELECT day, count(*) AS n, CAST(sum(amount) AS decimal(18,2)) AS total FROM silver.orders GROUP BY day';

/** A pipeline `shop` of orders and, by Athena, of their days; `options` are others of that model. */
export function writeShop(home: string, days: string, options: string): string {
  const folder = join(home, 'shop');
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
  return home;
}

/** Lands an order of each of so many days. */
export async function landDays(lake: Lake, file: string, days: number, first = 0): Promise<void> {
  const rows = Array.from({ length: days }, (_, n) => {
    const day = new Date(Date.UTC(2026, 0, 1 + first + n)).toISOString().slice(0, 10);
    return `${n},${n}.25,${day}`;
  });
  await land(lake, 'rows', file, `id,amount,day\n${rows.join('\n')}\n`);
}
