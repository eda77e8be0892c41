import type { Part, PartialRung } from '../../core/ladder.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { join, NOTHING, sql } from '../fragment.ts';
import { ownName, quoteName } from '../quote.ts';
import { engineSql } from '../user-sql.ts';
import { type Dividend, type DivisionBits, renderAverages, renderDividends } from './average.ts';
import { GROUPS } from './partial.ts';

/** What units have written, in the session of a unit of the merge. */
export const PARTIALS = ownName('__partials');

/** The SELECT of a unit with its columns as Parquet has them. */
export function renderMap({ map, columns }: Pick<PartialRung, 'map' | 'columns'>): Sql {
  const list = columns.map(({ name, text }) => {
    const column = quoteName(name);
    return text ? sql`CAST(${column} AS VARCHAR) AS ${column}` : column;
  });
  return sql`(SELECT ${join(list)} FROM (${engineSql(map)}))`;
}

/** The rows of the model, from the groups of what units have written; `bits`: those that averages are divided with here. */
export function renderReduce(
  { reduce, columns, parts }: Pick<PartialRung, 'reduce' | 'columns' | 'parts'>,
  bits: DivisionBits,
): Sql {
  const keys = columns.filter(({ key }) => key).map(({ name }) => quoteName(name));
  const averages = parts.flatMap((part) => (part.kind === 'avg' ? [dividendOf(part)] : []));
  const simple = parts.flatMap((part) =>
    part.kind === 'avg' ? [] : [sql`${renderPart(part)} AS ${quoteName(part.name)}`],
  );
  const by = keys.length === 0 ? NOTHING : sql` GROUP BY ${join(keys)}`;
  const list = [...keys, ...simple, ...renderDividends(averages)];
  const sums = sql`(SELECT ${join(list.length === 0 ? [sql`1`] : list)} FROM ${PARTIALS}${by})`;
  const groups = sql`SELECT * FROM ${renderAverages(sums, averages, bits)}`;
  return sql`(WITH ${quoteName(GROUPS)} AS (${groups}) ${engineSql(reduce)})`;
}

function renderPart(part: Exclude<Part, { kind: 'avg' }>): Sql {
  switch (part.kind) {
    case 'sum':
      return renderSum(part);
    case 'count':
      return sql`CAST(coalesce(${renderSum(part)}, 0) AS BIGINT)`;
    case 'min':
      return sql`min(${quoteName(part.name)})`;
    case 'max':
      return sql`max(${quoteName(part.name)})`;
  }
}

/** The sum of a decimal is taken without its point, which the divisor gives back. Without rows there is nothing to divide by. */
function dividendOf(part: Extract<Part, { kind: 'avg' }>): Dividend {
  const { name, count, text, scale, narrow } = part;
  const sum = text ? renderSum(part) : sql`CAST(replace(CAST(${renderSum(part)} AS VARCHAR), '.', '') AS HUGEINT)`;
  const rows = sql`nullif(sum(${quoteName(count)}), 0)`;
  return { name, sum, divisor: sql`(CAST(${rows} AS HUGEINT) * ${10 ** scale})`, narrow };
}

function renderSum({ name, text }: { readonly name: string; readonly text: boolean }): Sql {
  const column = quoteName(name);
  return text ? sql`sum(CAST(${column} AS HUGEINT))` : sql`sum(${column})`;
}

/** An empty relation of what units write, for SQL to be bound against. */
export function createPartialsOf(from: Sql): Statement {
  return { name: 'partials', text: sql`CREATE OR REPLACE TEMP VIEW ${PARTIALS} AS SELECT * FROM ${from} WHERE false` };
}
