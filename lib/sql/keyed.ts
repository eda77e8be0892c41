import type { EventColumns } from '../core/keyed.ts';
import type { KeyedMode } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { renderEventHash, renderEventNumber } from './event-hash.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { EVENT_HASH, IS_CURRENT, KEY_HASH, OP, SOURCE_FILE, VALID_FROM, VALID_TO } from './keyed-columns.ts';
import { ownName, quoteName, quoteText } from './quote.ts';
import { BUCKET } from './scan.ts';
import { userSql } from './user-sql.ts';

/**
 * The merge of some key buckets. Views `__new` (staged events), `__log` and `__history` (the buckets' rows as they are)
 * are there before, each with the rows' bucket; each statement makes one table, named by its role.
 */
export const NEW = ownName('__new');
export const LOG = ownName('__log');
export const HISTORY = ownName('__history');
export const FRESH = ownName('__fresh');
const LATE = ownName('__late');
const KNOWN = ownName('__known');
export const TOUCHED = ownName('__touched');
export const WHOLE = ownName('__whole');
const SINCE = ownName('__since');
const HASH = ownName('__hash');
/** Every event of the touched keys. */
export const EVENTS = ownName('__key_events');
export const RECOMPUTED = ownName('__recomputed');

/** Whether only the staged keys matter, or all keys of the buckets, as with events to withdraw, whose keys may be any. */
export type Scope = { readonly all: boolean; readonly withdrawn: readonly string[] };

/**
 * `__late`: staged keys with an event that is not later than all that the log holds of the key. The other keys' histories
 * only go on, so nothing of the log but keys and sequences has to be read for them. Every staged key counts as late with
 * ends of the source's own, where the history does not tell what the last event was, and with a history that may follow
 * other rules than the mode's (`trusted` is false).
 */
export function createLate(mode: KeyedMode, trusted: boolean): Statement {
  const key = names(mode.key);
  const sequence = quoteName(mode.sequence);
  const late =
    trusted && mode.validTo === null
      ? sql`SELECT DISTINCT ${key} FROM ${LOG} l JOIN (SELECT ${key}, min(${sequence}) AS __first FROM ${NEW} GROUP BY ALL) n USING (${key}) WHERE l.${sequence} >= n.__first`
      : sql`SELECT DISTINCT ${key} FROM ${NEW}`;
  return { name: 'late_keys', text: sql`CREATE TABLE ${LATE} AS SELECT *, true AS ${WHOLE} FROM (${late})` };
}

/** `__known`: what the log holds of the late keys, or the whole log. */
export function createKnown(mode: KeyedMode, scope: Scope): Statement {
  const text = wholeLog(scope)
    ? sql`CREATE VIEW ${KNOWN} AS SELECT * FROM ${LOG}`
    : sql`CREATE TABLE ${KNOWN} AS SELECT l.* FROM ${LOG} l SEMI JOIN ${LATE} n USING (${names(mode.key)})`;
  return { name: 'known_events', text };
}

/**
 * Events that the log does not know, or that were withdrawn from it: one of each content and file. Equal events have their
 * key, sequence and file in common, so only those that do are hashed.
 */
export function createFresh(mode: KeyedMode, events: EventColumns, withdrawn: readonly string[]): Statement {
  const by = sql`${names(mode.key)}, ${quoteName(mode.sequence)}, ${SOURCE_FILE}`;
  const known = sql`(SELECT * FROM ${KNOWN}${kept(sql`WHERE`, withdrawn)})`;
  const hash = renderEventHash(events);
  return {
    name: 'fresh_events',
    text: sql`CREATE TABLE ${FRESH} AS
WITH alike AS (
  SELECT ${by} FROM ${NEW} GROUP BY ALL HAVING count(*) > 1
  UNION
  SELECT ${by} FROM ${NEW} SEMI JOIN ${known} l USING (${by})
),
hashed AS (
  SELECT *, ${hash} AS ${HASH} FROM ${NEW} SEMI JOIN alike USING (${by}) QUALIFY row_number() OVER (PARTITION BY ${HASH}, ${SOURCE_FILE}) = 1
),
known AS (SELECT ${SOURCE_FILE}, ${hash} AS ${HASH} FROM ${known} SEMI JOIN alike USING (${by}))
SELECT * FROM ${NEW} ANTI JOIN alike USING (${by})
UNION ALL BY NAME
SELECT * EXCLUDE (${HASH}) FROM hashed ANTI JOIN known USING (${HASH}, ${SOURCE_FILE})`,
  };
}

/**
 * The keys to recompute, those of fresh events and of withdrawn ones, or all keys of the buckets: `__whole` from all
 * their events, else from their open row on.
 */
export function createTouched(mode: KeyedMode, scope: Scope): Statement {
  const key = names(mode.key);
  const { all, withdrawn } = scope;
  const gone = all ? NOTHING : sql` WHERE ${SOURCE_FILE} IN (${join(withdrawn.map(quoteText))})`;
  const touched = wholeLog(scope)
    ? sql`SELECT ${key}, ${BUCKET}, true AS ${WHOLE} FROM (SELECT * FROM ${FRESH} UNION ALL BY NAME SELECT * FROM ${KNOWN}${gone}) GROUP BY ALL`
    : sql`SELECT DISTINCT ${key}, ${BUCKET}, coalesce(${WHOLE}, false) AS ${WHOLE} FROM ${FRESH} f LEFT JOIN ${LATE} l USING (${key})`;
  return { name: 'touched_keys', text: sql`CREATE TABLE ${TOUCHED} AS ${touched}` };
}

/**
 * What the touched keys' rows follow from: every event ever accepted, less those that were withdrawn. Where all events
 * are later than those of the log, the open row stands for these: as one event that began at `__since`.
 */
export function createKeyEvents(mode: KeyedMode, columns: readonly Column[], scope: Scope): Statement {
  const key = names(mode.key);
  const all = eventColumns(mode, columns);
  // A null of the sequence's type.
  const none = sql`CASE WHEN false THEN ${quoteName(mode.sequence)} END AS ${SINCE}`;
  const fresh = sql`SELECT ${all}, ${none} FROM ${FRESH}`;
  const known = sql`SELECT ${all}, ${none} FROM ${KNOWN} l SEMI JOIN ${TOUCHED} t USING (${key})${kept(sql`WHERE`, scope.withdrawn)}`;
  const open = sql`SELECT ${rowColumns(mode, columns)}, 'upsert' AS ${OP}, NULL AS ${EVENT_HASH}, NULL AS ${SOURCE_FILE}, ${VALID_FROM} AS ${SINCE}
FROM ${HISTORY} h SEMI JOIN (SELECT ${key} FROM ${TOUCHED} WHERE NOT ${WHOLE}) t USING (${key}) WHERE ${IS_CURRENT}`;
  // Full extracts add deletes to it, and what is not all of the log is read several times.
  const kind = mode.missing === 'delete' || !wholeLog(scope) ? sql`TABLE` : sql`VIEW`;
  const parts = wholeLog(scope) || mode.kind === 'upsert' ? [fresh, known] : [fresh, known, open];
  return { name: 'key_events', text: sql`CREATE ${kind} ${EVENTS} AS\n${join(parts, '\nUNION ALL BY NAME\n')}` };
}

/**
 * Full extracts: a key without a row in an extract is deleted at the extract's sequence, the greatest of its file. Before
 * its first event a key has nothing to delete; at that event's sequence the delete wins, as any delete does.
 * `extracts` are those files of all buckets.
 */
export function addMissingDeletes(mode: KeyedMode, columns: readonly Column[], extracts: Sql): Statement {
  const key = mode.key.map(quoteName);
  const others = columns
    .map((c) => c.name)
    .filter((name) => name !== mode.sequence && !mode.key.includes(name))
    .map((name) => sql`NULL AS ${quoteName(name)}`);
  const hash = mode.key.length > 1 ? [sql`t.${KEY_HASH}`] : [];
  const select = [
    ...key.map((k) => sql`t.${k}`),
    sql`x.sequence AS ${quoteName(mode.sequence)}`,
    ...others,
    ...hash,
    sql`'delete' AS ${OP}`,
    sql`'missing from ' || x.file AS ${EVENT_HASH}`,
    sql`x.file AS ${SOURCE_FILE}`,
    sql`t.${BUCKET}`,
  ];
  const same = (alias: Sql): Sql =>
    join(
      key.map((k) => sql`t.${k} = ${alias}.${k}`),
      ' AND ',
    );
  return {
    name: 'missing_deletes',
    text: sql`INSERT INTO ${EVENTS} BY NAME
WITH keys AS (SELECT ${join([...key, ...(mode.key.length > 1 ? [KEY_HASH] : []), BUCKET])}, min(${quoteName(mode.sequence)}) AS __first FROM ${EVENTS} GROUP BY ALL)
SELECT ${join(select)} FROM keys t JOIN ${extracts} x ON x.sequence >= t.__first
ANTI JOIN ${EVENTS} e ON ${same(sql`e`)} AND e.${SOURCE_FILE} = x.file`,
  };
}

/** The touched keys' rows as their events make them. */
export function createRecomputed(mode: KeyedMode, columns: readonly Column[], events: EventColumns): Statement {
  const winners = renderWinners(mode, events);
  const text = mode.kind === 'upsert' ? renderLatest(mode, columns, winners) : renderVersions(mode, columns, winners);
  return { name: `recompute_${mode.kind}`, text: sql`CREATE TABLE ${RECOMPUTED} AS\n${text}` };
}

/** Which of several events of one key and sequence counts, first: a delete before an upsert, then tieBreak, then the hash. */
export function renderWinnerOrder(mode: KeyedMode, hash: Sql): Sql {
  return join([sql`${OP} = 'delete' DESC`, ...(mode.tieBreak === null ? [] : [userSql(mode.tieBreak)]), hash]);
}

/** One event of each key and sequence. Only where several differ are they hashed, and put into an order. */
function renderWinners(mode: KeyedMode, events: EventColumns): Sql {
  const by = sql`${names(mode.key)}, ${quoteName(mode.sequence)}`;
  const number = renderEventNumber(events);
  const order = renderWinnerOrder(mode, HASH);
  const ties = sql`(SELECT e.*, min(${number}) OVER w <> max(${number}) OVER w AS __differ FROM ${EVENTS} e SEMI JOIN tied USING (${by}) WINDOW w AS (PARTITION BY ${by}))`;
  return sql`tied AS (SELECT ${by} FROM ${EVENTS} GROUP BY ALL HAVING count(*) > 1),
hashed AS (SELECT * EXCLUDE (__differ), CASE WHEN __differ THEN ${renderEventHash(events)} END AS ${HASH} FROM ${ties}),
winners AS (
  SELECT * FROM ${EVENTS} ANTI JOIN tied USING (${by})
  UNION ALL BY NAME
  SELECT * EXCLUDE (${HASH}) FROM hashed QUALIFY row_number() OVER (PARTITION BY ${by} ORDER BY ${order}) = 1
)`;
}

function renderLatest(mode: KeyedMode, columns: readonly Column[], winners: Sql): Sql {
  return sql`WITH ${winners},
latest AS (
  SELECT * FROM winners QUALIFY row_number() OVER (PARTITION BY ${names(mode.key)} ORDER BY ${quoteName(mode.sequence)} DESC) = 1
)
SELECT ${rowColumns(mode, columns)} FROM latest WHERE ${OP} <> 'delete'`;
}

/**
 * Versions: an event starts one unless the event before it says the same of the tracked columns and its own end does
 * not leave a gap. A version takes its first event's sequence, its last event's other columns, and ends where the next
 * version or delete begins, or at the source's own end if that is earlier.
 */
function renderVersions(mode: KeyedMode, columns: readonly Column[], winners: Sql): Sql {
  const sequence = quoteName(mode.sequence);
  const own = mode.validTo === null ? undefined : quoteName(mode.validTo);
  const window = sql`(PARTITION BY ${names(mode.key)} ORDER BY ${sequence})`;
  const tracked =
    mode.track.length === 0
      ? sql`true`
      : sql`struct_pack(${join(mode.track.map((c, i) => sql`t${i} := ${quoteName(c)}`))})`;
  const gap = own === undefined ? NOTHING : sql`\n      WHEN lag(${own}) OVER w < ${sequence} THEN true`;
  const changed = mode.coalesce ? sql`${tracked} IS DISTINCT FROM lag(${tracked}) OVER w` : sql`true`;
  const next = sql`__next`;
  const end =
    own === undefined
      ? next
      : sql`CASE WHEN ${own} IS NULL THEN ${next} WHEN ${next} IS NULL OR ${own} < ${next} THEN ${own} ELSE ${next} END`;
  return sql`WITH ${winners},
marked AS (
  SELECT *, CASE
      WHEN ${OP} = 'delete' THEN true
      WHEN lag(${OP}) OVER w IS NULL OR lag(${OP}) OVER w = 'delete' THEN true${gap}
      ELSE ${changed}
    END AS __starts
  FROM winners WINDOW w AS ${window}
),
bounded AS (
  SELECT *,
    last_value(CASE WHEN __starts THEN coalesce(${SINCE}, ${sequence}) END IGNORE NULLS) OVER (PARTITION BY ${names(mode.key)} ORDER BY ${sequence} ROWS UNBOUNDED PRECEDING) AS __first,
    lead(${sequence}) OVER w AS ${next},
    coalesce(lead(__starts) OVER w, true) AS __ends
  FROM marked WINDOW w AS ${window}
),
versions AS (
  SELECT ${rowColumns(mode, columns)}, __first AS ${VALID_FROM}, ${end} AS ${VALID_TO} FROM bounded WHERE __ends AND ${OP} <> 'delete'
)
SELECT *, ${VALID_TO} IS NULL AS ${IS_CURRENT} FROM versions`;
}

/** The buckets' new history, each row with its bucket: rows that are not touched as they are, and the recomputed ones. */
export function renderHistory(mode: KeyedMode, columns: readonly Column[]): Sql {
  const all = join(columns.map((c) => quoteName(c.name)));
  const key = names(mode.key);
  const closed = mode.kind === 'upsert' ? NOTHING : sql` OR NOT (t.${WHOLE} OR h.${IS_CURRENT})`;
  // Of a table, unlike a SELECT, `rowid` would be a column, and ambiguous where the model has one of that name.
  return sql`(SELECT ${all}, h.${BUCKET} FROM ${HISTORY} h LEFT JOIN (SELECT * FROM ${TOUCHED}) t USING (${key}) WHERE t.${WHOLE} IS NULL${closed}
UNION ALL
SELECT ${all}, ${BUCKET} FROM ${RECOMPUTED})`;
}

/** The least sequence of the staged events, as text. */
export function selectFirstSequence(mode: KeyedMode): Statement {
  return {
    name: 'first_sequence',
    text: sql`SELECT CAST(min(${quoteName(mode.sequence)}) AS VARCHAR) AS first FROM ${NEW}`,
  };
}

/** What is written to the log: the fresh events, or all of the bucket's when events were withdrawn from it. */
export function renderLog(columns: readonly Column[], rewrite: boolean, withdrawn: readonly string[]): Sql {
  if (!rewrite) return FRESH;
  const all = join([...columns.map((c) => quoteName(c.name)), BUCKET]);
  return sql`(SELECT ${all} FROM ${FRESH} UNION ALL SELECT ${all} FROM ${LOG}${kept(sql`WHERE`, withdrawn)})`;
}

/** The key buckets of the fresh events. */
export function listBuckets(): Statement {
  return { name: 'touched_buckets', text: sql`SELECT DISTINCT ${BUCKET} AS bucket FROM ${FRESH} ORDER BY bucket` };
}

export function countFresh(withdrawn: readonly string[]): Statement {
  const gone =
    withdrawn.length === 0
      ? sql`0`
      : sql`(SELECT count(*) FROM ${LOG} WHERE ${SOURCE_FILE} IN (${join(withdrawn.map(quoteText))}))`;
  return {
    name: 'count_fresh',
    text: sql`SELECT (SELECT count(*) FROM ${NEW}) AS staged, (SELECT count(*) FROM ${FRESH}) AS fresh, ${gone} AS withdrawn`,
  };
}

/** Only the part of the bucket's keys that one unit of several deals with. */
export function renderPart(mode: KeyedMode, relation: Sql, part: number, parts: number): Sql {
  return parts === 1 ? relation : sql`(SELECT * FROM ${relation} WHERE hash(${names(mode.key)}) % ${parts} = ${part})`;
}

function eventColumns(mode: KeyedMode, columns: readonly Column[]): Sql {
  const hash = mode.key.length > 1 ? [KEY_HASH] : [];
  return join([...columns.map((c) => quoteName(c.name)), OP, EVENT_HASH, SOURCE_FILE, ...hash, BUCKET]);
}

function rowColumns(mode: KeyedMode, columns: readonly Column[]): Sql {
  return join([...columns.map((c) => quoteName(c.name)), ...(mode.key.length > 1 ? [KEY_HASH] : []), BUCKET]);
}

function wholeLog({ all, withdrawn }: Scope): boolean {
  return all || withdrawn.length > 0;
}

function kept(keyword: Sql, withdrawn: readonly string[]): Sql {
  return withdrawn.length === 0 ? NOTHING : sql` ${keyword} ${SOURCE_FILE} NOT IN (${join(withdrawn.map(quoteText))})`;
}

function names(columns: readonly string[]): Sql {
  return join(columns.map(quoteName));
}
