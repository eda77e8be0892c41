import { leafFields } from './schema.ts';
import type { DataFile, NestedField, TableMetadata } from './types.ts';

/** By field id: under which names a file has columns. */
export type NamesInFile = ReadonlyMap<number, string>;

type SteadyField = { readonly id: number; readonly name: string; readonly leaves: readonly number[] };

/**
 * What is known of the names of columns in files that were written by the schema of their time: of the columns that have
 * had one name and one type as long as the table has been, and whose names no other column has had. That a file has such a
 * column, its counts of values say. Nothing is known where a schema is missing, which others may have removed.
 */
export function namesInFiles(metadata: TableMetadata): (file: Pick<DataFile, 'valueCounts'>) => NamesInFile {
  const steady = steadyFields(metadata);
  // Files of one age have the same columns, and share what is known of them.
  const shared = new Map<string, NamesInFile>();
  return ({ valueCounts }) => {
    const found = steady.filter(({ leaves }) => leaves.every((id) => valueCounts.has(id)));
    const key = found.map(({ id }) => id).join();
    const names = shared.get(key) ?? new Map(found.map(({ id, name }) => [id, name]));
    shared.set(key, names);
    return names;
  };
}

function steadyFields({ schemas }: TableMetadata): readonly SteadyField[] {
  const numbers = new Set(schemas.map((one) => one['schema-id']));
  const last = Math.max(...numbers);
  if (numbers.size !== last + 1) return [];
  const fields = schemas.flatMap((schema) => schema.fields);
  const byId = variantsBy(fields, ({ id }) => id);
  // Engines ignore case where they look for a name.
  const byName = variantsBy(fields, ({ name }) => name.toLowerCase());
  const steady = new Map(fields.map((field) => [field.id, field]));
  return [...steady.values()].flatMap((field) => {
    const only = byId.get(field.id)?.size === 1 && byName.get(field.name.toLowerCase())?.size === 1;
    return only
      ? [
          {
            id: field.id,
            name: field.name,
            leaves: leafFields({ type: 'struct', fields: [field] }).map(({ id }) => id),
          },
        ]
      : [];
  });
}

function variantsBy<K>(fields: readonly NestedField[], keyOf: (field: NestedField) => K): ReadonlyMap<K, Set<string>> {
  const variants = new Map<K, Set<string>>();
  for (const field of fields) {
    const known = variants.get(keyOf(field)) ?? new Set();
    variants.set(keyOf(field), known.add(JSON.stringify([field.id, field.name, field.type])));
  }
  return variants;
}
