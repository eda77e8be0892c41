import type { ObjectExport } from '../core/exports.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column, ColumnType } from '../core/types.ts';
import { join, sql } from './fragment.ts';
import { holdsFloats } from './negative-zero.ts';
import { ownName, quoteName, quoteText } from './quote.ts';

export type ExportedRows = {
  /** A relation: a table or view name, or a parenthesised SELECT. */
  readonly from: Sql;
  readonly columns: readonly Column[];
  /** Columns that rows are ordered by before all others, so that equal rows give equal bytes. */
  readonly sortBy: readonly string[];
  /** The local file to write. */
  readonly path: string;
};

/** Writes rows as one file. Text of CSV is that of RFC 4180: CRLF, and `""` for a text without characters where NULL has nothing. */
export function copyExport(spec: ObjectExport, rows: ExportedRows): Statement {
  const { from, columns, path } = rows;
  const select = columns.map((column) => sql`${renderValue(spec, column)} AS ${quoteName(nameIn(spec, column.name))}`);
  const order = join(orderOf(rows));
  const text = sql`COPY (SELECT ${join(select)} FROM ${from} t ORDER BY ${order}) TO ${quoteText(path)} (${optionsOf(spec)})`;
  return { name: `export ${spec.kind}`, text };
}

function optionsOf(spec: ObjectExport): Sql {
  switch (spec.kind) {
    case 'csv':
      return sql`FORMAT csv, HEADER true, NEW_LINE '\r\n'`;
    case 'json':
      return spec.layout === 'array' ? sql`FORMAT json, ARRAY true` : sql`FORMAT json`;
    case 'parquet':
      return sql`FORMAT parquet, COMPRESSION zstd`;
  }
}

function nameIn(spec: ObjectExport, name: string): string {
  return spec.kind === 'csv' && spec.safe && FORMULA.test(name) ? `'${name}` : name;
}

/** The wide forms of the signs are taken for them in some languages. Source: owasp.org/www-community/attacks/CSV_Injection */
const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
const FORMULA_SQL = quoteText('^[=+\\-@\\t\\r\\n\uFF1D\uFF0B\uFF0D\uFF20]');

function renderValue(spec: ObjectExport, { name, type }: Column): Sql {
  const value = column(name);
  switch (spec.kind) {
    case 'parquet':
      return value;
    case 'json':
      return renderForJson(value, type);
    case 'csv':
      return renderForCsv(value, type, spec.safe);
  }
}

function renderForCsv(value: Sql, type: ColumnType, safe: boolean): Sql {
  switch (type.kind) {
    case 'list':
    case 'struct':
      return sql`CASE WHEN ${value} IS NOT NULL THEN CAST(to_json(${renderForJson(value, type)}) AS VARCHAR) END`;
    case 'binary':
      return sql`base64(${value})`;
    case 'string':
      if (!safe) return value;
      return sql`CASE WHEN regexp_matches(${value}, ${FORMULA_SQL}) THEN '''' || ${value} ELSE ${value} END`;
    default:
      return value;
  }
}

/**
 * Numbers of JSON go through floats on their way into it: decimals are text, which keeps their digits. JSON has no NaN and no bytes, at
 * whatever depth.
 */
export function renderForJson(value: Sql, type: ColumnType, depth = 0): Sql {
  switch (type.kind) {
    case 'binary':
      return sql`base64(${value})`;
    case 'float':
    case 'double':
      return sql`CASE WHEN isfinite(${value}) THEN ${value} END`;
    case 'decimal':
      return sql`CAST(${value} AS VARCHAR)`;
    case 'list': {
      if (!isOther(type)) return value;
      const element = ownName(`element_${depth}`);
      return sql`list_transform(${value}, lambda ${element}: ${renderForJson(element, type.element, depth + 1)})`;
    }
    case 'struct': {
      if (!isOther(type)) return value;
      const fields = type.fields.map((field) => {
        const part = sql`struct_extract(${value}, ${quoteText(field.name)})`;
        return sql`${quoteName(field.name)} := ${renderForJson(part, field.type, depth)}`;
      });
      return sql`CASE WHEN ${value} IS NOT NULL THEN struct_pack(${join(fields)}) END`;
    }
    default:
      return value;
  }
}

/** Whether JSON has to have something else in the place of a value. */
function isOther(type: ColumnType): boolean {
  switch (type.kind) {
    case 'binary':
    case 'float':
    case 'double':
    case 'decimal':
      return true;
    case 'list':
      return isOther(type.element);
    case 'struct':
      return type.fields.some((field) => isOther(field.type));
    default:
      return false;
  }
}

/** A total order of rows that differ: by the columns that were asked for, then by all others. */
function orderOf({ columns, sortBy }: ExportedRows): readonly Sql[] {
  const named = new Map(columns.map((one) => [one.name, one]));
  const first = sortBy.flatMap((name) => named.get(name) ?? []);
  return [...first, ...columns.filter(({ name }) => !sortBy.includes(name))].map(orderTerm);
}

/** DuckDB gives a column that it sorts by back from the sort's key, in which -0.0 is 0.0: such a key is made apart. */
function orderTerm({ name, type }: Column): Sql {
  const value = column(name);
  if (type.kind === 'list' || type.kind === 'struct') return sql`CAST(${value} AS VARCHAR)`;
  return holdsFloats([{ type }]) ? sql`CASE WHEN ${value} = 0 THEN 0 ELSE ${value} END` : value;
}

/** By its table, since the values that are selected have the same names. */
function column(name: string): Sql {
  return sql`t.${quoteName(name)}`;
}

/** `sha256`, `etag` of the object that an export wrote last. */
export function selectLatest(model: string, { kind, to }: ObjectExport): Statement {
  return {
    name: 'latest export',
    text: sql`SELECT sha256, etag FROM ops.exports WHERE model = ${quoteText(model)} AND kind = ${quoteText(kind)} AND target = ${quoteText(to)}
ORDER BY exported_at DESC, run_id DESC LIMIT 1`,
  };
}

/** `model`, `kind`, `state`, `n`: what a run has exported. */
export function selectExported(runId: string): Statement {
  return {
    name: 'exports of the run',
    text: sql`SELECT model, kind, state, count(*) AS n FROM ops.exports WHERE run_id = ${quoteText(runId)} GROUP BY ALL ORDER BY ALL`,
  };
}
