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

/** `__staged`: all events. */
export function createStaged(events: Sql): Statement {
  return createRelation(STAGED, events);
}

/** How many events are staged, and between which values the key's lie where it is a whole number: `staged`, and as texts `least`, `greatest`. */
export function selectKeySpan(mode: KeyedMode, columns: readonly Column[]): Statement {
  const key = wholeNumberKey(mode, columns);
  const span =
    key === undefined
      ? []
      : [sql`CAST(min(${key}) AS VARCHAR) AS least`, sql`CAST(max(${key}) AS VARCHAR) AS greatest`];
  return { name: 'count_staged', text: sql`SELECT ${join([sql`count(*) AS staged`, ...span])} FROM ${STAGED}` };
}

/** `different`: how many keys there are between two values, found with one bit for each value that a key might have. */
export function countKeys(mode: KeyedMode, least: bigint, greatest: bigint): Statement {
  const key = sql`CAST(${names(mode.key)} AS BIGINT)`;
  const bits = sql`bitstring_agg(${key}, CAST(${least} AS BIGINT), CAST(${greatest} AS BIGINT))`;
  return { name: 'count_keys', text: sql`SELECT bit_count(${bits}) AS different FROM ${STAGED}` };
}

/**
 * `__several`: keys that have several events; `__new`: their events, so that the merge is about these. `alone`: it is known that
 * there are none, and nothing has to be grouped.
 */
export function createSeveral(mode: KeyedMode, alone: boolean): readonly Statement[] {
  const key = names(mode.key);
  const several = alone ? sql`LIMIT 0` : sql`GROUP BY ALL HAVING count(*) > 1`;
  return [
    {
      name: alone ? 'no_key_of_several_events' : 'keys_of_several_events',
      text: sql`CREATE TABLE ${SEVERAL} AS SELECT ${key} FROM ${STAGED} ${several}`,
    },
    createRelation(NEW, sql`(SELECT * FROM ${STAGED} SEMI JOIN ${SEVERAL} USING (${key}))`),
  ];
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

/** The key, where it is one column of whole numbers. */
function wholeNumberKey({ key }: KeyedMode, columns: readonly Column[]): Sql | undefined {
  const kind = columns.find(({ name }) => name === key[0])?.type.kind;
  return key.length === 1 && (kind === 'int' || kind === 'bigint') ? names(key) : undefined;
}

function names(columns: readonly string[]): Sql {
  return join(columns.map(quoteName));
}
