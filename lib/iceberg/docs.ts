import { DESCRIBED_COLUMNS, type Descriptions, descriptionOf } from '../core/described.ts';
import { listedIn } from '../core/personal.ts';
import type { Column } from '../core/types.ts';
import { columnTypeOf, currentSchema } from './schema.ts';
import type { TableMetadata } from './types.ts';

/**
 * The columns of a table of which its pipeline says something else than the table does, with their new docs: an empty one takes away what
 * the pipeline said before. Docs that others wrote stay where the pipeline says nothing.
 */
export function docsToChange(metadata: TableMetadata, descriptions: Descriptions | undefined): readonly Column[] {
  const own = new Set(listedIn(metadata.properties, DESCRIBED_COLUMNS));
  return currentSchema(metadata).fields.flatMap(({ name, type, doc = '' }) => {
    const wanted = descriptionOf(descriptions, name) ?? (own.has(name) ? '' : doc);
    return wanted === doc ? [] : [{ name, type: columnTypeOf(type), doc: wanted }];
  });
}

/** Columns of which the pipeline said something once and says nothing now have an empty doc. */
export function withoutFormerDocs(metadata: TableMetadata, columns: readonly Column[]): readonly Column[] {
  const own = new Set(listedIn(metadata.properties, DESCRIBED_COLUMNS));
  return columns.map((column) => (column.doc === undefined && own.has(column.name) ? { ...column, doc: '' } : column));
}
