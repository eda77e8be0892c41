import { widestType } from '../../core/common-type.ts';
import type { SilverModel, SourceSpec } from '../../core/spec.ts';
import { type Column, type ColumnType, sameType } from '../../core/types.ts';
import { alterSchema } from '../../iceberg/changes.ts';
import { evolveSchema } from '../../iceberg/evolve.ts';
import { columnsOf, currentSchema, schemaOf } from '../../iceberg/schema.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { tableColumns } from '../../lake/tables/table-state.ts';
import type { FileColumn } from '../../landing/inspect.ts';
import { columnTypeOf } from '../../sql/types.ts';

/** A table that drift may give columns: what it is made of, and what it is beside whose rows new ones will stand. */
export type Drifting = {
  readonly source: SourceSpec;
  readonly model: SilverModel;
  readonly base: TableMetadata | undefined;
};

/** Columns that files have beyond a contract, in the order in which they were found. */
export type DriftColumns = ReadonlyMap<string, ColumnType>;

/**
 * The same with those of another file. A column that has several types takes one that holds the values of all, whichever file came first;
 * of a type that no table can have there is none.
 */
export function joinColumns(found: DriftColumns, columns: readonly FileColumn[]): DriftColumns {
  const news = columns.flatMap(({ name, type: duckType }) => {
    const [before, own] = [found.get(name), columnTypeOf(duckType)];
    if (own === undefined || name === '' || name.startsWith('_')) return [];
    const type = before === undefined ? own : widestType(before, own);
    return before !== undefined && sameType(before, type) ? [] : [[name, type] as const];
  });
  return news.length === 0 ? found : new Map([...found, ...news]);
}

/**
 * Columns whose name is free. One that differs from another by case alone cannot be told from it in SQL: what the contract and the table
 * have goes first, the table's own columns (metadata, what it says of a version) among them.
 */
export function freeColumns({ source, model, base }: Drifting, found: DriftColumns): readonly Column[] {
  const taken = new Set([...source.columns, ...tableColumns(model)].map(({ name }) => name.toLowerCase()));
  const spelled = new Map(fieldsOf(base).map(({ name }) => [name.toLowerCase(), name]));
  const free: Column[] = [];
  for (const [name, type] of found) {
    const folded = name.toLowerCase();
    if (taken.has(folded) || (spelled.get(folded) ?? name) !== name) continue;
    taken.add(folded);
    free.push({ name, type });
  }
  return free;
}

/**
 * These as the table can take them: of the type that it has where the new one does not follow from it, so that values which are none of
 * it are set aside row by row. What it cannot take at all is left out.
 */
export function fittingColumns(drifting: Drifting, found: DriftColumns): readonly Column[] {
  const { base } = drifting;
  const own = new Map(fieldsOf(base).map(({ name, type }) => [name, type]));
  let columns = freeColumns(drifting, found);
  if (base === undefined) return columns;
  while (columns.length > 0) {
    const altered = alterSchema(base, columns);
    if (altered.kind !== 'incompatible') return columns;
    const paths = altered.columns.map(({ column }) => column);
    const fitted = columns.flatMap((column): readonly Column[] => {
      if (!isMisfit(base, column, paths)) return [column];
      const type = own.get(column.name);
      return type === undefined || sameType(type, column.type)
        ? []
        : [{ name: column.name, type: fitType(type, column.type) }];
    });
    columns = fitted;
  }
  return columns;
}

/** A type that follows from a table's: of a struct field by field, so that one which cannot follow takes no new one away. */
function fitType(own: ColumnType, wanted: ColumnType): ColumnType {
  if (own.kind === 'list' && wanted.kind === 'list') {
    return { kind: 'list', element: fitType(own.element, wanted.element) };
  }
  if (own.kind === 'struct' && wanted.kind === 'struct') {
    const fields = own.fields.map(({ name, type }) => {
      const other = wanted.fields.find((field) => field.name === name);
      return { name, type: other === undefined ? type : fitType(type, other.type) };
    });
    const taken = new Set(fields.map(({ name }) => name.toLowerCase()));
    return {
      kind: 'struct',
      fields: [...fields, ...wanted.fields.filter(({ name }) => !taken.has(name.toLowerCase()))],
    };
  }
  const { schema, lastColumnId } = schemaOf([{ name: 'one', type: own }]);
  return evolveSchema(schema, lastColumnId, [{ name: 'one', type: wanted }]).kind === 'incompatible' ? own : wanted;
}

/** Whether a column is one of those that a table cannot take. A path with a dot may be of a field or of a column of that name. */
function isMisfit(base: TableMetadata, column: Column, paths: readonly string[]): boolean {
  if (!paths.some((path) => path === column.name || path.startsWith(`${column.name}.`))) return false;
  return alterSchema(base, [column]).kind === 'incompatible';
}

function fieldsOf(base: TableMetadata | undefined): readonly Column[] {
  return base === undefined ? [] : columnsOf(currentSchema(base));
}
