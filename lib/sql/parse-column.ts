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
      // DuckDB makes a join of a long IN list, and a join may hold back the last rows of a vector: rows would change places.
      return {
        condition: `list_contains([${check.values.map(literal).join(', ')}], ${name})`,
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
      return existing(cast, typed);
    case 'int':
    case 'bigint':
      return { value: cast, exact: spelled(typed, text, INTEGER) };
    case 'decimal': {
      const pattern = `\\s*[+-]?([0-9]+(\\.[0-9]{0,${type.scale}}0*)?|\\.[0-9]{1,${Math.max(1, type.scale)}}0*)\\s*`;
      return { value: cast, exact: spelled(typed, text, quoteText(pattern)) };
    }
    case 'float':
    case 'double': {
      const digits = `${typed} IS NOT NULL AND NOT contains(${text}, '_')`;
      return {
        value: cast,
        exact: `(CASE WHEN isinf(${typed}) THEN contains(lower(${text}), 'inf') ELSE ${digits} END)`,
      };
    }
    case 'date':
      return { value: cast, exact: `(${calendar(typed, text)} AND strlen(${text}) <= 10)` };
    case 'timestamp':
    case 'timestamptz': {
      const instant = type.kind === 'timestamp' ? timestampOf(text) : cast;
      // A millionth of a second is the finest that Iceberg keeps; longer texts may still end in zeros.
      const lost = `CASE WHEN strlen(${text}) > 26 THEN regexp_matches(${text}, '[.][0-9]{6}[0-9]*[1-9]') ELSE false END`;
      return { value: instant, exact: `(${calendar(typed, text)} AND NOT (${lost}))` };
    }
    case 'list':
    case 'struct':
      return parseNested(type, text);
  }
}

/**
 * A day or an instant that the calendar has; DuckDB also takes words, such as `epoch` and `infinity`. Of AND and OR
 * DuckDB works out every part for every row, of CASE only what a row needs.
 */
function calendar(typed: string, text: string): string {
  const digit = `(CASE WHEN ${text} >= '0' AND ${text} < ':' THEN true ELSE ascii(ltrim(${text})) BETWEEN 48 AND 57 END)`;
  return `${typed} IS NOT NULL AND isfinite(${typed}) AND ${digit}`;
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

/** JSON text whose shape is taken first, with text in its leaves, so that a leaf is parsed as a column of its type is. */
function parseNested(type: ColumnType, text: string): ParsedColumn {
  const structure = quoteText(JSON.stringify(textStructure(type)));
  const shape = `TRY(json_transform_strict(TRY_CAST(${text} AS JSON), ${structure}))`;
  const { value, exact } = parseInside(type, shape, 0);
  return { value, exact: `(${shape} IS NOT NULL AND COALESCE(${exact}, false))` };
}

function parseInside(type: ColumnType, shape: string, depth: number): ParsedColumn {
  if (type.kind === 'list') {
    const item = `item${depth}`;
    const { value, exact } = parseInside(type.element, item, depth + 1);
    const broken = `list_filter(${shape}, lambda ${item}: ${item} IS NOT NULL AND NOT COALESCE(${exact}, false))`;
    return { value: `list_transform(${shape}, lambda ${item}: ${value})`, exact: `len(${broken}) = 0` };
  }
  if (type.kind === 'struct') {
    const fields = type.fields.map((f) => {
      const inner = `struct_extract(${shape}, ${quoteText(f.name)})`;
      return { name: quoteName(f.name), inner, ...parseInside(f.type, inner, depth) };
    });
    const packed = `struct_pack(${fields.map((f) => `${f.name} := ${f.value}`).join(', ')})`;
    return {
      value: `CASE WHEN ${shape} IS NOT NULL THEN ${packed} END`,
      exact: fields.map((f) => `(${f.inner} IS NULL OR COALESCE(${f.exact}, false))`).join(' AND '),
    };
  }
  const { value } = parseAuto(type, shape, '');
  return { value, exact: parseAuto(type, shape, value).exact };
}

function parseNative(type: ColumnType, raw: string, native: string, typed: string): ParsedColumn {
  const value = `TRY_CAST(${raw} AS ${duckType(type)})`;
  if (native === duckType(type)) return { value, exact: 'true' };
  return { value, exact: `(${typed} IS NOT NULL AND TRY_CAST(${typed} AS ${native}) IS NOT DISTINCT FROM ${raw})` };
}

/** Any spelling of a number ('17850.0', '1e3'), as long as the type holds it exactly. */
function parseNumeric(type: ColumnType, text: string, typed: string): ParsedColumn {
  if (type.kind === 'float' || type.kind === 'double') return parseAuto(type, text, typed);
  const exactNumber = renderNumber(text);
  const value = `TRY_CAST(${exactNumber} AS ${duckType(type)})`;
  return { value, exact: `(${typed} IS NOT NULL AND TRY_CAST(${typed} AS DECIMAL(38,10)) = ${exactNumber})` };
}

/**
 * A number in any spelling, exact to ten digits. DuckDB reads text into 128-bit decimals a thousand times slower than
 * into 64-bit ones, so plain numbers that fit take that way.
 */
function renderNumber(text: string): string {
  const plain = quoteText('[+-]?[0-9]{1,13}([.][0-9]{0,4})?');
  return `(CASE WHEN regexp_full_match(${text}, ${plain}) THEN CAST(TRY_CAST(${text} AS DECIMAL(18,4)) AS DECIMAL(38,10)) ELSE TRY_CAST(${text} AS DECIMAL(38,10)) END)`;
}

/** 0001-01-01 and 9999-12-31T23:59:59 as seconds since 1970. */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;

function parseEpoch(type: ColumnType, text: string, typed: string, micros: number): ParsedColumn {
  const number = renderNumber(text);
  const whole = `TRY_CAST(${number} AS BIGINT)`;
  // Years 1 to 9999: make_timestamp raises beyond its range, and TRY around it works row by row, a thousand times slower.
  const [first, last] = [FIRST_SECOND, LAST_SECOND].map((second) => second * (1_000_000 / micros));
  const instant = `(CASE WHEN ${whole} BETWEEN ${first} AND ${last} THEN make_timestamp(${whole} * ${micros}) END)`;
  const value = type.kind === 'timestamp' ? instant : `TRY_CAST(${instant} AS ${duckType(type)})`;
  return { value, exact: `(${typed} IS NOT NULL AND ${whole} = ${number})` };
}

function existing(value: string, typed: string): ParsedColumn {
  return { value, exact: `(${typed} IS NOT NULL)` };
}

type JsonStructure = string | readonly JsonStructure[] | { readonly [name: string]: JsonStructure };

function textStructure(type: ColumnType): JsonStructure {
  if (type.kind === 'list') return [textStructure(type.element)];
  if (type.kind === 'struct') return Object.fromEntries(type.fields.map((f) => [f.name, textStructure(f.type)]));
  return 'VARCHAR';
}
