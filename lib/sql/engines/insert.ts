import type { PartitionText } from '../../core/run.ts';
import type { PartitionField } from '../../core/spec.ts';
import type { Dialect } from '../../core/sql-engine.ts';
import type { Sql, SqlName } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import type { Column } from '../../core/types.ts';
import { join, sql } from '../fragment.ts';
import { nameIn } from '../quote.ts';
import { renderPartitionValues, whereIn } from './partitions.ts';
import { requireTypes } from './strict-types.ts';

/** What a statement writes: the rows of a pinned text, of some partitions where these are given. */
export type EngineRows = {
  readonly dialect: Dialect;
  readonly into: SqlName;
  readonly text: Sql;
  readonly columns: readonly Column[];
  readonly partitionBy: readonly PartitionField[];
  readonly partitions: readonly PartitionText[] | null;
};

/**
 * Rows of a text into a table. It fails where a column has another type than the table's: engines would round a value, or cut it,
 * to make it fit.
 */
export function insertRows({ dialect, into, text, columns, partitionBy, partitions }: EngineRows): Sql {
  const names = join(columns.map(({ name }) => nameIn(dialect, name)));
  const by = { dialect, fields: partitionBy, columns };
  const some = partitions === null ? [] : [whereIn(by, partitions)];
  const where = join([requireTypes(dialect, columns), ...some], ' AND ');
  return sql`INSERT INTO ${into} (${names}) SELECT ${names} FROM (
${text}
) AS strata_rows WHERE ${where}`;
}

/** The partitions that the rows of a text are in, one column of text for each field: `p0`, `p1`. */
export function insertPartitions({ dialect, into, text, columns, partitionBy }: EngineRows): Sql {
  const values = renderPartitionValues({ dialect, fields: partitionBy, columns });
  const names = values.map((_, at) => nameIn(dialect, `p${at}`));
  const selected = values.map((value, at) => sql`${value} AS ${nameIn(dialect, `p${at}`)}`);
  return sql`INSERT INTO ${into} (${join(names)}) SELECT DISTINCT ${join(selected)} FROM (
${text}
) AS strata_rows`;
}

/** Those partitions, in an order of their own. */
export function selectListed(relation: Sql): Statement {
  return { name: 'partitions by an engine', text: sql`SELECT * FROM ${relation} ORDER BY ALL` };
}
