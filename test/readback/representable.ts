import type { Column, ColumnType } from '../../lib/core/types.ts';
import type { JsonValue, Row } from '../../lib/ports.ts';

/**
 * Rows as icebird 0.3.1 can represent them, from what DuckDB reads and from what icebird reads, so that the two can be
 * compared for equality. What icebird leaves out of a value: decimals are doubles (the unscaled number times a power of
 * ten), timestamps are cut to milliseconds towards 1970, binary is decoded as UTF-8, and text loses a leading byte order
 * mark. Nothing else is forgiven.
 */
export function fromDuckDb(row: Row, columns: readonly Column[]): readonly unknown[] {
  return columns.map(({ name, type }) => duckValue(type, row[name] ?? null));
}

export function fromIcebird(row: Readonly<Record<string, unknown>>, columns: readonly Column[]): readonly unknown[] {
  return columns.map(({ name, type }) => icebirdValue(type, row[name]));
}

function duckValue(type: ColumnType, value: JsonValue): unknown {
  if (value === null) return null;
  switch (type.kind) {
    case 'boolean':
      return value;
    case 'int':
    case 'bigint':
      return BigInt(value as number | string);
    case 'float':
    case 'double':
      return Number(value);
    case 'decimal':
      return Number(BigInt(String(value).replace('.', ''))) * 10 ** -type.scale;
    case 'date':
      return Date.parse(`${value}T00:00:00Z`);
    case 'timestamp':
    case 'timestamptz':
      return towards1970(String(value));
    case 'string':
      return asText(Buffer.from(String(value)));
    case 'binary':
      return asText(blobBytes(String(value)));
    case 'list':
      return (value as readonly JsonValue[]).map((element) => duckValue(type.element, element));
    case 'struct': {
      const fields = value as { readonly [field: string]: JsonValue };
      return type.fields.map((field) => duckValue(field.type, fields[field.name] ?? null));
    }
  }
}

function icebirdValue(type: ColumnType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'int':
    case 'bigint':
      // A file written before the column was widened has the narrower numbers.
      return BigInt(value as bigint | number);
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return (value as Date).getTime();
    case 'list':
      return (value as readonly unknown[]).map((element) => icebirdValue(type.element, element));
    case 'struct': {
      const fields = value as Readonly<Record<string, unknown>>;
      return type.fields.map((field) => icebirdValue(field.type, fields[field.name]));
    }
    default:
      return value;
  }
}

/** `2024-12-31 23:00:00.000001+00` in milliseconds, cut towards 1970. */
function towards1970(text: string): number {
  const [, date, time, fraction = ''] = /^(\S+) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?$/.exec(text) ?? [];
  const micros = fraction.padEnd(6, '0');
  const down = Date.parse(`${date}T${time}.${micros.slice(0, 3)}Z`);
  return down < 0 && Number(micros.slice(3)) > 0 ? down + 1 : down;
}

/** DuckDB's text of a BLOB: printable bytes as they are, others as `\xNN`. */
function blobBytes(text: string): Uint8Array {
  const units = text.match(/\\x..|./gs) ?? [];
  return Uint8Array.from(units, (unit) =>
    unit.length === 1 ? unit.charCodeAt(0) : Number.parseInt(unit.slice(2), 16),
  );
}

const decoder = new TextDecoder();

function asText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
