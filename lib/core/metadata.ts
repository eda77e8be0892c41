import type { MetadataColumn, SilverModel } from './spec.ts';
import type { Column, ColumnType } from './types.ts';

/**
 * What each metadata column holds: the row hash (SHA-256, lower-case hex), the store key of the file, how many times
 * the business key has arrived so far (1 for a row that was never rejected), the instant and the id of the run.
 */
export const METADATA_TYPES: Readonly<Record<MetadataColumn, ColumnType>> = {
  row_hash: { kind: 'string' },
  source_file: { kind: 'string' },
  attempt: { kind: 'int' },
  ingested_at: { kind: 'timestamptz' },
  run_id: { kind: 'string' },
};

/** The columns that a model's table has beside the model's own, in the order they were declared. */
export function metadataColumns(model: Pick<SilverModel, 'metadata'>): readonly Column[] {
  return model.metadata.map((name) => ({ name, type: METADATA_TYPES[name] }));
}
