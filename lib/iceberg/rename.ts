import { pendingRenames, type Renamed } from '../core/renames.ts';
import { NAME_MAPPING, nameInMapping } from './name-mapping.ts';
import { currentSchema } from './schema.ts';
import type { Schema, TableMetadata } from './types.ts';

/**
 * The schema with new names for the columns that have one of their former ones; all else of them stays, their ids first
 * of all, by which files, partitions and sort orders know them. The same schema where nothing is to be renamed.
 */
export function renameFields(schema: Schema, renamed: Renamed = {}): Schema {
  const pending = pendingRenames(
    renamed,
    schema.fields.map(({ name }) => name),
  );
  if (pending.size === 0) return schema;
  const names = new Map([...pending].map(([name, before]) => [before, name]));
  return { ...schema, fields: schema.fields.map((field) => ({ ...field, name: names.get(field.name) ?? field.name })) };
}

/** A table as it is read under the names of now, before its metadata says so. */
export function withRenamed(metadata: TableMetadata, renamed: Renamed | undefined): TableMetadata {
  const current = currentSchema(metadata);
  const schema = renameFields(current, renamed);
  if (schema === current) return metadata;
  // Snapshots go on to name the schema of their time.
  const id = 1 + Math.max(...metadata.schemas.map((one) => one['schema-id']));
  return { ...metadata, schemas: [...metadata.schemas, { ...schema, 'schema-id': id }], 'current-schema-id': id };
}

/** The table's name mapping with the names of now beside those of then; nothing where it has none. */
export function renameInMapping(metadata: TableMetadata, renamed: Renamed = {}): Readonly<Record<string, string>> {
  const text = metadata.properties[NAME_MAPPING];
  const before = new Map(currentSchema(metadata).fields.map(({ id, name }) => [id, name]));
  const given = renameFields(currentSchema(metadata), renamed).fields.filter(({ id, name }) => before.get(id) !== name);
  if (text === undefined || given.length === 0) return {};
  return { [NAME_MAPPING]: nameInMapping(text, metadata.location, new Map(given.map(({ id, name }) => [id, name]))) };
}
