import { readFile } from 'node:fs/promises';
import { parseColumnType } from '../../lib/core/types.ts';
import type { ColumnDefinition, PipelineDefinition } from '../../lib/define/index.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Row, Session } from '../../lib/ports.ts';
import { quoteName, quotePath, quoteText } from '../../lib/sql/quote.ts';
import { setRunDate } from '../../lib/sql/run-date.ts';
import { duckType } from '../../lib/sql/types.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { setVars } from '../../lib/sql/vars.ts';

/**
 * A pipeline's models as plain DuckDB tables, with no lake around them: what its SQL says, apart from how Strata runs it.
 * Sources are cast by the pipeline's own contract.
 */
export type Lake = {
  readonly session: Session;
  /** Makes `batch.<source>` from CSV files; `filter` is a condition over the contract's names. */
  load(source: string, files: string, filter?: string): Promise<void>;
  /** Makes a table of the model: `silver.sales`. A silver model without SQL is its source. */
  build(layer: 'silver' | 'gold', table: string): Promise<readonly Row[]>;
  /** Puts a SELECT in the place of a table whose rows a merge makes, such as a history. */
  stand(table: string, select: string): Promise<void>;
  rows(text: string): Promise<readonly Row[]>;
};

/** What a run is told: a day, and values of variables that are not their defaults. */
export type Told = { readonly runDate?: string; readonly vars?: Readonly<Record<string, string>> };

export async function openLake(pipeline: PipelineDefinition, { runDate, vars }: Told = {}): Promise<Lake> {
  const session = await createDuckDbEngine().open({ memoryBytes: 1_000_000_000, threads: 2, scratch: '/tmp' });
  const run = (text: string) => session.run({ name: pipeline.name, text: userSql(text) });
  const rows = (text: string) => session.rows({ name: pipeline.name, text: userSql(text) });
  for (const schema of ['batch', 'silver', 'gold']) await run(`CREATE SCHEMA ${schema}`);
  const told = setRunDate({ date: runDate ?? '2026-01-01', time: `${runDate ?? '2026-01-01'}T00:00:00Z` });
  for (const statement of [...told, ...setVars(varsOf(pipeline, vars))]) await session.run(statement);
  return {
    session,
    rows,
    async load(source, files, filter = 'true') {
      const columns = contractColumns(pipeline, source).join(', ');
      await run(
        `CREATE OR REPLACE TABLE ${quotePath('batch', source)} AS SELECT * FROM (
           SELECT ${columns} FROM read_csv(${quoteText(files)}, all_varchar = true, header = true)
         ) WHERE ${filter}`,
      );
    },
    async build(layer, table) {
      const sql = await modelSql(pipeline, layer, table);
      await run(`CREATE OR REPLACE TABLE ${quotePath(layer, table)} AS ${sql}`);
      return rows(`FROM ${quotePath(layer, table)}`);
    },
    stand: (table, select) => run(`CREATE OR REPLACE TABLE ${quotePath('silver', table)} AS ${select}`),
  };
}

function varsOf(pipeline: PipelineDefinition, given: Told['vars'] = {}): Parameters<typeof setVars>[0] {
  return Object.entries(pipeline.vars ?? {}).map(([name, { type, default: value }]) => {
    const parsed = parseColumnType(type);
    if (parsed === undefined) throw new Error(`${name}: not a type: ${type}`);
    return { name, type: parsed, value: given[name] ?? (value === null ? null : String(value)), description: null };
  });
}

function contractColumns(pipeline: PipelineDefinition, source: string): readonly string[] {
  return Object.entries(pipeline.sources[source]?.columns ?? {}).map(([name, column]) => {
    const definition = typeof column === 'string' ? { type: column } : column;
    const type = parseColumnType(definition.type);
    if (type === undefined) throw new Error(`${source}.${name}: not a type: ${definition.type}`);
    return `CAST(${textOf(name, definition.parse)} AS ${duckType(type)}) AS ${quoteName(definition.as ?? name)}`;
  });
}

function textOf(name: string, parse: ColumnDefinition['parse']): string {
  if (parse === 'numeric') return `CAST(${quoteName(name)} AS DECIMAL(38,6))`;
  if (parse === 'epoch_seconds') return `make_timestamp(CAST(${quoteName(name)} AS BIGINT) * 1000000)`;
  return quoteName(name);
}

async function modelSql(pipeline: PipelineDefinition, layer: 'silver' | 'gold', table: string): Promise<string> {
  const model = pipeline[layer]?.[table];
  if (model === undefined) throw new Error(`no ${layer}.${table} in ${pipeline.name}`);
  if (model.sql !== undefined) {
    return readFile(new URL(`../../pipelines/${pipeline.name}/${model.sql}`, import.meta.url), 'utf8');
  }
  return `FROM ${quotePath('batch', 'from' in model ? model.from : table)}`;
}
