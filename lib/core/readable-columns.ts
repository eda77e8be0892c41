import { historyColumns, isKeyed, KEY_HASH, type KeyedModel, logColumns } from './keyed.ts';
import { metadataColumns } from './metadata.ts';
import type { ModelSpec } from './spec.ts';
import type { Column } from './types.ts';

/** The columns that SQL sees of a model's table: its own, those of its mode and its metadata, and no hashes. */
export function readableColumns(model: ModelSpec): readonly Column[] {
  if (isKeyed(model)) return withoutHash(historyColumns(model.mode, model.columns));
  return model.layer === 'gold' ? model.columns : [...model.columns, ...metadataColumns(model)];
}

/** The columns that SQL sees of a keyed model's log. */
export function readableLogColumns(model: KeyedModel): readonly Column[] {
  return withoutHash(logColumns(model.mode, model.columns));
}

function withoutHash(columns: readonly Column[]): readonly Column[] {
  return columns.filter((column) => column.name !== KEY_HASH);
}
