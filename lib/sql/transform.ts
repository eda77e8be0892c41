import type { PartitionField } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { ColumnType } from '../core/types.ts';
import { sql } from './fragment.ts';
import { quoteName, quoteText } from './quote.ts';
import { duckType } from './types.ts';

/**
 * A partition field as a SQL expression whose text form `partitionTuple` reads back: the value itself for identity and
 * truncate, a date for day, a whole number for year, month, hour and bucket.
 * Source: https://iceberg.apache.org/spec/#partition-transforms; the session's time zone is UTC.
 */
export function renderTransform(field: PartitionField, type: ColumnType): Sql {
  const column = quoteName(field.column);
  const { transform } = field;
  switch (transform.kind) {
    case 'identity':
      return column;
    case 'year':
      return sql`CAST(year(${column}) - 1970 AS INTEGER)`;
    case 'month':
      return sql`CAST((year(${column}) - 1970) * 12 + month(${column}) - 1 AS INTEGER)`;
    case 'day':
      return sql`CAST(${column} AS DATE)`;
    case 'hour':
      return sql`CAST((epoch_us(${column}) - ${floorRemainder(sql`epoch_us(${column})`, sql`3600000000`)}) // 3600000000 AS INTEGER)`;
    case 'truncate':
      return renderTruncate(column, type, transform.width);
    case 'bucket':
      return sql`CAST((${renderHash32(column, type)} & 2147483647) % ${transform.width} AS INTEGER)`;
  }
}

function renderTruncate(column: Sql, type: ColumnType, width: number): Sql {
  if (type.kind === 'string') return sql`left(${column}, ${width})`;
  // As text: COPY takes a partition's bytes for UTF-8 when it reports them.
  if (type.kind === 'binary') return sql`CAST(${column}[1:${width}] AS VARCHAR)`;
  if (type.kind !== 'decimal') return sql`${column} - ${floorRemainder(column, sql`${width}`)}`;
  return sql`CAST(${column} - ${floorRemainder(column, decimalUnits(width, type.scale, type.precision))} AS ${duckType(type)})`;
}

/** `units` of the last digit of a decimal, in a type that has room for them. */
function decimalUnits(units: number, scale: number, precision: number): Sql {
  const digits = String(units).padStart(scale + 1, '0');
  const text = `${digits.slice(0, digits.length - scale)}.${digits.slice(digits.length - scale)}`;
  return sql`CAST(${quoteText(text)} AS DECIMAL(${Math.min(38, Math.max(precision, digits.length + 1))},${scale}))`;
}

/** The remainder that is never negative, so that values below zero round down as the spec asks. */
function floorRemainder(value: Sql, by: Sql): Sql {
  return sql`(((${value} % ${by}) + ${by}) % ${by})`;
}

function renderHash32(column: Sql, type: ColumnType): Sql {
  switch (type.kind) {
    case 'date':
      return sql`strata_hash_long(CAST(datediff('day', DATE '1970-01-01', ${column}) AS BIGINT))`;
    case 'timestamp':
    case 'timestamptz':
      return sql`strata_hash_long(epoch_us(${column}))`;
    case 'string':
      return sql`strata_hash_bytes(hex(encode(${column})))`;
    case 'binary':
      return sql`strata_hash_bytes(hex(${column}))`;
    case 'decimal':
      return sql`strata_hash_bytes(strata_decimal_hex(${column}))`;
    default:
      return sql`strata_hash_long(CAST(${column} AS BIGINT))`;
  }
}

const U32 = sql`4294967295::UBIGINT`;

/**
 * Murmur3 x86 32 with seed 0 as macros, over 64-bit integers and over bytes in hex. A macro's argument is copied to each
 * of its uses, so a rotation uses it once: x * 2^n modulo 2^32 - 1, shifted by one so that 0 and 2^32 - 1 stay themselves.
 * Source: https://iceberg.apache.org/spec/#appendix-b-32-bit-hash-requirements
 */
export function createHashMacros(): Statement {
  return {
    name: 'hash_macros',
    text: sql`
CREATE MACRO strata_rotl(x, n) AS CAST(1 + (CAST(x AS BIGINT) * (1::BIGINT << n) - 1) % 4294967295 AS UBIGINT);
CREATE MACRO strata_scramble(k) AS (strata_rotl((k * 3432918353::UBIGINT) & ${U32}, 15) * 461845907::UBIGINT) & ${U32};
CREATE MACRO strata_mix(h, k) AS (strata_rotl(xor(h, strata_scramble(k)), 13) * 5::UBIGINT + 3864292196::UBIGINT) & ${U32};
CREATE MACRO strata_shift_xor(h, n) AS xor(h, h >> n);
CREATE MACRO strata_final(h) AS CAST(strata_shift_xor((strata_shift_xor((strata_shift_xor(h, 16) * 2246822507::UBIGINT) & ${U32}, 13) * 3266489909::UBIGINT) & ${U32}, 16) AS BIGINT);
CREATE MACRO strata_hash_long(v) AS strata_final(xor(strata_mix(strata_mix(0::UBIGINT, CAST(v & 4294967295 AS UBIGINT)), CAST((v >> 32) & 4294967295 AS UBIGINT)), 8::UBIGINT));
CREATE MACRO strata_swap(x) AS ((x & 255) << 24) | ((x & 65280) << 8) | ((x >> 8) & 65280) | (x >> 24);
CREATE MACRO strata_word(hex, start) AS strata_swap(CAST('0x' || substr(hex, start, 8) AS UBIGINT));
CREATE MACRO strata_tail(hex, size) AS CASE WHEN size % 4 = 0 THEN 0::UBIGINT ELSE strata_scramble(strata_word(hex || '000000', 2 * (size - size % 4) + 1)) END;
CREATE MACRO strata_body(hex, size) AS list_reduce(list_transform(range(1, 8 * (size // 4), 8), lambda i: strata_word(hex, i)), lambda h, k: strata_mix(h, k), 0::UBIGINT);
CREATE MACRO strata_hash_bytes(hex) AS CASE WHEN hex IS NULL THEN NULL ELSE list_transform([xor(xor(strata_body(hex, strlen(hex) // 2), strata_tail(hex, strlen(hex) // 2)), CAST(strlen(hex) // 2 AS UBIGINT))], lambda h: strata_final(h))[1] END;
CREATE MACRO strata_shortest(digits, fill, wrong) AS CASE WHEN digits = '' THEN fill WHEN regexp_matches(digits, wrong) THEN fill || digits ELSE digits END;
CREATE MACRO strata_twos_complement(v) AS CASE WHEN v < 0 THEN strata_shortest(regexp_replace(to_hex(v), '^(FF)+', ''), 'FF', '^[0-7]') ELSE strata_shortest(regexp_replace(lpad(to_hex(v), 32, '0'), '^(00)+', ''), '00', '^[89A-F]') END;
CREATE MACRO strata_decimal_hex(d) AS strata_twos_complement(CAST(replace(CAST(d AS VARCHAR), '.', '') AS HUGEINT));
`,
  };
}
