import { InvalidInput } from '../../core/errors.ts';
import type { PartitionText } from '../../core/run.ts';
import type { PartitionField } from '../../core/spec.ts';
import type { Dialect } from '../../core/sql-engine.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { Column, ColumnType } from '../../core/types.ts';
import { join, sql } from '../fragment.ts';
import { nameIn, textIn } from '../quote.ts';

export type EnginePartitioning = {
  readonly dialect: Dialect;
  readonly fields: readonly PartitionField[];
  readonly columns: readonly Column[];
};

/** Each field of a row's partition as the text that `partitionTuple` reads. */
export function renderPartitionValues(by: EnginePartitioning): readonly Sql[] {
  return by.fields.map((field) => sql`CAST(${renderValue(field, by)} AS ${textType(by.dialect)})`);
}

/** The rows of some partitions. */
export function whereIn(by: EnginePartitioning, partitions: readonly PartitionText[]): Sql {
  const values = renderPartitionValues(by);
  const each = partitions.map((texts) => {
    const fields = values.map((value, at) => {
      const text = texts[at] ?? null;
      return text === null ? sql`${value} IS NULL` : sql`${value} = ${textIn(by.dialect, text)}`;
    });
    return sql`(${join(fields, ' AND ')})`;
  });
  return each.length === 0 ? sql`false` : sql`(${join(each, ' OR ')})`;
}

function textType(dialect: Dialect): Sql {
  return dialect === 'trino' ? sql`varchar` : sql`string`;
}

function renderValue(field: PartitionField, { dialect, columns }: EnginePartitioning): Sql {
  const type = columns.find(({ name }) => name === field.column)?.type;
  const name = nameIn(dialect, field.column);
  // A time in Trino has the zone that the text gave it, and is in the day of that zone; partitions are those of UTC.
  const column = dialect === 'trino' && type?.kind === 'timestamptz' ? sql`at_timezone(${name}, 'UTC')` : name;
  switch (field.transform.kind) {
    case 'identity':
      return renderIdentity(column, type);
    case 'day':
      return sql`CAST(${column} AS date)`;
    case 'year':
      return sql`year(${column}) - 1970`;
    case 'month':
      return sql`(year(${column}) - 1970) * 12 + month(${column}) - 1`;
    case 'hour':
      return dialect === 'trino'
        ? sql`date_diff('hour', TIMESTAMP '1970-01-01 00:00:00', date_trunc('hour', CAST(${column} AS timestamp)))`
        : sql`timestampdiff(HOUR, TIMESTAMP '1970-01-01 00:00:00', date_trunc('hour', ${column}))`;
    case 'bucket':
    case 'truncate':
      throw new InvalidInput(
        `partitionBy ${field.transform.kind}(${field.column}): an engine cannot be asked for some of these partitions; expected columns as they are, ` +
          "year, month, day or hour, or at most 100 buckets, and no refresh: 'touched' with them",
      );
  }
}

function renderIdentity(column: Sql, type: ColumnType | undefined): Sql {
  if (type !== undefined && HAVE_ONE_TEXT.has(type.kind)) return column;
  throw new InvalidInput(
    `partitionBy ${column}: an engine cannot be asked for partitions of the type ${type?.kind}; expected boolean, int, bigint, decimal, date or string`,
  );
}

/** Of values whose text is the same everywhere. */
const HAVE_ONE_TEXT: ReadonlySet<ColumnType['kind']> = new Set([
  'boolean',
  'int',
  'bigint',
  'date',
  'string',
  'decimal',
]);

/** Whether an engine can be asked for some of the partitions. */
export function canAskFor({ fields, columns }: Omit<EnginePartitioning, 'dialect'>): boolean {
  return fields.every(({ column, transform }) => {
    if (transform.kind === 'bucket' || transform.kind === 'truncate') return false;
    const type = columns.find(({ name }) => name === column)?.type;
    return transform.kind !== 'identity' || (type !== undefined && HAVE_ONE_TEXT.has(type.kind));
  });
}
