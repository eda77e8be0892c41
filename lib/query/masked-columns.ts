import { listedIn, PERSONAL_COLUMNS, PERSONAL_SOURCES } from '../core/personal.ts';
import { columnsOf, currentSchema } from '../iceberg/schema.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import type { MaskedColumn } from '../sql/masked.ts';

/** Columns of the quarantine table that hold what stood in records. Details quote no personal value. */
export const MASKED_OF_RECORDS = ['raw', 'business_key'] as const;

/** The columns of a table that are masked for who does not ask for what is personal, whatever they were called before. */
export function maskedColumns(metadata: TableMetadata): readonly MaskedColumn[] {
  const schema = currentSchema(metadata);
  const names = new Set(listedIn(metadata.properties, PERSONAL_COLUMNS));
  const fields = metadata.schemas.flatMap((one) => one.fields).filter(({ name }) => names.has(name));
  const ids = new Set(fields.map(({ id }) => id));
  const own = new Set(schema.fields.filter(({ id }) => ids.has(id)).map(({ name }) => name));
  const sources = listedIn(metadata.properties, PERSONAL_SOURCES);
  const records = new Set<string>(sources.length === 0 ? [] : MASKED_OF_RECORDS);
  return columnsOf(schema).flatMap((column): readonly MaskedColumn[] => {
    if (own.has(column.name)) return [column];
    return records.has(column.name) ? [{ ...column, sources }] : [];
  });
}
