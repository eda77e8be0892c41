import type { Sql } from '../core/sql-text.ts';
import type { ColumnType } from '../core/types.ts';
import { join, sql } from './fragment.ts';
import { quoteName } from './quote.ts';

/** The DuckDB type that holds a column type without loss. */
export function duckType(type: ColumnType): Sql {
  switch (type.kind) {
    case 'boolean':
      return sql`BOOLEAN`;
    case 'int':
      return sql`INTEGER`;
    case 'bigint':
      return sql`BIGINT`;
    case 'float':
      return sql`FLOAT`;
    case 'double':
      return sql`DOUBLE`;
    case 'decimal':
      return sql`DECIMAL(${type.precision},${type.scale})`;
    case 'date':
      return sql`DATE`;
    case 'timestamp':
      return sql`TIMESTAMP`;
    case 'timestamptz':
      return sql`TIMESTAMP WITH TIME ZONE`;
    case 'string':
      return sql`VARCHAR`;
    case 'binary':
      return sql`BLOB`;
    case 'list':
      return sql`${duckType(type.element)}[]`;
    case 'struct':
      return sql`STRUCT(${join(type.fields.map((f) => sql`${quoteName(f.name)} ${duckType(f.type)}`))})`;
  }
}

/** A column as a value of its type. */
export function renderCast(name: string, type: ColumnType): Sql {
  return sql`CAST(${quoteName(name)} AS ${duckType(type)})`;
}

const BY_DUCK_NAME: Readonly<Record<string, ColumnType>> = {
  BOOLEAN: { kind: 'boolean' },
  TINYINT: { kind: 'int' },
  SMALLINT: { kind: 'int' },
  INTEGER: { kind: 'int' },
  UTINYINT: { kind: 'int' },
  USMALLINT: { kind: 'int' },
  BIGINT: { kind: 'bigint' },
  UINTEGER: { kind: 'bigint' },
  UBIGINT: { kind: 'decimal', precision: 20, scale: 0 },
  HUGEINT: { kind: 'decimal', precision: 38, scale: 0 },
  FLOAT: { kind: 'float' },
  DOUBLE: { kind: 'double' },
  DATE: { kind: 'date' },
  TIMESTAMP: { kind: 'timestamp' },
  TIMESTAMP_S: { kind: 'timestamp' },
  TIMESTAMP_MS: { kind: 'timestamp' },
  'TIMESTAMP WITH TIME ZONE': { kind: 'timestamptz' },
  VARCHAR: { kind: 'string' },
  UUID: { kind: 'string' },
  BLOB: { kind: 'binary' },
};

/**
 * The column type that stores a DuckDB type (as DESCRIBE prints it), or `undefined` where Iceberg v2 has no place
 * for it: INTERVAL, TIME, MAP, UNION, BIT, nanosecond timestamps.
 */
export function columnTypeOf(text: string): ColumnType | undefined {
  const type = text.trim();
  const element = /^(.*)\[\d*\]$/s.exec(type)?.[1];
  if (element !== undefined) {
    const inner = columnTypeOf(element);
    return inner === undefined ? undefined : { kind: 'list', element: inner };
  }
  if (type.startsWith('STRUCT(')) return structTypeOf(type.slice('STRUCT('.length, -1));
  if (type.startsWith('ENUM(')) return { kind: 'string' };
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(type);
  if (decimal) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) };
  return BY_DUCK_NAME[type];
}

function structTypeOf(body: string): ColumnType | undefined {
  const fields: { name: string; type: ColumnType }[] = [];
  for (const part of splitTopLevel(body)) {
    const [, quoted, plain, typeText] = /^\s*(?:"((?:[^"]|"")*)"|(\S+))\s+(.*)$/s.exec(part) ?? [];
    const name = quoted?.replaceAll('""', '"') ?? plain;
    const type = typeText === undefined ? undefined : columnTypeOf(typeText);
    if (name === undefined || type === undefined) return undefined;
    fields.push({ name, type });
  }
  return { kind: 'struct', fields };
}

/** Splits at commas outside parentheses and quotes. */
export function splitTopLevel(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}
