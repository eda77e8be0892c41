import type { PartitionText } from '../core/run.ts';
import type { PartitionField } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column, ColumnType } from '../core/types.ts';
import { join, sql } from './fragment.ts';
import { quoteName, quoteText } from './quote.ts';
import { renderTransform } from './transform.ts';
import { duckType } from './types.ts';

type Partitioning = { readonly fields: readonly PartitionField[]; readonly columns: readonly Column[] };

/** The distinct partitions of a relation's rows, each field as the text that `partitionTuple` reads. */
export function listPartitions(relation: Sql, by: Partitioning): Statement {
  const fields = by.fields.map((field, i) => sql`CAST(${renderField(field, by)} AS VARCHAR) AS ${quoteName(`p${i}`)}`);
  return { name: 'touched_partitions', text: sql`SELECT DISTINCT ${join(fields)} FROM ${relation} ORDER BY ALL` };
}

/** Only the rows of some partitions, in a form that DuckDB pushes below a grouping by the partition columns. */
export function renderPartitions(relation: Sql, by: Partitioning, partitions: readonly PartitionText[]): Sql {
  const [only, ...others] = by.fields;
  if (only !== undefined && others.length === 0) {
    return sql`(SELECT * FROM ${relation} WHERE ${renderIn(
      only,
      by,
      partitions.map((p) => p[0] ?? null),
    )})`;
  }
  const each = partitions.map(
    (p) =>
      sql`(${join(
        by.fields.map((f, i) => renderIn(f, by, [p[i] ?? null])),
        ' AND ',
      )})`,
  );
  return sql`(SELECT * FROM ${relation} WHERE ${join(each, ' OR ')})`;
}

function renderIn(field: PartitionField, by: Partitioning, values: readonly (string | null)[]): Sql {
  const expression = renderField(field, by);
  const type = duckType(resultType(field, typeOf(field, by)));
  const given = values.filter((v) => v !== null).map((v) => sql`CAST(${quoteText(v)} AS ${type})`);
  const some = given.length === 0 ? [] : [sql`${expression} IN (${join(given)})`];
  const nulls = values.includes(null) ? [sql`${expression} IS NULL`] : [];
  return sql`(${join([...some, ...nulls], ' OR ')})`;
}

function renderField(field: PartitionField, by: Partitioning): Sql {
  return renderTransform(field, typeOf(field, by));
}

function typeOf(field: PartitionField, { columns }: Partitioning): ColumnType {
  const type = columns.find((c) => c.name === field.column)?.type;
  if (type === undefined) throw new RangeError(`partition column ${field.column} is not a column of the table`);
  return type;
}

function resultType({ transform }: PartitionField, type: ColumnType): ColumnType {
  if (transform.kind === 'identity' || transform.kind === 'truncate') return type;
  return { kind: transform.kind === 'day' ? 'date' : 'int' };
}
