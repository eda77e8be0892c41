import type { ColumnCheck, ContractColumn } from '../core/spec.ts';
import { type ColumnType, renderColumnType } from '../core/types.ts';
import { quoteName, quoteText } from './quote.ts';
import { duckType } from './types.ts';

/**
 * SQL of one contract column: its typed value from the raw text, and whether the text holds exactly that value. `exact`
 * names the value by the column's name, since DuckDB would work a repeated expression out again in every condition.
 */
export type ParsedColumn = { readonly value: string; readonly exact: string };

/** One reason for which a row is quarantined: when it holds, and what to tell a person. */
export type RowCheck = { readonly code: string; readonly passes: string; readonly detail: string };

/**
 * Text to value without loss: DuckDB's TRY_CAST, narrowed where it would round, wrap or guess. `1.7` is no integer,
 * `2.5555` no decimal(12,3), `0x1F` and `1_000` no numbers, an offset in a timestamp is honoured (result in UTC).
 * A value that arrives typed (Parquet) must survive the cast there and back.
 */
export function parseColumn(column: ContractColumn, raw: string, native: string | undefined): ParsedColumn {
  const typed = quoteName(column.name);
  if (native !== undefined && column.parse.kind === 'auto') return parseNative(column.type, raw, native, typed);
  const text = native === undefined ? raw : `CAST(${raw} AS VARCHAR)`;
  switch (column.parse.kind) {
    case 'auto':
      return parseAuto(column.type, text, typed);
    case 'numeric':
      return parseNumeric(column.type, text, typed);
    case 'epoch_seconds':
      return parseEpoch(column.type, text, typed, 1_000_000);
    case 'epoch_millis':
      return parseEpoch(column.type, text, typed, 1_000);
    case 'strptime': {
      const formats = column.parse.formats.map(quoteText).join(', ');
      return existing(`TRY_CAST(try_strptime(${text}, [${formats}]) AS ${duckType(column.type)})`, typed);
    }
  }
}

/** All checks of one column, in the order in which their codes are reported. Column names are the contract's. */
export function columnChecks(column: ContractColumn, raw: string, parsed: ParsedColumn): readonly RowCheck[] {
  const expected = column.required
    ? `a ${renderColumnType(column.type)}`
    : `a ${renderColumnType(column.type)} or nothing`;
  const got = `coalesce('''' || left(CAST(${raw} AS VARCHAR), 80) || '''', 'nothing')`;
  const detail = (what: string): string =>
    `${quoteText(`${column.source}: got `)} || ${got} || ${quoteText(`; expected ${what}`)}`;
  const checks: RowCheck[] = [];
  if (column.required)
    checks.push({ code: 'NULL_VALUE_ERROR', passes: `${raw} IS NOT NULL`, detail: detail('a value') });
  if (parsed.exact !== 'true') {
    checks.push({
      code: typeErrorCode(column.type),
      passes: `(${raw} IS NULL OR COALESCE(${parsed.exact}, false))`,
      detail: detail(expected),
    });
  }
  for (const check of column.checks) {
    const { condition, what } = renderCheck(check, column);
    checks.push({ code: check.code, passes: `COALESCE(${condition}, true)`, detail: detail(what) });
  }
  return checks;
}

function renderCheck(check: ColumnCheck, column: ContractColumn): { condition: string; what: string } {
  const name = quoteName(column.name);
  const literal = (value: string): string => `CAST(${quoteText(value)} AS ${duckType(column.type)})`;
  switch (check.kind) {
    case 'min':
      return { condition: `${name} >= ${literal(check.value)}`, what: `at least ${check.value}` };
    case 'max':
      return { condition: `${name} <= ${literal(check.value)}`, what: `at most ${check.value}` };
    case 'in':
      return {
        condition: `${name} IN (${check.values.map(literal).join(', ')})`,
        what: `one of ${shortList(check.values)}`,
      };
    case 'pattern':
      return {
        condition: `regexp_full_match(CAST(${name} AS VARCHAR), ${quoteText(check.regex)})`,
        what: `text matching ${check.regex}`,
      };
    case 'sql':
      return { condition: `(${check.condition})`, what: check.condition };
  }
}

function shortList(values: readonly string[]): string {
  return values.length <= 8 ? values.join(', ') : `${values.slice(0, 8).join(', ')}, ... (${values.length} values)`;
}

function typeErrorCode(type: ColumnType): string {
  return ['date', 'timestamp', 'timestamptz'].includes(type.kind) ? 'TIMESTAMP_ERROR' : 'TYPE_ERROR';
}

const INTEGER = quoteText('\\s*[+-]?[0-9]+\\s*');

function parseAuto(type: ColumnType, text: string, typed: string): ParsedColumn {
  const cast = `TRY_CAST(${text} AS ${duckType(type)})`;
  switch (type.kind) {
    case 'string':
      return { value: text, exact: 'true' };
    case 'binary':
      return { value: `encode(${text})`, exact: 'true' };
    case 'boolean':
    case 'timestamptz':
      return type.kind === 'boolean' ? existing(cast, typed) : finite(cast, typed);
    case 'int':
    case 'bigint':
      return { value: cast, exact: spelled(typed, text, INTEGER) };
    case 'decimal': {
      const pattern = `\\s*[+-]?([0-9]+(\\.[0-9]{0,${type.scale}}0*)?|\\.[0-9]{1,${Math.max(1, type.scale)}}0*)\\s*`;
      return { value: cast, exact: spelled(typed, text, quoteText(pattern)) };
    }
    case 'float':
    case 'double':
      return {
        value: cast,
        exact: `(CASE WHEN isinf(${typed}) THEN contains(lower(${text}), 'inf') ELSE ${typed} IS NOT NULL END)`,
      };
    case 'date':
      return { value: cast, exact: `(${typed} IS NOT NULL AND isfinite(${typed}) AND strlen(${text}) <= 10)` };
    case 'timestamp':
      return finite(timestampOf(text), typed);
    case 'list':
    case 'struct': {
      const value = `TRY(json_transform_strict(TRY_CAST(${text} AS JSON), ${quoteText(JSON.stringify(jsonStructure(type)))}))`;
      return existing(value, typed);
    }
  }
}

/** The comparison settles nearly every row; the pattern is only tried on the rest ('007', '+5', '1e3', '2.50'). */
function spelled(typed: string, text: string, pattern: string): string {
  return `(CASE WHEN CAST(${typed} AS VARCHAR) = ${text} THEN true ELSE ${typed} IS NOT NULL AND regexp_full_match(${text}, ${pattern}) END)`;
}

/** A plain cast to TIMESTAMP ignores an offset, so only texts without room for one take the short way. */
function timestampOf(text: string): string {
  const plain = `strlen(${text}) = 10 OR (strlen(${text}) = 19 AND substr(${text}, 17, 1) = ':')`;
  return `(CASE WHEN ${plain} THEN TRY_CAST(${text} AS TIMESTAMP) ELSE CAST(TRY_CAST(${text} AS TIMESTAMPTZ) AS TIMESTAMP) END)`;
}

function parseNative(type: ColumnType, raw: string, native: string, typed: string): ParsedColumn {
  const value = `TRY_CAST(${raw} AS ${duckType(type)})`;
  if (native === duckType(type)) return { value, exact: 'true' };
  return { value, exact: `(${typed} IS NOT NULL AND TRY_CAST(${typed} AS ${native}) IS NOT DISTINCT FROM ${raw})` };
}

/** Any spelling of a number ('17850.0', '1e3'), as long as the type holds it exactly. */
function parseNumeric(type: ColumnType, text: string, typed: string): ParsedColumn {
  if (type.kind === 'float' || type.kind === 'double') return parseAuto(type, text, typed);
  const exactNumber = `TRY_CAST(${text} AS DECIMAL(38,10))`;
  const value = `TRY_CAST(${exactNumber} AS ${duckType(type)})`;
  return { value, exact: `(${typed} IS NOT NULL AND TRY_CAST(${typed} AS DECIMAL(38,10)) = ${exactNumber})` };
}

function parseEpoch(type: ColumnType, text: string, typed: string, micros: number): ParsedColumn {
  const whole = `TRY_CAST(TRY_CAST(${text} AS DECIMAL(38,10)) AS BIGINT)`;
  const instant = `TRY(make_timestamp(${whole} * ${micros}))`;
  const value = type.kind === 'timestamp' ? instant : `TRY_CAST(${instant} AS ${duckType(type)})`;
  return { value, exact: `(${typed} IS NOT NULL AND ${whole} = TRY_CAST(${text} AS DECIMAL(38,10)))` };
}

function existing(value: string, typed: string): ParsedColumn {
  return { value, exact: `(${typed} IS NOT NULL)` };
}

function finite(value: string, typed: string): ParsedColumn {
  return { value, exact: `(${typed} IS NOT NULL AND isfinite(${typed}))` };
}

type JsonStructure = string | readonly JsonStructure[] | { readonly [name: string]: JsonStructure };

function jsonStructure(type: ColumnType): JsonStructure {
  if (type.kind === 'list') return [jsonStructure(type.element)];
  if (type.kind === 'struct') return Object.fromEntries(type.fields.map((f) => [f.name, jsonStructure(f.type)]));
  return duckType(type);
}
