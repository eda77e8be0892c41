import { commonType } from '../../core/common-type.ts';
import { ROW_HASH } from '../../core/dedupe.ts';
import { KEY_HASH } from '../../core/keyed.ts';
import { type Column, type ColumnType, renderColumnType, sameType } from '../../core/types.ts';
import { columnTypeOf, fieldByName } from '../../iceberg/schema.ts';
import type { NestedField, Schema } from '../../iceberg/types.ts';

/** A column that both sides have. */
export type MatchedColumn = {
  /** As `to` calls it. */
  readonly name: string;
  readonly from: Column;
  readonly to: Column;
  /** The type in which its values are compared. */
  readonly type: ColumnType;
};

/** In what the columns of two tables, or of one at two moments, are not the same. */
export type ColumnChanges = {
  readonly added: readonly { readonly name: string; readonly type: string }[];
  readonly removed: readonly { readonly name: string; readonly type: string }[];
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  readonly retyped: readonly { readonly name: string; readonly from: string; readonly to: string }[];
};

export type MatchedColumns = { readonly columns: readonly MatchedColumn[]; readonly changes: ColumnChanges };

/** Columns that only tell rows and keys apart, and follow from the others. */
const DERIVED: ReadonlySet<string> = new Set([ROW_HASH, KEY_HASH]);

/**
 * The columns that two schemas have in common: of one table by field id, whatever they are called, of two by name; and what
 * one has and the other has not.
 */
export function matchColumns(from: Schema, to: Schema, by: 'id' | 'name'): MatchedColumns {
  const mine = from.fields.filter(({ name }) => !DERIVED.has(name));
  const theirs = to.fields.filter(({ name }) => !DERIVED.has(name));
  const pairs = theirs.flatMap((field) => {
    const old =
      by === 'id' ? mine.find(({ id }) => id === field.id) : fieldByName({ type: 'struct', fields: mine }, field.name);
    return old === undefined ? [] : [{ old, field }];
  });
  const columns = pairs.map(({ old, field }): MatchedColumn => {
    const [before, after] = [columnOf(old), columnOf(field)];
    return { name: field.name, from: before, to: after, type: commonType(before.type, after.type) };
  });
  const [found, kept] = [new Set(pairs.map(({ field }) => field)), new Set(pairs.map(({ old }) => old))];
  return {
    columns,
    changes: {
      added: theirs.filter((field) => !found.has(field)).map(described),
      removed: mine.filter((field) => !kept.has(field)).map(described),
      renamed: columns
        .filter((column) => column.from.name !== column.to.name)
        .map((column) => ({ from: column.from.name, to: column.to.name })),
      retyped: columns
        .filter((column) => !sameType(column.from.type, column.to.type))
        .map(({ name, from: old, to: now }) => ({
          name,
          from: renderColumnType(old.type),
          to: renderColumnType(now.type),
        })),
    },
  };
}

export function columnsDiffer({ added, removed, renamed, retyped }: ColumnChanges): boolean {
  return added.length + removed.length + renamed.length + retyped.length > 0;
}

function columnOf({ name, type }: NestedField): Column {
  return { name, type: columnTypeOf(type) };
}

function described(field: NestedField): { readonly name: string; readonly type: string } {
  return { name: field.name, type: renderColumnType(columnTypeOf(field.type)) };
}
