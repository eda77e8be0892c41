import { EngineError } from '../core/errors.ts';
import type { ColumnStats, JsonValue, Row, WrittenFile } from '../ports.ts';

/**
 * Rows of COPY ... (RETURN_STATS) as WrittenFile.
 * Source: https://duckdb.org/docs/stable/sql/statements/copy (RETURN_STATS).
 */
export function parseWrittenFiles(rows: readonly Row[]): readonly WrittenFile[] {
  return rows.map((row) => ({
    path: text(row, 'filename'),
    rows: Number(row['count']),
    bytes: Number(row['file_size_bytes']),
    partition: entries(row['partition_keys']).map(([column, value]) => ({
      column,
      value: value === null ? null : String(value),
    })),
    columns: entries(row['column_statistics']).map(([path, stats]) => parseColumn(path, new Map(entries(stats)))),
  }));
}

function parseColumn(path: string, stats: ReadonlyMap<string, JsonValue>): ColumnStats {
  const bound = (key: string): string | null => {
    const value = stats.get(key);
    return value === undefined || value === null ? null : String(value);
  };
  return {
    path: parsePath(path),
    bytes: Number(stats.get('column_size_bytes') ?? 0),
    values: Number(stats.get('num_values') ?? 0),
    nulls: Number(stats.get('null_count') ?? 0),
    min: bound('min'),
    max: bound('max'),
    hasNan: stats.get('has_nan') === 'true',
  };
}

/** `"a"."b ""c"""` -> ['a', 'b "c"']. */
function parsePath(path: string): string[] {
  return [...path.matchAll(/"((?:[^"]|"")*)"/g)].map((found) => (found[1] ?? '').replaceAll('""', '"'));
}

/** A DuckDB MAP arrives as a list of { key, value }. */
function entries(map: JsonValue | undefined): [string, JsonValue][] {
  if (map === undefined || map === null) return [];
  if (!Array.isArray(map)) throw new EngineError(`RETURN_STATS: got ${JSON.stringify(map)}; expected a map`);
  return map.map((entry) => [String(entry['key']), entry['value'] ?? null]);
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new EngineError(`RETURN_STATS: got no ${column}; expected text`);
  return value;
}
