import { InvalidInput } from '../core/errors.ts';
import {
  EVENT_HASH,
  eventColumnsOf,
  IS_CURRENT,
  KEY_HASH,
  logColumns,
  OP,
  SOURCE_FILE,
  VALID_FROM,
  VALID_TO,
} from '../core/keyed.ts';
import { maskRow } from '../core/personal.ts';
import type { KeyedMode } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import { fullName } from '../core/tables.ts';
import type { Column } from '../core/types.ts';
import type { Predicate } from '../iceberg/predicate.ts';
import { columnsOf, currentSchema, fieldByName } from '../iceberg/schema.ts';
import { parseScalarText } from '../iceberg/text.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import { type Held, holdResources } from '../lake/resources.ts';
import { openFiles } from '../lake/tables/foreign-files.ts';
import { scanColumns } from '../lake/tables/table-state.ts';
import type { JsonValue, ObjectStore, Row, Session } from '../ports.ts';
import {
  createKey,
  createRowsOfKey,
  JUDGED,
  renderLoggedExtracts,
  selectEvents,
  selectKey,
  selectVersions,
} from '../sql/key-history.ts';
import { addMissingDeletes, createKeyEvents, createKnown, createTouched } from '../sql/keyed.ts';
import { renderScan } from '../sql/scan.ts';
import { duckType } from '../sql/types.ts';
import { planFiles } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';
import { type FoundKeyedTable, findKeyedTable, type PipelineDeps } from './find-keyed.ts';
import { maskedColumns } from './masked-columns.ts';

/**
 * What became of an event. `starts` and `continues` a version; `ends` the version before it; `superseded` by a later
 * event (upsert); `lost` to another one of its sequence; `repeats` what another file said; `none`: a delete of nothing.
 */
export type EventEffect = 'starts' | 'continues' | 'ends' | 'superseded' | 'lost' | 'repeats' | 'none';

export type KeyEvent = {
  readonly sequence: JsonValue;
  /** `missing`: a full extract lacked the key, which deletes it. */
  readonly op: 'upsert' | 'delete' | 'missing';
  /** The model's columns but the key and the sequence. */
  readonly columns: Row;
  readonly source_file: string;
  readonly event_hash: string | null;
  /** It counts at its sequence; where several do, they are equal. */
  readonly won: boolean;
  readonly effect: EventEffect;
  /** The version that it is part of or, when it deletes, the one that it ends. */
  readonly version: number | null;
};

/** A row of the table. The interval of an upsert table, which keeps the latest row only, is null. */
export type KeyVersion = {
  readonly version: number;
  readonly valid_from: JsonValue;
  readonly valid_to: JsonValue;
  readonly is_current: boolean;
  readonly columns: Row;
};

/** The log and the rows of one key. */
export type KeyHistory = {
  readonly table: string;
  readonly mode: KeyedMode['kind'];
  readonly sequence: string;
  /** The columns whose change makes a version. */
  readonly track: readonly string[];
  readonly valid_to_column: string | null;
  readonly key: Row;
  readonly events: readonly KeyEvent[];
  readonly versions: readonly KeyVersion[];
};

/**
 * Why a key's rows are what they are: every event accepted for it, which of them count, and what they made. `parts` are
 * the key's values as text, in the order of the key's columns. Reads only the files that may hold the key. Throws
 * InvalidInput for a table that is not keyed, a wrong key and a key without events.
 */
export async function readKeyHistory(
  deps: QueryDeps & PipelineDeps,
  name: string,
  parts: readonly string[],
): Promise<KeyHistory> {
  const found = await findKeyedTable(deps, name);
  const { mode } = found.model;
  checkParts(found, parts);
  await using session = await deps.engine.open(deps.settings);
  await using borrowed = holdResources();
  const key = await parseKey(session, found, parts);
  const log = await scanOfKey(session, deps.store, found.log, key, borrowed);
  const history = await scanOfKey(session, deps.store, found.metadata, key, borrowed);
  const events = eventColumnsOf(found.model, dataColumns(found));
  for (const statement of createRowsOfKey(mode.key, events, { log, history })) await session.run(statement);
  await createEvents(session, deps.store, found, borrowed);
  const judged = await session.rows(selectEvents(mode));
  const versions = await session.rows(selectVersions(mode));
  const first = judged[0];
  if (first === undefined) throw unknownKey(found, key);
  const shown = deps.hidesPersonal === true ? maskingOf(found) : (row: Row): Row => row;
  return {
    table: fullName(found.id),
    mode: mode.kind,
    sequence: mode.sequence,
    track: mode.track,
    valid_to_column: mode.validTo,
    key: pick(first, mode.key),
    events: judged.map((row) => eventOf(found, shown(row))),
    versions: versions.map((row) => versionOf(found, shown(row))),
  };
}

/** The key itself is what was asked for. */
function maskingOf({ model, metadata, log }: FoundKeyedTable): (row: Row) => Row {
  const tables = [metadata, log].flatMap((table) => maskedColumns(table).map(({ name }) => name));
  const personal = new Set([...(model.personal ?? []), ...tables]);
  return (row) => maskRow(row, (name) => personal.has(name));
}

function checkParts(found: FoundKeyedTable, parts: readonly string[]): void {
  const { key } = found.model.mode;
  if (parts.length === key.length) return;
  throw new InvalidInput(
    `the key of ${fullName(found.id)} is ${key.join(', ')}: got ${parts.length} value${parts.length === 1 ? '' : 's'} ` +
      `(${parts.join(', ')}); expected ${key.length}, in this order`,
  );
}

/** The key's columns, a composite key's hash among them, as the text that DuckDB prints. */
async function parseKey(session: Session, found: FoundKeyedTable, parts: readonly string[]): Promise<Row> {
  const columns = found.model.mode.key.map((name) => columnNamed(found, name));
  await session.run(createKey(columns, parts));
  const key = (await session.rows(selectKey()))[0] ?? {};
  const wrong = columns.flatMap((column, i) =>
    key[column.name] === null
      ? [`${column.name}: got ${JSON.stringify(parts[i])}; expected ${duckType(column.type)}`]
      : [],
  );
  if (wrong.length > 0) throw new InvalidInput(`not a key of ${fullName(found.id)}: ${wrong.join('; ')}`);
  return key;
}

function columnNamed({ id, log }: FoundKeyedTable, name: string): Column {
  const column = columnsOf(currentSchema(log)).find((one) => one.name === name);
  if (column !== undefined) return column;
  throw new InvalidInput(
    `${fullName(id)} has no column ${name}, by which the pipeline keys it now; run the pipeline first`,
  );
}

/** A relation over the files of a table that may hold the key: its bucket's, less those whose bounds exclude it. */
async function scanOfKey(
  session: Session,
  store: ObjectStore,
  metadata: TableMetadata,
  key: Row,
  borrowed: Held,
): Promise<Sql> {
  const predicates = Object.entries(key).flatMap(([column, text]): readonly Predicate[] => {
    const type = fieldByName(currentSchema(metadata), column)?.type;
    const value = type === undefined ? undefined : parseScalarText(type, String(text));
    return value === undefined ? [] : [{ column, op: '=', value }];
  });
  return scanFiles(session, store, metadata, predicates, borrowed);
}

async function scanFiles(
  session: Session,
  store: ObjectStore,
  metadata: TableMetadata,
  predicates: readonly Predicate[],
  borrowed: Held,
): Promise<Sql> {
  const files = await planFiles(store, metadata, { predicates });
  const own = borrowed.add(await openFiles(session, store, metadata, files));
  return renderScan(scanColumns(metadata, []), own.files);
}

/** The model's columns, and those that only the log has. */
function dataColumns({ model, log }: FoundKeyedTable): readonly Column[] {
  const own = new Set(logColumns(model.mode, model.columns).map((column) => column.name));
  return [...model.columns, ...columnsOf(currentSchema(log)).filter((column) => !own.has(column.name))];
}

/** The events as the merge sees them, with those that follow from full extracts, for which all of the log counts. */
async function createEvents(
  session: Session,
  store: ObjectStore,
  found: FoundKeyedTable,
  borrowed: Held,
): Promise<void> {
  const { model, log } = found;
  const { mode } = model;
  const columns = dataColumns(found);
  const scope = { all: true, withdrawn: [] };
  await session.run(createKnown(mode, scope));
  await session.run(createTouched(mode, scope));
  await session.run(createKeyEvents(mode, columns, scope));
  if (mode.missing === 'keep') return;
  const extracts = renderLoggedExtracts(mode, await scanFiles(session, store, log, [], borrowed));
  await session.run(addMissingDeletes(mode, columns, extracts));
}

function unknownKey(found: FoundKeyedTable, key: Row): InvalidInput {
  const shown = found.model.mode.key.map((name) => `${name} = ${key[name]}`).join(', ');
  return new InvalidInput(
    `no event of ${shown} was ever accepted in ${fullName(found.id)}; ` +
      `rejected rows are listed by: strata quarantine list ${found.id.pipeline} --source ${found.model.from}`,
  );
}

function eventOf(found: FoundKeyedTable, row: Row): KeyEvent {
  const { mode } = found.model;
  const missing = row[JUDGED.missing] === true;
  const version = row[JUDGED.version] ?? null;
  return {
    sequence: row[mode.sequence] ?? null,
    op: missing ? 'missing' : row[OP] === 'delete' ? 'delete' : 'upsert',
    columns: ownColumns(found, row, [mode.sequence]),
    source_file: String(row[SOURCE_FILE]),
    event_hash: missing ? null : String(row[EVENT_HASH]),
    won: row[JUDGED.won] === true,
    effect: effectOf(mode, row),
    version: version === null ? null : Number(version),
  };
}

function effectOf(mode: KeyedMode, row: Row): EventEffect {
  if (row[JUDGED.won] !== true) return 'lost';
  if (row[JUDGED.repeats] === true) return 'repeats';
  if (row[OP] === 'delete') {
    if (mode.kind === 'upsert') return row[JUDGED.last] === true ? 'ends' : 'superseded';
    return row[JUDGED.version] === null ? 'none' : 'ends';
  }
  if (row[JUDGED.version] === null) return 'superseded';
  return row[JUDGED.starts] === true ? 'starts' : 'continues';
}

function versionOf(found: FoundKeyedTable, row: Row): KeyVersion {
  return {
    version: Number(row[JUDGED.version]),
    valid_from: row[VALID_FROM] ?? null,
    valid_to: row[VALID_TO] ?? null,
    is_current: found.model.mode.kind === 'upsert' || row[IS_CURRENT] === true,
    columns: ownColumns(found, row, []),
  };
}

/** The model's columns, which both tables have, without the key. */
function ownColumns({ model: { mode }, metadata, log }: FoundKeyedTable, row: Row, without: readonly string[]): Row {
  const [shared, history] = [log, metadata].map((table) => new Set(columnsOf(currentSchema(table)).map((c) => c.name)));
  const names = Object.keys(row).filter((name) => shared?.has(name) === true && history?.has(name) === true);
  const hidden = new Set([...mode.key, KEY_HASH, ...without]);
  return pick(
    row,
    names.filter((name) => !hidden.has(name)),
  );
}

function pick(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
}
