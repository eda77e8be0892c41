import type { Sql } from '../core/sql-text.ts';
import { type ColumnType, renderColumnType } from '../core/types.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { isStored, type NativeType } from './native-type.ts';
import { parseNested } from './parse-nested.ts';
import { parseScalar, type ScalarType } from './parse-scalar.ts';
import { inCalendar } from './parse-time.ts';
import { gotText, type NestedColumn, type PathSql, packList, packStruct } from './parsed.ts';
import { quoteText } from './quote.ts';
import { duckType } from './types.ts';
import { engineSql } from './user-sql.ts';

/**
 * A value that arrives typed (Parquet) must survive the way there and back, be of the years 1 to 9999 where it is a day or an instant,
 * and be text where it stands for one. The same holds for every part of a list or struct, whose fields are found by
 * their exact names and are null where the file lacks them. `typed` names the value.
 */
export function parseNative(type: ColumnType, native: NativeType, raw: Sql, typed: Sql, depth = 0): NestedColumn {
  const isText = native.kind === 'leaf' && ['VARCHAR', 'VARIANT'].includes(native.type);
  if (type.kind === 'list' || type.kind === 'struct') {
    if (isText)
      return parseNested(type, native.type === 'VARIANT' ? sql`CAST(TRY_CAST(${raw} AS JSON) AS VARCHAR)` : raw);
    if (type.kind === 'struct' && native.kind === 'struct') return parseStruct(type, native, raw, depth);
    if (type.kind === 'list' && native.kind === 'list') return parseList(type, native, raw, depth);
    if (type.kind === 'list' && native.kind === 'map')
      return parseList(type, entriesOf(native), sql`map_entries(${raw})`, depth);
    return { ...nothing(type, raw), same: false };
  }
  return native.kind === 'leaf' ? parseLeaf(type, native.type, raw, typed) : parseWhole(type, raw, typed);
}

function parseStruct(
  type: Extract<ColumnType, { kind: 'struct' }>,
  native: Extract<NativeType, { kind: 'struct' }>,
  raw: Sql,
  depth: number,
): NestedColumn {
  const fields = type.fields.map((field) => {
    const at = native.fields.findIndex((f) => f.name === field.name);
    const found = native.fields[at];
    if (found === undefined) return { name: field.name, raw: sql`NULL`, ...absent(field.type), same: false };
    const inner = sql`struct_extract_at(${raw}, ${at + 1})`;
    return { name: field.name, raw: inner, ...inline(field.type, found.type, inner, depth) };
  });
  const same = !isStored(native) && fields.every((field, i) => field.same && native.fields[i]?.name === field.name);
  const packed = packStruct(raw, fields);
  return same && fields.length === native.fields.length ? { ...packed, value: raw, same } : { ...packed, same: false };
}

function parseList(
  type: Extract<ColumnType, { kind: 'list' }>,
  native: Extract<NativeType, { kind: 'list' }>,
  raw: Sql,
  depth: number,
): NestedColumn {
  const item = sql`item${depth}`;
  const element = inline(type.element, native.element, item, depth + 1);
  const packed = packList(raw, element, depth);
  return element.same ? { ...packed, value: raw, same: true } : { ...packed, same: false };
}

/** A part of a value, which has no name of its own: its expression stands for it. */
function inline(type: ColumnType, native: NativeType, raw: Sql, depth: number): NestedColumn {
  const { value } = parseNative(type, native, raw, NOTHING, depth);
  return parseNative(type, native, raw, value, depth);
}

function entriesOf({ key, value }: Extract<NativeType, { kind: 'map' }>): Extract<NativeType, { kind: 'list' }> {
  const fields = [
    { name: 'key', type: key },
    { name: 'value', type: value },
  ];
  return { kind: 'list', element: { kind: 'struct', fields } };
}

function parseLeaf(type: ScalarType, native: string, raw: Sql, typed: Sql): NestedColumn {
  if (native === 'VARCHAR')
    return scalar(type, raw, { ...parseScalar(type, raw, typed), same: type.kind === 'string' });
  if (native === 'VARIANT') {
    const text = sql`TRY_CAST(${raw} AS VARCHAR)`;
    const { value, exact } = parseScalar(type, text, typed);
    return scalar(type, raw, { value, exact: sql`(${text} IS NOT NULL AND ${exact})`, same: false });
  }
  if (type.kind === 'string' && native === 'BLOB') {
    return scalar(type, raw, { value: sql`TRY(decode(${raw}))`, exact: sql`(${typed} IS NOT NULL)`, same: false });
  }
  if (type.kind === 'string') return parseWhole(type, raw, typed);
  const same = native === duckType(type);
  const value = same ? raw : sql`TRY_CAST(${raw} AS ${duckType(type)})`;
  const back = same
    ? []
    : [sql`${typed} IS NOT NULL`, sql`TRY_CAST(${typed} AS ${engineSql(native)}) IS NOT DISTINCT FROM ${raw}`];
  const exact = join([...back, ...rangeOf(type, typed)], ' AND ');
  return scalar(type, raw, { value, exact: exact === '' ? sql`true` : sql`(${exact})`, same });
}

/** Something that is a text at most: what has parts, for a column that has none. */
function parseWhole(type: ScalarType, raw: Sql, typed: Sql): NestedColumn {
  if (type.kind !== 'string') return { ...nothing(type, raw), same: false };
  return scalar(type, raw, {
    value: sql`TRY_CAST(${raw} AS VARCHAR)`,
    exact: sql`(${typed} IS NOT NULL)`,
    same: false,
  });
}

function scalar(type: ScalarType, raw: Sql, parsed: Omit<NestedColumn, 'fault'>): NestedColumn {
  return { ...parsed, fault: (path) => gotText(path, raw, parsed.exact, renderColumnType(type)) };
}

/** No value of the native type is one of the contract's. */
function nothing(type: ColumnType, raw: Sql): Omit<NestedColumn, 'same'> {
  const fault = (path: PathSql): Sql => gotText(path, raw, sql`false`, renderColumnType(type));
  return { value: sql`CAST(NULL AS ${duckType(type)})`, exact: sql`false`, fault };
}

/** The file has no such field. */
function absent(type: ColumnType): Omit<NestedColumn, 'same'> {
  return { value: sql`CAST(NULL AS ${duckType(type)})`, exact: sql`true`, fault: () => sql`NULL` };
}

/** What the bytes of a type may say though it is no value: the same as for text. */
function rangeOf(type: ScalarType, typed: Sql): readonly Sql[] {
  switch (type.kind) {
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return [inCalendar(typed, { kind: type.kind })];
    case 'decimal': {
      const most = sql`CAST(${quoteText(mostOf(type))} AS ${duckType(type)})`;
      return [sql`${typed} BETWEEN -${most} AND ${most}`];
    }
    default:
      return [];
  }
}

/** `9.99` for a decimal(3,2). */
function mostOf({ precision, scale }: Extract<ColumnType, { kind: 'decimal' }>): string {
  const whole = '9'.repeat(precision - scale) || sql`0`;
  return scale === 0 ? whole : `${whole}.${'9'.repeat(scale)}`;
}
