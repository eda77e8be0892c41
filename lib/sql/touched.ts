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

/**
 * Only the rows of some partitions, in a form that DuckDB pushes below a grouping by the partition columns. Conditions on
 * each field alone say nothing more, but let it, and us, leave out files whose statistics know the column.
 */
export function renderPartitions(relation: Sql, by: Partitioning, partitions: readonly PartitionText[]): Sql {
  const fields = by.fields.map((field, i) => {
    const values = [...new Set(partitions.map((p) => p[i] ?? null))];
    return [renderIn(field, by, values), ...renderSpan(field, by, values)];
  });
  const each = partitions.map(
    (p) =>
      sql`(${join(
        by.fields.map((f, i) => renderIn(f, by, [p[i] ?? null])),
        ' AND ',
      )})`,
  );
  const together = by.fields.length > 1 ? [sql`(${join(each, ' OR ')})`] : [];
  return sql`(SELECT * FROM ${relation} WHERE ${join([...fields.flat(), ...together], ' AND ')})`;
}

/** Of a field that is a part of a time: from when to when its values can be. */
function renderSpan(field: PartitionField, by: Partitioning, values: readonly (string | null)[]): readonly Sql[] {
  const { kind } = typeOf(field, by);
  const part = PARTS[field.transform.kind];
  if (part === undefined || !TIMES.has(kind) || values.length === 0) return [];
  const numbers = values.map((value) => part.parse(value ?? ''));
  const [first, last] = [Math.min(...numbers), Math.max(...numbers)];
  const [from, to] = [textOfInstant(part.start(first)), textOfInstant(part.start(last + 1))];
  if (from === undefined || to === undefined) return [];
  const [column, type] = [quoteName(field.column), duckType(typeOf(field, by))];
  return [sql`${column} >= CAST(${quoteText(from)} AS ${type})`, sql`${column} < CAST(${quoteText(to)} AS ${type})`];
}

const TIMES: ReadonlySet<ColumnType['kind']> = new Set(['date', 'timestamp', 'timestamptz']);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A part as a number, NaN where the text is none, and when it begins, in milliseconds since the epoch. */
type TimePart = { readonly parse: (text: string) => number; readonly start: (part: number) => number };

const wholeNumber = (text: string): number => (/^-?\d{1,8}$/.test(text) ? Number(text) : Number.NaN);

const PARTS: Readonly<Record<string, TimePart>> = {
  year: { parse: wholeNumber, start: (years) => startOfMonth(12 * years) },
  month: { parse: wholeNumber, start: startOfMonth },
  day: {
    parse: (text) => (/^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) / DAY_MS : Number.NaN),
    start: (days) => days * DAY_MS,
  },
  hour: { parse: wholeNumber, start: (hours) => hours * HOUR_MS },
};

function startOfMonth(months: number): number {
  const year = 1970 + Math.floor(months / 12);
  return new Date(0).setUTCFullYear(year, months - 12 * (year - 1970), 1);
}

/** Of the years that have four digits; for others there is no one text. */
function textOfInstant(ms: number): string | undefined {
  const text = Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : '';
  return /^\d{4}-/.test(text) && !text.startsWith('0000') ? text.slice(0, 19).replace('T', ' ') : undefined;
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
