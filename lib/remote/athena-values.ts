import type { ColumnInfo } from '@aws-sdk/client-athena';
import type { JsonValue } from '../ports.ts';

/** A column of an Athena result, with the type that DuckDB has for it. */
export type AthenaColumn = { readonly name: string; readonly type: string; readonly athena: string };

const DUCKDB_TYPES: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  tinyint: 'TINYINT',
  smallint: 'SMALLINT',
  integer: 'INTEGER',
  int: 'INTEGER',
  bigint: 'BIGINT',
  float: 'FLOAT',
  real: 'FLOAT',
  double: 'DOUBLE',
  varchar: 'VARCHAR',
  char: 'VARCHAR',
  string: 'VARCHAR',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  'timestamp with time zone': 'TIMESTAMP WITH TIME ZONE',
  varbinary: 'BLOB',
  json: 'JSON',
};

/** Athena may name two columns the same; as in a local query, the second `a` is called `a_1`. */
export function columnsOfResult(infos: readonly ColumnInfo[]): readonly AthenaColumn[] {
  const taken = new Set<string>();
  return infos.map((info) => {
    const athena = (info.Type ?? 'varchar').toLowerCase();
    const type =
      athena === 'decimal'
        ? `DECIMAL(${info.Precision ?? 38},${info.Scale ?? 0})`
        : (DUCKDB_TYPES[athena] ?? 'VARCHAR');
    const name = distinctName(info.Name ?? '', taken);
    taken.add(name);
    return { name, type, athena };
  });
}

function distinctName(name: string, taken: ReadonlySet<string>): string {
  let distinct = name;
  for (let count = 1; taken.has(distinct); count += 1) distinct = `${name}_${count}`;
  return distinct;
}

/**
 * A value of a result as a local query gives it. GetQueryResults has text alone, and no text for NULL, which keeps NULL
 * and an empty string apart. Arrays, maps and rows stay as Athena's text, which cannot be read back without doubt.
 */
export function parseValue(text: string | undefined, { athena }: Pick<AthenaColumn, 'athena'>): JsonValue {
  if (text === undefined) return null;
  switch (athena) {
    case 'boolean':
      return text === 'true';
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'int':
    case 'bigint':
      return Number.isSafeInteger(Number(text)) ? Number(text) : text;
    case 'float':
    case 'real':
      return floating(text, Math.fround(Number(text)));
    case 'double':
      return floating(text, Number(text));
    case 'time':
    case 'timestamp':
      return withoutZeros(text);
    case 'timestamp with time zone':
      return withoutZeros(text).replace(/ (?:UTC|Z|[+]00:00)$/, '+00');
    case 'varbinary':
      return blobText(text);
    default:
      return text;
  }
}

/** JSON has no NaN and no infinity: they stay text. */
function floating(text: string, number: number): JsonValue {
  return Number.isFinite(number) ? number : text;
}

/** `12:00:00.120000` as `12:00:00.12`, `12:00:00.000` as `12:00:00`. */
function withoutZeros(text: string): string {
  return text.replace(/(:\d\d)\.(\d*?)0+(?=\D|$)/, (_, seconds: string, digits: string) =>
    digits === '' ? seconds : `${seconds}.${digits}`,
  );
}

/** Athena writes bytes as `00 ff 61`; DuckDB as text with `\xFF` for what is not plain ASCII, and for quotes. */
function blobText(text: string): string {
  const bytes = text.split(' ').filter((pair) => pair !== '');
  return bytes
    .map((pair) => {
      const byte = Number.parseInt(pair, 16);
      const plain = byte > 0x1f && byte < 0x7f && byte !== 0x22 && byte !== 0x27;
      return plain ? String.fromCharCode(byte) : `\\x${pair.toUpperCase()}`;
    })
    .join('');
}
