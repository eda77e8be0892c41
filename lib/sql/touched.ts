import type { PartitionText } from '../core/run.ts';
import type { PartitionField } from '../core/spec.ts';
import type { Statement } from '../core/statement.ts';
import type { Column, ColumnType } from '../core/types.ts';
import { quoteName, quoteText } from './quote.ts';
import { renderTransform } from './transform.ts';
import { duckType } from './types.ts';

type Partitioning = { readonly fields: readonly PartitionField[]; readonly columns: readonly Column[] };

/** The distinct partitions of a relation's rows, each field as the text that `partitionTuple` reads. */
export function listPartitions(relation: string, by: Partitioning): Statement {
  const fields = by.fields.map((field, i) => `CAST(${renderField(field, by)} AS VARCHAR) AS ${quoteName(`p${i}`)}`);
  return { name: 'touched_partitions', text: `SELECT DISTINCT ${fields.join(', ')} FROM ${relation} ORDER BY ALL` };
}

/** Only the rows of some partitions, in a form that DuckDB pushes below a grouping by the partition columns. */
export function renderPartitions(relation: string, by: Partitioning, partitions: readonly PartitionText[]): string {
  const [only, ...others] = by.fields;
  if (only !== undefined && others.length === 0) {
    return `(SELECT * FROM ${relation} WHERE ${renderIn(
      only,
      by,
      partitions.map((p) => p[0] ?? null),
    )})`;
  }
  const each = partitions.map((p) => `(${by.fields.map((f, i) => renderIn(f, by, [p[i] ?? null])).join(' AND ')})`);
  return `(SELECT * FROM ${relation} WHERE ${each.join(' OR ')})`;
}

function renderIn(field: PartitionField, by: Partitioning, values: readonly (string | null)[]): string {
  const expression = renderField(field, by);
  const type = duckType(resultType(field, typeOf(field, by)));
  const given = values.filter((v) => v !== null).map((v) => `CAST(${quoteText(v)} AS ${type})`);
  const some = given.length === 0 ? [] : [`${expression} IN (${given.join(', ')})`];
  const nulls = values.includes(null) ? [`${expression} IS NULL`] : [];
  return `(${[...some, ...nulls].join(' OR ')})`;
}

function renderField(field: PartitionField, by: Partitioning): string {
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
