import type { Column, ColumnType } from '../core/types.ts';
import { renderColumnType } from '../core/types.ts';
import { renderLossless } from './lossless.ts';
import { assertDistinct, columnTypeOf, decimalOf, type FieldIds, fieldIdsAfter, freshFields } from './schema.ts';
import type { IcebergType, NestedField, Schema, StructType } from './types.ts';

export type IncompatibleColumn = { readonly column: string; readonly got: string; readonly expected: string };

export type Evolution =
  | { readonly kind: 'same' }
  | { readonly kind: 'evolved'; readonly schema: Schema; readonly lastColumnId: number }
  | { readonly kind: 'incompatible'; readonly columns: readonly IncompatibleColumn[] };

/**
 * What `wanted` makes of a table's schema. Allowed: a new column at the end (also inside structs), int to long, float to
 * double, a decimal of more digits with the same scale, a new doc (an empty one is none). A column that `wanted` lacks stays; a wanted type
 * narrower than the table's leaves the table's, and writers cast to it. Ids are never reused. Everything else is
 * listed as incompatible, all columns at once. The evolved schema's id is the current one plus one.
 * Throws InvalidInput when wanted names are equal ignoring case.
 * Source: https://iceberg.apache.org/spec/#schema-evolution.
 */
export function evolveSchema(current: Schema, lastColumnId: number, wanted: readonly Column[]): Evolution {
  const walk: Walk = { next: fieldIdsAfter(lastColumnId), incompatible: [] };
  const fields = mergeFields(current, wanted, [], walk);
  if (walk.incompatible.length > 0) return { kind: 'incompatible', columns: walk.incompatible };
  if (renderLossless(fields) === renderLossless(current.fields)) return { kind: 'same' };
  const schema: Schema = { ...current, 'schema-id': current['schema-id'] + 1, fields };
  return { kind: 'evolved', schema, lastColumnId: walk.next() - 1 };
}

/**
 * What `wanted` makes of the schema of a table whose rows are all replaced with it: the wanted columns, in their order.
 * A column keeps its id where its values of before are values of the wanted type; where they are not, the column goes
 * and another of the same name, with an id of its own, comes. Snapshots of before keep the schema of their time. A column
 * of `bound` (ids that partition fields name, also those of the past) cannot go: readers bind every spec.
 * Throws InvalidInput when wanted names are equal ignoring case.
 */
export function replaceSchema(
  current: Schema,
  lastColumnId: number,
  wanted: readonly Column[],
  bound: ReadonlySet<number>,
): Evolution {
  assertDistinct(wanted.map((column) => column.name));
  const next = fieldIdsAfter(lastColumnId);
  const fields = wanted.map((column) => {
    const field = current.fields.find((one) => one.name === column.name);
    const walk: Walk = { next, incompatible: [] };
    const merged = field === undefined ? undefined : mergeField(field, column, [field.name], walk);
    const fits = merged !== undefined && walk.incompatible.length === 0 && isOfType(merged, column);
    return fits ? merged : freshFields([column], next)[0];
  });
  const kept = fields.filter((field) => field !== undefined);
  const lost = current.fields.filter((field) => bound.has(field.id) && !kept.some((one) => one.id === field.id));
  if (lost.length > 0) return { kind: 'incompatible', columns: lost.map((field) => lostColumn(field, wanted)) };
  if (renderLossless(kept) === renderLossless(current.fields)) return { kind: 'same' };
  const schema: Schema = { ...current, 'schema-id': current['schema-id'] + 1, fields: kept };
  return { kind: 'evolved', schema, lastColumnId: next() - 1 };
}

function isOfType(field: NestedField, column: Column): boolean {
  return renderColumnType(columnTypeOf(field.type)) === renderColumnType(column.type);
}

function lostColumn(field: NestedField, wanted: readonly Column[]): IncompatibleColumn {
  const column = wanted.find((one) => one.name === field.name);
  const expected = `${renderColumnType(columnTypeOf(field.type))}, by which it is or was partitioned,`;
  return { column: field.name, got: column === undefined ? 'none' : renderColumnType(column.type), expected };
}

type Walk = { readonly next: FieldIds; readonly incompatible: IncompatibleColumn[] };

function mergeFields(
  current: StructType,
  wanted: readonly Column[],
  path: readonly string[],
  walk: Walk,
): readonly NestedField[] {
  assertDistinct(wanted.map((column) => column.name));
  const byFolded = new Map(wanted.map((column) => [column.name.toLowerCase(), column]));
  const kept = current.fields.map((field) => {
    const column = byFolded.get(field.name.toLowerCase());
    byFolded.delete(field.name.toLowerCase());
    return column === undefined ? field : mergeField(field, column, [...path, field.name], walk);
  });
  return [...kept, ...freshFields([...byFolded.values()], walk.next)];
}

function mergeField(field: NestedField, column: Column, path: readonly string[], walk: Walk): NestedField {
  if (field.name !== column.name) {
    walk.incompatible.push({
      column: path.join('.'),
      got: column.name,
      expected: `${field.name} (the table's spelling)`,
    });
    return field;
  }
  const type = mergeType(field.type, column.type, path, walk);
  const { doc: _former, ...bare } = field;
  if (column.doc === '') return { ...bare, type };
  return { ...field, type, ...(column.doc === undefined ? {} : { doc: column.doc }) };
}

function mergeType(current: IcebergType, wanted: ColumnType, path: readonly string[], walk: Walk): IcebergType {
  if (typeof current === 'string') {
    const merged = mergePrimitive(current, wanted);
    return merged ?? refuse(current, wanted, path, walk);
  }
  if (current.type === 'list' && wanted.kind === 'list') {
    return { ...current, element: mergeType(current.element, wanted.element, [...path, 'element'], walk) };
  }
  if (current.type === 'struct' && wanted.kind === 'struct') {
    return { ...current, fields: mergeFields(current, wanted.fields, path, walk) };
  }
  return refuse(current, wanted, path, walk);
}

function refuse(current: IcebergType, wanted: ColumnType, path: readonly string[], walk: Walk): IcebergType {
  const expected = renderColumnType(columnTypeOf(current));
  walk.incompatible.push({ column: path.join('.'), got: renderColumnType(wanted), expected });
  return current;
}

/** The wider of two types of one family; undefined when a value of one is not a value of the other. */
function mergePrimitive(current: string, wanted: ColumnType): string | undefined {
  const decimal = decimalOf(current);
  if (decimal !== undefined) {
    if (wanted.kind !== 'decimal' || wanted.scale !== decimal.scale) return undefined;
    return wanted.precision > decimal.precision ? `decimal(${wanted.precision}, ${wanted.scale})` : current;
  }
  const kind = wanted.kind === 'bigint' ? 'long' : wanted.kind;
  if (kind === current) return current;
  const families = [
    ['int', 'long'],
    ['float', 'double'],
  ];
  return families.find((family) => family.includes(current) && family.includes(kind))?.[1];
}
