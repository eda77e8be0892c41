import { InvalidInput, UnreadableTable } from '../core/errors.ts';
import type { Column, ColumnType } from '../core/types.ts';
import type { IcebergType, NestedField, Schema, StructType, TableMetadata } from './types.ts';

/**
 * Columns as Iceberg fields and back. Every field is optional: a contract's `required` is checked on rows, and a
 * column that is required can never be added to a table that has rows.
 * Source: https://iceberg.apache.org/spec/#schemas-and-data-types.
 */

/** Gives the next unused field id. */
export type FieldIds = () => number;

export function fieldIdsAfter(last: number): FieldIds {
  let id = last;
  return () => {
    id += 1;
    return id;
  };
}

/**
 * A schema with fresh ids, top level first and then nested ones, as Java assigns them.
 * Throws InvalidInput when two names in one struct are equal ignoring case.
 */
export function schemaOf(columns: readonly Column[], schemaId = 0): { schema: Schema; lastColumnId: number } {
  const next = fieldIdsAfter(0);
  const schema: Schema = { type: 'struct', 'schema-id': schemaId, fields: freshFields(columns, next) };
  return { schema, lastColumnId: next() - 1 };
}

export function freshFields(columns: readonly Column[], next: FieldIds): readonly NestedField[] {
  assertDistinct(columns.map((column) => column.name));
  const ids = columns.map(() => next());
  return columns.map((column, at) => ({
    id: ids[at] ?? 0,
    name: column.name,
    required: false,
    type: freshType(column.type, next),
    ...(column.doc === undefined || column.doc === '' ? {} : { doc: column.doc }),
  }));
}

/** The Iceberg type of a column type; nested fields take their ids from `next`. */
export function freshType(type: ColumnType, next: FieldIds): IcebergType {
  switch (type.kind) {
    case 'bigint':
      return 'long';
    case 'decimal':
      return `decimal(${type.precision}, ${type.scale})`;
    case 'list':
      return { type: 'list', 'element-id': next(), 'element-required': false, element: freshType(type.element, next) };
    case 'struct':
      return { type: 'struct', fields: freshFields(type.fields, next) };
    default:
      return type.kind;
  }
}

/** DuckDB, Athena and Glue ignore case, Iceberg does not: a schema that differs only in case would be ambiguous there. */
export function assertDistinct(names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      throw new InvalidInput(
        `two columns with one name: got ${other} and ${name}; expected names that differ in more than case`,
      );
    }
    seen.set(name.toLowerCase(), name);
  }
}

/** The columns of a schema. Throws UnreadableTable for a type that no column can have (time, uuid, fixed). */
export function columnsOf(struct: StructType): readonly Column[] {
  return struct.fields.map((field) => ({
    name: field.name,
    type: columnTypeOf(field.type),
    ...(field.doc === undefined ? {} : { doc: field.doc }),
  }));
}

export function columnTypeOf(type: IcebergType): ColumnType {
  if (typeof type !== 'string') {
    return type.type === 'list'
      ? { kind: 'list', element: columnTypeOf(type.element) }
      : { kind: 'struct', fields: columnsOf(type) };
  }
  const decimal = decimalOf(type);
  if (decimal !== undefined) return { kind: 'decimal', ...decimal };
  switch (type) {
    case 'long':
      return { kind: 'bigint' };
    case 'boolean':
    case 'int':
    case 'float':
    case 'double':
    case 'date':
    case 'timestamp':
    case 'timestamptz':
    case 'string':
    case 'binary':
      return { kind: type };
    default:
      throw new UnreadableTable(`a column of type ${type}, which Strata does not read`);
  }
}

/** Precision and scale of `decimal(P, S)`; undefined for every other type. */
export function decimalOf(type: IcebergType): { precision: number; scale: number } | undefined {
  const found = typeof type === 'string' ? /^decimal\((\d+), ?(\d+)\)$/.exec(type) : null;
  return found === null ? undefined : { precision: Number(found[1]), scale: Number(found[2]) };
}

export function schemaById(metadata: TableMetadata, id: number): Schema {
  const schema = metadata.schemas.find((one) => one['schema-id'] === id);
  if (schema === undefined) throw new UnreadableTable(`table metadata is damaged: no schema with id ${id}`);
  return schema;
}

export function currentSchema(metadata: TableMetadata): Schema {
  return schemaById(metadata, metadata['current-schema-id']);
}

/** A top-level field by name: exactly, or else the one that differs only in case. */
export function fieldByName(struct: StructType, name: string): NestedField | undefined {
  const folded = name.toLowerCase();
  return (
    struct.fields.find((field) => field.name === name) ??
    struct.fields.find((field) => field.name.toLowerCase() === folded)
  );
}

/** A column that holds values: its path by names, where a list's element is called `element`. */
export type LeafField = {
  readonly id: number;
  readonly path: readonly string[];
  readonly type: string;
  readonly insideList: boolean;
};

/** All leaves, depth first. */
export function leafFields(struct: StructType): readonly LeafField[] {
  return struct.fields.flatMap((field) => leavesOf(field.type, field.id, [field.name], false));
}

function leavesOf(type: IcebergType, id: number, path: readonly string[], insideList: boolean): readonly LeafField[] {
  if (typeof type === 'string') return [{ id, path, type, insideList }];
  if (type.type === 'list') return leavesOf(type.element, type['element-id'], [...path, 'element'], true);
  return type.fields.flatMap((field) => leavesOf(field.type, field.id, [...path, field.name], insideList));
}

/** The field with an id, at any depth, with its type. */
export function typeOfField(struct: StructType, id: number): IcebergType | undefined {
  for (const field of struct.fields) {
    const found = field.id === id ? field.type : typeInside(field.type, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

function typeInside(type: IcebergType, id: number): IcebergType | undefined {
  if (typeof type === 'string') return undefined;
  if (type.type === 'struct') return typeOfField(type, id);
  return type['element-id'] === id ? type.element : typeInside(type.element, id);
}
