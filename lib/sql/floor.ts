import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { quoteText } from './quote.ts';

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
