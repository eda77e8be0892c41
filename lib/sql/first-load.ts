import type { KeyedMode } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { join, sql } from './fragment.ts';
import { FRESH, NEW, renderHistory } from './keyed.ts';
import { IS_CURRENT, OP, VALID_FROM, VALID_TO } from './keyed-columns.ts';
import { ownName, quoteName } from './quote.ts';
import { BUCKET, createRelation } from './scan.ts';

/**
 * Events of buckets that hold nothing yet. An event that is alone with its key makes one row, whatever it says, so it goes
 * from its file to the table's as it is; only keys with several events take the way of a merge.
 */
const STAGED = ownName('__staged');
const SEVERAL = ownName('__several');

/** `__staged`: all events; `__new`: those of keys that have several, so that the merge is about these. */
export function createSeveral(mode: KeyedMode, events: Sql): readonly Statement[] {
  const key = names(mode.key);
  return [
    createRelation(STAGED, events),
    {
      name: 'keys_of_several_events',
      text: sql`CREATE TABLE ${SEVERAL} AS SELECT ${key} FROM ${STAGED} GROUP BY ALL HAVING count(*) > 1`,
    },
    createRelation(NEW, sql`(SELECT * FROM ${STAGED} SEMI JOIN ${SEVERAL} USING (${key}))`),
  ];
}

export function countStaged(): Statement {
  return { name: 'count_staged', text: sql`SELECT count(*) AS staged FROM ${STAGED}` };
}

/** The buckets' first history, each row with its bucket. */
export function renderFirstHistory(mode: KeyedMode, columns: readonly Column[]): Sql {
  const end =
    mode.validTo === null ? sql`CASE WHEN false THEN ${quoteName(mode.sequence)} END` : quoteName(mode.validTo);
  const made = new Map<string, Sql>(
    mode.kind === 'upsert'
      ? []
      : [
          [VALID_FROM, quoteName(mode.sequence)],
          [VALID_TO, end],
          [IS_CURRENT, sql`${end} IS NULL`],
        ],
  );
  const values = columns.map(({ name }) => {
    const value = made.get(name);
    return value === undefined ? quoteName(name) : sql`${value} AS ${quoteName(name)}`;
  });
  const alone = sql`SELECT ${join(values)}, ${BUCKET} FROM ${renderAlone(mode)} WHERE ${OP} <> 'delete'`;
  return sql`(${alone}\nUNION ALL\nSELECT * FROM ${renderHistory(mode, columns)})`;
}

/** The buckets' first log, each event with its bucket. */
export function renderFirstLog(mode: KeyedMode, columns: readonly Column[]): Sql {
  const all = join([...columns.map((c) => quoteName(c.name)), BUCKET]);
  return sql`(SELECT ${all} FROM ${renderAlone(mode)}\nUNION ALL\nSELECT ${all} FROM ${FRESH})`;
}

function renderAlone(mode: KeyedMode): Sql {
  return sql`(SELECT * FROM ${STAGED} ANTI JOIN ${SEVERAL} USING (${names(mode.key)}))`;
}

function names(columns: readonly string[]): Sql {
  return join(columns.map(quoteName));
}
