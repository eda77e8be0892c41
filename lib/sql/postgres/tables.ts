import type { ServedShape } from '../../core/serve.ts';
import type { Sql, SqlName } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import type { Column } from '../../core/types.ts';
import { join, NOTHING, sql } from '../fragment.ts';
import { quoteName, quotePath, quoteText } from '../quote.ts';
import { postgresType } from './types.ts';

/** Where the rows of a table are until they take the place of others, and the keys that are gone. */
export type Stages = { readonly rows: string; readonly gone: string };

export function stagesOf(at: number): Stages {
  return { rows: `strata_rows_${at}`, gone: `strata_gone_${at}` };
}

/** `table`, `kind`, and of each column `name`, `type`, `required`, `filled`; one row without a column for a table without any. */
export function describeTables(schema: string, tables: readonly string[]): Statement {
  return {
    name: 'tables that are there',
    text: sql`SELECT c.relname AS "table", c.relkind AS kind, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required,
  a.atthasdef OR a.attidentity <> '' AS filled, a.attgenerated <> '' OR a.attidentity = 'a' AS made
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = ${quoteText(schema)} AND c.relname IN (${join(tables.map(quoteText))}) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY a.attnum`,
  };
}

/** `table`, `columns`: what is unique in a table, whatever the rows. */
export function describeKeys(schema: string, tables: readonly string[]): Statement {
  return {
    name: 'keys that are there',
    text: sql`SELECT c.relname AS "table", array_agg(a.attname::text ORDER BY a.attname)::text[] AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY k(attnum, at) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
WHERE n.nspname = ${quoteText(schema)} AND c.relname IN (${join(tables.map(quoteText))}) AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND k.at <= i.indnkeyatts
GROUP BY c.relname, i.indexrelid`,
  };
}

export function createTarget(schema: string, { name, columns, key }: ServedShape): Statement {
  const parts = columns.map(renderColumn);
  const primary = key.length === 0 ? [] : [sql`PRIMARY KEY (${namesOf(key)})`];
  return {
    name: 'table',
    text: sql`CREATE TABLE ${quotePath(schema, name)} (${join([...parts, ...primary])})`,
  };
}

export function addColumns(schema: string, table: string, columns: readonly Column[]): Statement {
  const parts = columns.map((column) => sql`ADD COLUMN ${renderColumn(column)}`);
  return { name: 'columns', text: sql`ALTER TABLE ${quotePath(schema, table)} ${join(parts)}` };
}

function renderColumn({ name, type }: Column): Sql {
  return sql`${quoteName(name)} ${postgresType(type)}`;
}

/** A table of this transaction with some columns of the target, without what holds for these there. */
export function createStage(schema: string, table: string, stage: string, columns: readonly string[]): Statement {
  return {
    name: 'stage',
    text: sql`CREATE TEMP TABLE ${quoteName(stage)} ON COMMIT DROP AS SELECT ${namesOf(columns)} FROM ${quotePath(schema, table)} WITH NO DATA`,
  };
}

/** What follows is read as the CSV that `copyServed` writes. */
export function copyIn(stage: string, columns: readonly string[]): Statement {
  return {
    name: 'copy',
    text: sql`COPY ${quotePath('pg_temp', stage)} (${namesOf(columns)}) FROM STDIN (FORMAT csv, NULL '', ENCODING 'UTF8')`,
  };
}

export function analyze(stage: string): Statement {
  return { name: 'analyze', text: sql`ANALYZE ${quotePath('pg_temp', stage)}` };
}

export type Target = { readonly schema: string; readonly table: ServedShape; readonly stages: Stages };

/** All rows go and come; those who read have the ones before until the end, unless the table is cut off. */
export function replaceRows({ schema, table, stages }: Target, truncate: boolean): readonly Statement[] {
  const target = quotePath(schema, table.name);
  const empty = truncate ? sql`TRUNCATE ${target}` : sql`DELETE FROM ${target}`;
  return [{ name: 'empty', text: empty }, insert(target, table, stages)];
}

/** Rows that have come, or, where it is not known which, those of all that the table has not. */
export function appendRows({ schema, table, stages }: Target, whole: boolean): readonly Statement[] {
  const target = quotePath(schema, table.name);
  if (!whole) return [insert(target, table, stages)];
  const names = namesOf(table.columns.map(({ name }) => name));
  return [
    {
      name: 'append',
      text: sql`INSERT INTO ${target} (${names}) SELECT ${names} FROM ${quotePath('pg_temp', stages.rows)} EXCEPT ALL SELECT ${names} FROM ${target}`,
    },
  ];
}

function insert(target: SqlName, { columns }: ServedShape, { rows }: Stages): Statement {
  const names = namesOf(columns.map(({ name }) => name));
  return {
    name: 'insert',
    text: sql`INSERT INTO ${target} (${names}) SELECT ${names} FROM ${quotePath('pg_temp', rows)}`,
  };
}

/** By what it is known which keys are gone: the stage of rows has all that there are, that of keys has them, or none is. */
export type Gone = 'others' | 'these' | 'none';

/** Rows of keys that are gone go, those that differ are changed, and new ones come. */
export function mergeRows({ schema, table, stages }: Target, gone: Gone): readonly Statement[] {
  const { columns, key } = table;
  const target = quotePath(schema, table.name);
  const other = quotePath('pg_temp', gone === 'others' ? stages.rows : stages.gone);
  const same = join(
    key.map((name) => sql`t.${quoteName(name)} = s.${quoteName(name)}`),
    ' AND ',
  );
  const goes = sql`EXISTS (SELECT 1 FROM ${other} s WHERE ${same})`;
  const not = gone === 'others' ? sql`NOT ` : NOTHING;
  const leave = { name: 'delete', text: sql`DELETE FROM ${target} t WHERE ${not}${goes}` };
  const merge = { name: 'merge', text: renderMerge(target, columns, { key, rows: stages.rows }) };
  return gone === 'none' ? [merge] : [leave, merge];
}

function renderMerge(
  target: SqlName,
  columns: readonly Column[],
  { key, rows }: { readonly key: readonly string[]; readonly rows: string },
): Sql {
  const names = namesOf(columns.map(({ name }) => name));
  const others = columns.filter(({ name }) => !key.includes(name)).map(({ name }) => quoteName(name));
  const into = sql`INSERT INTO ${target} AS t (${names}) SELECT ${names} FROM ${quotePath('pg_temp', rows)} ON CONFLICT (${namesOf(key)})`;
  if (others.length === 0) return sql`${into} DO NOTHING`;
  const set = others.map((name) => sql`${name} = EXCLUDED.${name}`);
  const [old, now] = [others.map((name) => sql`t.${name}`), others.map((name) => sql`EXCLUDED.${name}`)];
  return sql`${into} DO UPDATE SET ${join(set)} WHERE (${join(old)}) IS DISTINCT FROM (${join(now)})`;
}

/** A table as it is, under another name. */
export function keepVersion(schema: string, table: string, version: string): readonly Statement[] {
  return [
    dropVersion(schema, version),
    { name: 'version', text: sql`CREATE TABLE ${quotePath(schema, version)} AS TABLE ${quotePath(schema, table)}` },
  ];
}

export function dropVersion(schema: string, version: string): Statement {
  return { name: 'version that goes', text: sql`DROP TABLE IF EXISTS ${quotePath(schema, version)}` };
}

function namesOf(names: readonly string[]): Sql {
  return join(names.map((name) => quoteName(name)));
}
