import type { EventColumns } from '../core/keyed.ts';
import type { KeyedMode } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { renderEventHash } from './event-hash.ts';
import { renderKeyHash } from './events.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { EVENTS, FRESH, HISTORY, LOG, renderWinnerOrder } from './keyed.ts';
import { EVENT_HASH, KEY_HASH, OP, SOURCE_FILE, VALID_FROM, VALID_TO } from './keyed-columns.ts';
import { ownName, quoteName, quoteText } from './quote.ts';
import { BUCKET } from './scan.ts';
import { duckType } from './types.ts';

/**
 * One key of a keyed table: its events with what became of each, and its rows. Runs beside the statements of the merge,
 * so that it can't tell another story than they do.
 */
const KEY = ownName('__key');

/** What `selectEvents` and `selectVersions` answer beside the table's own columns. */
export const JUDGED = {
  won: ownName('__won'),
  repeats: ownName('__repeats'),
  missing: ownName('__missing'),
  last: ownName('__last'),
  version: ownName('__version'),
  starts: ownName('__starts'),
} as const;

/** The key from the text of its parts; a part that is no value of its column's type is null. */
export function createKey(columns: readonly Column[], texts: readonly string[]): Statement {
  const parts = columns.map(
    (column, i) => sql`TRY_CAST(${quoteText(texts[i] ?? '')} AS ${duckType(column.type)}) AS ${quoteName(column.name)}`,
  );
  const select = sql`SELECT ${join(parts)}`;
  const hash =
    columns.length > 1 ? sql`, ${renderKeyHash(columns.map((column) => column.name))} AS ${KEY_HASH}` : NOTHING;
  return { name: 'key', text: sql`CREATE TABLE ${KEY} AS SELECT *${hash} FROM (${select})` };
}

/** The key's columns as the text of their values. */
export function selectKey(): Statement {
  return { name: 'key', text: sql`SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ${KEY}` };
}

/**
 * `__log` and `__history`: the key's rows of both tables, in one bucket, and each event with its hash, for there are few;
 * `__fresh`: nothing, since nothing is merged. `events`: the columns that hashes are of.
 */
export function createRowsOfKey(
  key: readonly string[],
  events: EventColumns,
  scans: { readonly log: Sql; readonly history: Sql },
): readonly Statement[] {
  const rows = (name: Sql, scan: Sql, values: Sql): Statement => ({
    name: `rows_of_key ${name}`,
    text: sql`CREATE TABLE ${name} AS SELECT ${values}, 0 AS ${BUCKET} FROM ${scan} t SEMI JOIN ${KEY} USING (${join(key.map(quoteName))})`,
  });
  return [
    rows(LOG, scans.log, sql`* REPLACE (${renderEventHash(events)} AS ${EVENT_HASH})`),
    rows(HISTORY, scans.history, sql`*`),
    { name: 'no_fresh_events', text: sql`CREATE TABLE ${FRESH} AS SELECT * FROM ${LOG} WHERE false` },
  ];
}

/** Full extracts with their sequence, as `addMissingDeletes` takes them; `log` holds all of the log. */
export function renderLoggedExtracts(mode: KeyedMode, log: Sql): Sql {
  return sql`(SELECT ${SOURCE_FILE} AS file, max(${quoteName(mode.sequence)}) AS sequence FROM ${log} GROUP BY ALL)`;
}

/**
 * The key's events in order of their sequence, the one that counts first among those of one sequence. `__won`: it is the
 * one that counts, or equal to it; `__repeats`: another file said the same; `__missing`: an extract lacked the key;
 * `__last`: no later sequence; `__version`: the version that it is part of, for a delete the one that it ends;
 * `__starts`: that version begins with it.
 */
export function selectEvents(mode: KeyedMode): Statement {
  const sequence = quoteName(mode.sequence);
  const order = renderWinnerOrder(mode, EVENT_HASH);
  const version =
    mode.kind === 'upsert'
      ? sql`CASE WHEN ${OP} <> 'delete' AND ${JUDGED.won} AND ${JUDGED.last} THEN 1 END`
      : sql`CASE WHEN ${JUDGED.won} THEN CASE
      WHEN ${OP} = 'delete' THEN (SELECT max(v.${JUDGED.version}) FROM versions v WHERE v.${VALID_TO} = e.${sequence})
      ELSE (SELECT max(v.${JUDGED.version}) FROM versions v WHERE v.${VALID_FROM} <= e.${sequence})
    END END`;
  const starts =
    mode.kind === 'upsert' ? JUDGED.last : sql`EXISTS (SELECT 1 FROM versions v WHERE v.${VALID_FROM} = e.${sequence})`;
  return {
    name: 'events_of_key',
    text: sql`WITH ${renderNumbered(mode)},
judged AS (
  SELECT *,
    ${EVENT_HASH} = first_value(${EVENT_HASH}) OVER (PARTITION BY ${sequence} ORDER BY ${order}) AS ${JUDGED.won},
    row_number() OVER (PARTITION BY ${sequence}, ${EVENT_HASH} ORDER BY ${SOURCE_FILE}) > 1 AS ${JUDGED.repeats},
    starts_with(${EVENT_HASH}, 'missing from ') AS ${JUDGED.missing},
    ${sequence} = max(${sequence}) OVER () AS ${JUDGED.last},
    row_number() OVER (ORDER BY ${sequence}, ${order}, ${SOURCE_FILE}) AS __place
  FROM ${EVENTS}
)
SELECT e.*, ${version} AS ${JUDGED.version}, ${JUDGED.won} AND ${OP} <> 'delete' AND ${starts} AS ${JUDGED.starts}
FROM judged e ORDER BY __place`,
  };
}

/** The key's rows of the table with their number, `__version`, from the earliest on. */
export function selectVersions(mode: KeyedMode): Statement {
  return {
    name: 'versions_of_key',
    text: sql`WITH ${renderNumbered(mode)}\nSELECT * FROM versions ORDER BY ${JUDGED.version}`,
  };
}

function renderNumbered(mode: KeyedMode): Sql {
  const from = quoteName(mode.kind === 'upsert' ? mode.sequence : VALID_FROM);
  return sql`versions AS (SELECT *, row_number() OVER (ORDER BY ${from}) AS ${JUDGED.version} FROM ${HISTORY})`;
}
