import type { SourceSpec } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column, ColumnType } from '../core/types.ts';
import { RID } from './batch-tables.ts';
import { join, sql } from './fragment.ts';
import { quoteName, quotePath, quoteText } from './quote.ts';
import { duckType } from './types.ts';

/** Work that nothing but the machine can be to blame for: rows are made, sorted, written and read. */
export function tryMachine(path: string): readonly Statement[] {
  const rows = sql`SELECT range AS id, md5(range::VARCHAR) AS text FROM range(100000)`;
  return [
    { name: 'floor_write', text: sql`COPY (${rows} ORDER BY text) TO ${quoteText(path)} (FORMAT parquet)` },
    { name: 'floor_read', text: sql`SELECT max(hash(id, text)) FROM read_parquet(${quoteText(path)})` },
  ];
}

/** Reads every value of a relation. */
export function tryRelation(relation: Sql): Statement {
  return { name: `read ${relation}`, text: sql`SELECT max(hash(r)) FROM ${relation} r` };
}

/** `batch.<source>` of one row without any value. */
export function createBlankBatch(source: SourceSpec): Statement {
  const columns = source.columns.map(({ name, type }) => sql`CAST(NULL AS ${duckType(type)}) AS ${quoteName(name)}`);
  return {
    name: 'blank_batch',
    text: sql`CREATE TABLE ${quotePath('batch', source.name)} AS SELECT ${join(columns)}, CAST(0 AS BIGINT) AS ${RID}`,
  };
}

/** One row of a table, of values that are there and say nothing. */
export function insertPlain(place: readonly string[], columns: readonly Column[]): Statement {
  const values = columns.map(({ type }) => sql`CAST(${plainOf(type)} AS ${duckType(type)})`);
  return { name: 'plain_row', text: sql`INSERT INTO ${quotePath(...place)} SELECT ${join(values)}` };
}

function plainOf({ kind }: ColumnType): Sql {
  if (kind === 'string' || kind === 'binary') return sql`''`;
  if (kind === 'date' || kind === 'timestamp' || kind === 'timestamptz') return sql`'1970-01-01'`;
  return kind === 'list' || kind === 'struct' ? sql`NULL` : sql`0`;
}

/** Works out every value of a model over its batch. */
export function tryModel(model: Sql): Statement {
  return { name: 'silver_model', text: sql`SELECT max(hash(r)) FROM (${model}) r` };
}
