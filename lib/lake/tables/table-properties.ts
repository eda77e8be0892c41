import { type Change, setProperties } from '../../iceberg/changes.ts';
import type { TableMetadata } from '../../iceberg/types.ts';

/** The table property that says which model, or which log of a model, a table is of. */
export const MODEL = 'strata.model';

/** The change that makes a table's properties say what is wanted; undefined when they do. Others stay. */
export function changedProperties(
  metadata: TableMetadata,
  wanted: Readonly<Record<string, string>>,
): Change | undefined {
  const changed = Object.entries(wanted).filter(([name, value]) => metadata.properties[name] !== value);
  return changed.length === 0 ? undefined : setProperties(metadata, Object.fromEntries(changed));
}
