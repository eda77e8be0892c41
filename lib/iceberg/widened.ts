import { currentSchema } from './schema.ts';
import type { TableMetadata } from './types.ts';

/**
 * The table property by which Spark reads row by row. Source: iceberg.apache.org/docs/latest/configuration.
 * Its readers of batches take the annotation of 32-bit integers, which DuckDB writes, for the type of the column, and fail
 * where that is 64 bits wide by now.
 */
const VECTORIZED = 'read.parquet.vectorization.enabled';

/** What a table says to Spark once one of its columns was int and is long; nothing where it says anything itself. */
export function readableWidened(table: TableMetadata): Readonly<Record<string, string>> {
  if (VECTORIZED in table.properties) return {};
  const longs = new Set(currentSchema(table).fields.flatMap(({ id, type }) => (type === 'long' ? [id] : [])));
  const widened = table.schemas.some(({ fields }) => fields.some(({ id, type }) => type === 'int' && longs.has(id)));
  return widened ? { [VECTORIZED]: 'false' } : {};
}
