import type { Sql } from '../core/sql-text.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { quoteName, quoteText } from './quote.ts';
import { splitTopLevel } from './types.ts';
import { engineSql } from './user-sql.ts';

/**
 * The type of a column that arrives typed, with the names that the file gives its parts. DuckDB finds parts without
 * regard to case and renames those that differ in nothing else, so that all are found by their place.
 */
export type NativeType =
  /** `stored`: the file is read so that the value comes as it lies there, and is made from that here. */
  | { readonly kind: 'leaf'; readonly type: string; readonly stored?: Stored }
  | { readonly kind: 'list'; readonly element: NativeType }
  | { readonly kind: 'map'; readonly key: NativeType; readonly value: NativeType }
  | { readonly kind: 'struct'; readonly fields: readonly { readonly name: string; readonly type: NativeType }[] };

/**
 * What DuckDB would cut, wrap or mistake. Times become text with every digit, so that the rules for text hold:
 * counts since 1970 (`utc`: with a zone), INT96 (nanoseconds of a day and a Julian day), times of day in nanoseconds,
 * numbers of 16 bits.
 */
export type Stored =
  | { readonly kind: 'instant'; readonly unit: 'millis' | 'micros' | 'nanos'; readonly utc: boolean }
  | { readonly kind: 'int96' }
  | { readonly kind: 'time_nanos' }
  | { readonly kind: 'float16' };

/** A type as DESCRIBE prints it. */
export function parseNativeType(text: string): NativeType {
  const type = text.trim();
  const element = /^(.*)\[\d*\]$/s.exec(type)?.[1];
  if (element !== undefined) return { kind: 'list', element: parseNativeType(element) };
  if (type.startsWith('STRUCT(')) {
    const parts = splitTopLevel(type.slice('STRUCT('.length, -1));
    const fields = parts.map((part) => {
      const [, quoted, plain, inner] = /^\s*(?:"((?:[^"]|"")*)"|(\S+))\s+(.*)$/s.exec(part) ?? [];
      return { name: quoted?.replaceAll('""', '"') ?? plain ?? '', type: parseNativeType(inner ?? '') };
    });
    return { kind: 'struct', fields };
  }
  if (type.startsWith('MAP(')) {
    const [key = '', value = ''] = splitTopLevel(type.slice('MAP('.length, -1));
    return { kind: 'map', key: parseNativeType(key), value: parseNativeType(value) };
  }
  // JSON is text; its rules are those of text.
  return { kind: 'leaf', type: type === 'JSON' ? 'VARCHAR' : type };
}

/** The type by which a column of this type is declared, as DuckDB would print it. */
export function declaredType(native: NativeType): Sql {
  switch (native.kind) {
    case 'list':
      return sql`${declaredType(native.element)}[]`;
    case 'map':
      return sql`MAP(${declaredType(native.key)}, ${declaredType(native.value)})`;
    case 'struct':
      return sql`STRUCT(${join(native.fields.map((f) => sql`${quoteName(f.name)} ${declaredType(f.type)}`))})`;
    case 'leaf':
      if (native.stored?.kind === 'int96') return sql`TIMESTAMP`;
      if (native.stored?.kind !== 'instant') return engineSql(native.type);
      return native.stored.utc ? sql`TIMESTAMP WITH TIME ZONE` : sql`TIMESTAMP`;
  }
}

/** The value of a column as the contract's rules take it, from the value that DuckDB reads. */
export function renderStored(native: NativeType, value: Sql, depth = 0): Sql {
  if (!isStored(native)) return value;
  switch (native.kind) {
    case 'list':
      return sql`list_transform(${value}, lambda s${depth}: ${renderStored(native.element, sql`s${depth}`, depth + 1)})`;
    case 'map': {
      const entry = (part: 'key' | 'value'): Sql =>
        renderStored(native[part], sql`struct_extract(s${depth}, ${quoteText(part)})`, depth + 1);
      const pair = sql`struct_pack("key" := ${entry('key')}, "value" := ${entry('value')})`;
      return sql`map_from_entries(list_transform(map_entries(${value}), lambda s${depth}: ${pair}))`;
    }
    case 'struct': {
      const fields = native.fields.map(
        (f, i) =>
          sql`${fieldName(native.fields, i)} := ${renderStored(f.type, sql`struct_extract_at(${value}, ${i + 1})`, depth)}`,
      );
      return sql`(CASE WHEN ${value} IS NOT NULL THEN struct_pack(${join(fields)}) END)`;
    }
    case 'leaf':
      return native.stored === undefined ? value : renderLeaf(native.stored, value);
  }
}

/** A field's own name, as far as DuckDB can tell it from the others. */
function fieldName(fields: readonly { readonly name: string }[], index: number): Sql {
  const name = fields[index]?.name ?? NOTHING;
  const same = fields.filter((f) => f.name.toLowerCase() === name.toLowerCase());
  return quoteName(same.length === 1 ? name : `${name}_${index}`);
}

export function isStored(native: NativeType): boolean {
  switch (native.kind) {
    case 'list':
      return isStored(native.element);
    case 'map':
      return isStored(native.key) || isStored(native.value);
    case 'struct':
      return native.fields.some((f) => isStored(f.type));
    case 'leaf':
      return native.stored !== undefined;
  }
}

/** Beyond them DuckDB has no timestamp: microseconds since 1970. */
const FIRST_INSTANT = sql`-9223372022400000000`;
const LAST_INSTANT = sql`9223372036854775806`;

function renderLeaf(stored: Stored, value: Sql): Sql {
  switch (stored.kind) {
    case 'instant': {
      const zone = stored.utc ? '+00' : '';
      const perMicro = { millis: sql`1000`, micros: sql`1`, nanos: sql`1` }[stored.unit];
      const nanos = stored.unit === 'nanos' ? value : sql`CAST(${value} AS HUGEINT) * ${perMicro}000`;
      return renderInstant(nanos, zone, sql`${value} || ${quoteText(` ${stored.unit} since 1970`)}`);
    }
    case 'int96': {
      // Read as a decimal, the twelve bytes are a number whose first byte counts most; both parts are stored the other way.
      const whole = sql`(CAST(${value} AS HUGEINT) & 79228162514264337593543950335::HUGEINT)`;
      const nanos = swapBytes(sql`CAST(${whole} >> 32 AS UBIGINT)`, 8);
      const day = swapBytes(sql`CAST(${whole} & 4294967295::HUGEINT AS UBIGINT)`, 4);
      const days = sql`(CAST(${day} AS HUGEINT) - CASE WHEN ${day} > 2147483647 THEN 4294967296 ELSE 0 END - ${UNIX_DAY})`;
      const inDay = sql`(CASE WHEN ${nanos} < ${NANOS_OF_DAY} THEN ${nanos} END)`;
      return renderInstant(
        sql`(${days} * ${NANOS_OF_DAY} + ${inDay})`,
        '',
        sql`'Julian day ' || ${day} || ' and ' || ${nanos} || ' nanos'`,
      );
    }
    case 'time_nanos': {
      const seconds = sql`CAST(make_time(0, 0, 0) + to_seconds(${value} // 1000000000) AS VARCHAR)`;
      const fraction = sql`rtrim('.' || lpad(CAST(${value} % 1000000000 AS VARCHAR), 9, '0'), '.0')`;
      return sql`(CASE WHEN ${value} BETWEEN 0 AND ${NANOS_OF_DAY} - 1 THEN ${seconds} || ${fraction} WHEN ${value} IS NOT NULL THEN ${value} || ' nanos' END)`;
    }
    case 'float16':
      return renderFloat16(sql`CAST(${swapBytes(sql`(CAST(${value} AS INTEGER) & 65535)`, 2)} AS INTEGER)`);
  }
}

const UNIX_DAY = 2_440_588;
const NANOS_OF_DAY = 86_400_000_000_000;

/** ISO 8601 with as many digits as it takes, or `otherwise` where DuckDB has no timestamp for it; NULL for NULL. */
function renderInstant(nanos: Sql, zone: string, otherwise: Sql): Sql {
  const total = sql`CAST(${nanos} AS HUGEINT)`;
  const rest = sql`((${total} % 1000 + 1000) % 1000)`;
  const micros = sql`((${total} - ${rest}) // 1000)`;
  const inRange = sql`${micros} BETWEEN ${FIRST_INSTANT} AND ${LAST_INSTANT}`;
  const instant = sql`make_timestamp(CAST(CASE WHEN ${inRange} THEN ${micros} END AS BIGINT))`;
  const fine = sql`strftime(${instant}, '%Y-%m-%d %H:%M:%S.%f') || lpad(CAST(${rest} AS VARCHAR), 3, '0')`;
  const text = sql`(CASE WHEN ${rest} = 0 THEN CAST(${instant} AS VARCHAR) ELSE ${fine} END) || ${quoteText(zone)}`;
  return sql`(CASE WHEN ${inRange} THEN ${text} ELSE ${otherwise} END)`;
}

/** An unsigned number of so many bytes with its bytes the other way round. */
function swapBytes(value: Sql, bytes: number): Sql {
  const parts = Array.from(
    { length: bytes },
    (_, i) => sql`(((${value} >> ${8 * i}) & 255) << ${8 * (bytes - 1 - i)})`,
  );
  return sql`(${join(parts, ' | ')})`;
}

/** IEEE 754 binary16 from its bits. */
function renderFloat16(bits: Sql): Sql {
  const sign = sql`(CASE WHEN ${bits} >= 32768 THEN -1.0::DOUBLE ELSE 1.0::DOUBLE END)`;
  const exponent = sql`((${bits} >> 10) & 31)`;
  const fraction = sql`(${bits} & 1023)`;
  const special = sql`(CASE WHEN ${fraction} = 0 THEN 'inf'::DOUBLE ELSE 'nan'::DOUBLE END)`;
  const small = sql`${fraction} * pow(2.0::DOUBLE, -24)`;
  const usual = sql`(1 + ${fraction} / 1024.0::DOUBLE) * pow(2.0::DOUBLE, ${exponent} - 15)`;
  return sql`CAST(${sign} * (CASE ${exponent} WHEN 31 THEN ${special} WHEN 0 THEN ${small} ELSE ${usual} END) AS FLOAT)`;
}
