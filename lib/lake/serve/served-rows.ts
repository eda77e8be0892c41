import { join } from 'node:path';
import { dedupeColumns } from '../../core/dedupe.ts';
import { InvalidInput } from '../../core/errors.ts';
import { isKeyed, VALID_FROM } from '../../core/keyed.ts';
import { listedIn, PERSONAL_COLUMNS } from '../../core/personal.ts';
import { type ServedTableSpec, type ServeSpec, servedName } from '../../core/serve.ts';
import type { ModelSpec, PipelineSpec, TableRef } from '../../core/spec.ts';
import type { Sql } from '../../core/sql-text.ts';
import { fullName } from '../../core/tables.ts';
import type { Column } from '../../core/types.ts';
import { visibleLine } from '../../core/visible.ts';
import { currentSnapshot, rowsId, snapshotById } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { Session, SinkRows } from '../../ports.ts';
import { quotePath } from '../../sql/quote.ts';
import { createTableView } from '../../sql/scan.ts';
import {
  copyServed,
  countServedChanges,
  createServedChanges,
  findNul,
  findWrongKey,
  keysOfServed,
  SERVED_GONE,
  SERVED_ROWS,
} from '../../sql/serve/rows.ts';
import { planFiles, type ScannedFile } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { acquireAll } from '../resources.ts';
import { openFiles } from '../tables/foreign-files.ts';
import { boundColumns, createPlaces, findModel, openRef, tableIdOf } from '../tables/table-state.ts';

/** A table of the lake that is served. */
export type ServedTableState = {
  readonly spec: PipelineSpec;
  readonly serve: ServeSpec;
  readonly table: ServedTableSpec;
  readonly ref: TableRef;
  /** Undefined: no run has made it yet. */
  readonly metadata: TableMetadata | undefined;
  /** As it is served. */
  readonly columns: readonly Column[];
  /** Columns beyond those that its model names. */
  readonly also: readonly Column[];
};

/** Columns by which a row is named that has no key. */
const NAMED_BY = 3;

/**
 * Writes what is to be copied of a table into a folder, where the rows of one of its snapshots are there already: what has changed
 * since, as far as the files of that snapshot are known; else all. Throws InvalidInput for rows that cannot be served, naming one.
 */
export async function writeServedRows(
  deps: StepDeps,
  folder: string,
  state: ServedTableState,
  served: string | null,
): Promise<SinkRows> {
  const { metadata, table } = state;
  if (isSame(metadata, served)) return { kind: 'unchanged' };
  await using session = await deps.engine.open(deps.settings);
  await createPlaces(session, [state.ref]);
  const known = metadata !== undefined && served !== null && snapshotById(metadata, BigInt(served)) !== undefined;
  if (known && table.mode !== 'replace') return await writeChanges(deps, session, { folder, state, metadata, served });
  const { layer, name } = state.ref;
  await using _table = await openRef(deps.store, session, state.spec, state.ref, metadata, state.also);
  return { kind: 'whole', path: await writeRows(session, folder, state, quotePath(layer, name)) };
}

/** Files that were only rewritten have the rows that they had. */
function isSame(metadata: TableMetadata | undefined, served: string | null): boolean {
  if (metadata === undefined || served === null) return false;
  const now = rowsId(metadata, currentSnapshot(metadata));
  return now !== undefined && (now === served || now === rowsId(metadata, snapshotById(metadata, BigInt(served))));
}

type Changing = {
  readonly folder: string;
  readonly state: ServedTableState;
  readonly metadata: TableMetadata;
  readonly served: string;
};

async function writeChanges(
  { store }: StepDeps,
  session: Session,
  { folder, state, metadata, served }: Changing,
): Promise<SinkRows> {
  const { columns, table } = state;
  const now = await planFiles(store, metadata);
  const then = await planFiles(store, metadata, { snapshotId: BigInt(served) });
  const view = async (name: string, files: readonly ScannedFile[], others: readonly ScannedFile[]) => {
    const known = new Set(others.map(rowsOf));
    const lent = await openFiles(
      session,
      store,
      metadata,
      files.filter((file) => !known.has(rowsOf(file))),
    );
    await session.run(createTableView({ schema: 'batch', table: name }, boundColumns(metadata, columns), lent.files));
    return lent;
  };
  const lent = await acquireAll([() => view('served_now', now, then), () => view('served_then', then, now)]);
  try {
    for (const statement of createServedChanges(columns, table.key)) await session.run(statement);
    const [count] = await session.rows(countServedChanges(table.key));
    const gone = Number(count?.['gone']);
    if (Number(count?.['rows']) + gone === 0) return { kind: 'unchanged' };
    if (table.mode === 'merge' && !isKeyOf(state)) {
      // A new row may have the key of one in a file that was there already.
      const known = new Set(then.map(rowsOf));
      const shared = now.filter((file) => known.has(rowsOf(file)));
      await using _shared = await view('served_shared', shared, []);
      await checkKeys(session, state, keysOfServed(table.key));
    }
    const path = await writeRows(session, folder, state, SERVED_ROWS);
    if (gone === 0) return { kind: 'changes', path, gone: null };
    const keys = join(folder, 'gone.csv');
    const named = columns.filter(({ name }) => table.key.includes(name));
    await session.run(copyServed(SERVED_GONE, inOrder(named, table.key), keys));
    return { kind: 'changes', path, gone: keys };
  } finally {
    for (const one of lent) await one[Symbol.asyncDispose]();
  }
}

/** Whether the table's own rules let no two rows have one such key: then its files need not be looked through. */
function isKeyOf({ spec, table }: ServedTableState): boolean {
  const model = findModel(spec, table.from);
  const unique = model.expect.flatMap((one) => (one.kind === 'unique' && one.policy === 'fail' ? [one.columns] : []));
  return [ownKey(model), ...unique].some((own) => own.length > 0 && own.every((name) => table.key.includes(name)));
}

function ownKey(model: ModelSpec): readonly string[] {
  if (!isKeyed(model)) return model.layer === 'silver' ? dedupeColumns(model) : [];
  return model.mode.kind === 'scd2' ? [...model.mode.key, VALID_FROM] : model.mode.key;
}

/** What decides about the rows of a file: its path has one content for good, from which others take rows out. */
function rowsOf({ path, deletes }: ScannedFile): string {
  return JSON.stringify([path, deletes.map((one) => one.path).sort()]);
}

function inOrder(columns: readonly Column[], names: readonly string[]): readonly Column[] {
  return names.flatMap((name) => columns.find((column) => column.name === name) ?? []);
}

async function writeRows(session: Session, folder: string, state: ServedTableState, from: Sql): Promise<string> {
  const { columns, table } = state;
  if (table.mode === 'merge') await checkKeys(session, state, from);
  await checkTexts(session, state, from);
  const path = join(folder, 'rows.csv');
  await session.run(copyServed(from, columns, path));
  return path;
}

async function checkKeys(session: Session, state: ServedTableState, from: Sql): Promise<void> {
  const { key } = state.table;
  const [found] = await session.rows(findWrongKey(from, key, hiddenIn(state)));
  if (found === undefined) return;
  const [n, row] = [Number(found['n']), visibleLine(String(found['row']))];
  const got = n > 1 ? `${n} rows of ${row}` : `a row of ${row}`;
  throw new InvalidInput(
    `${placeOf(state)}: got ${got}; expected one row for each ${key.join(', ')}, and no NULL in it, by which rows are merged. Nothing was served: name another key, or make the rows of the model unique`,
  );
}

async function checkTexts(session: Session, state: ServedTableState, from: Sql): Promise<void> {
  const { columns, table } = state;
  const hidden = hiddenIn(state);
  const others = columns.map(({ name }) => name).filter((name) => !hidden.has(name));
  const named = table.key.length > 0 ? table.key : others.slice(0, NAMED_BY);
  const statement = findNul(from, columns, { named, hidden });
  const [found] = statement === undefined ? [] : await session.rows(statement);
  if (found === undefined) return;
  throw new InvalidInput(
    `${placeOf(state)}: got a NUL character in ${found['column']} of the row with ${visibleLine(String(found['row']))}; expected text without, as PostgreSQL has no other. ` +
      `Nothing was served: take it out in the model, replace(${found['column']}, chr(0), '')`,
  );
}

/** Columns whose values no error names. */
function hiddenIn({ spec, table, metadata }: ServedTableState): ReadonlySet<string> {
  const { personal = [] } = findModel(spec, table.from);
  return new Set([...personal, ...listedIn(metadata?.properties ?? {}, PERSONAL_COLUMNS)]);
}

function placeOf({ spec, serve, table, ref }: ServedTableState): string {
  return `${fullName(tableIdOf(spec, ref))}, served as ${servedName(serve, table)}`;
}
