import type { FileValue } from '../core/file-values.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { type Deleted, renderAntiJoin } from './deleted-rows.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { quoteName, quoteText, quoteTexts } from './quote.ts';
import { duckType } from './types.ts';

/** A data file whose columns are found by name, because it says nothing of the table's field ids. */
export type NamedFile = {
  readonly path: string;
  /** By column of the table. */
  readonly values: ReadonlyMap<string, FileValue>;
  readonly deleted?: Deleted;
};

/** SELECTs of a table's columns over such files, one for all that have them in the same places. */
export function renderNamedFiles(columns: readonly Column[], files: readonly NamedFile[]): readonly Sql[] {
  const groups = Map.groupBy(files, (file) => JSON.stringify([file.deleted !== undefined, ...file.values]));
  return [...groups.values()].map((group) => {
    const select = columns.map((column) => {
      const value = renderValue(group[0]?.values.get(column.name) ?? { kind: 'absent' }, undefined);
      return sql`CAST(${value} AS ${duckType(column.type)}) AS ${quoteName(column.name)}`;
    });
    const paths = quoteTexts(group.map((file) => file.path));
    // By name, so that a file with a narrower type does not decide for the others.
    const deleted = group.flatMap((file) => file.deleted ?? []);
    const left = deleted.length === 0 ? NOTHING : sql` __s ${renderAntiJoin(deleted)}`;
    return sql`SELECT ${join(select)} FROM read_parquet(${paths}, hive_partitioning = false, union_by_name = true)${left}`;
  });
}

/** The schema of Parquet files as their footers list it, by file and in the order of the elements. */
export function describeParquet(paths: readonly string[]): Statement {
  return {
    name: 'parquet schema',
    text: sql`SELECT file_name AS path, name, coalesce(num_children, 0) AS children, repetition_type = 'REPEATED' AS repeated,
  coalesce(converted_type = 'LIST', false) OR coalesce(logical_type LIKE 'ListType%', false) AS list, field_id
FROM parquet_schema(${quoteTexts(paths)})`,
  };
}

/** `inside`: what the value lies in; a name is a column's where there is nothing. */
function renderValue(value: FileValue, inside: Sql | undefined): Sql {
  switch (value.kind) {
    case 'absent':
      return sql`NULL`;
    case 'constant':
      return quoteText(value.text);
    case 'whole':
      return taken(value.name, inside);
    case 'list':
      return renderElements(value.element, taken(value.name, inside));
    case 'struct':
      return renderFields(value.fields, taken(value.name, inside));
  }
}

function taken(name: string, inside: Sql | undefined): Sql {
  return inside === undefined ? quoteName(name) : sql`struct_extract(${inside}, ${quoteText(name)})`;
}

function renderElements(element: FileValue, list: Sql): Sql {
  if (element.kind === 'whole' || element.kind === 'absent' || element.kind === 'constant') return list;
  const made =
    element.kind === 'struct' ? renderFields(element.fields, sql`__e`) : renderElements(element.element, sql`__e`);
  return sql`list_transform(${list}, lambda __e: ${made})`;
}

type Fields = Extract<FileValue, { kind: 'struct' }>['fields'];

function renderFields(fields: Fields, struct: Sql): Sql {
  const packed = fields.map((field) => sql`${quoteName(field.name)} := ${renderValue(field.value, struct)}`);
  return sql`CASE WHEN ${struct} IS NULL THEN NULL ELSE struct_pack(${join(packed)}) END`;
}
