import { showTable, tablesIn } from '../compile/references.ts';
import { BRONZE_FILE, BRONZE_FILE_ID } from '../core/bronze-file.ts';
import { ROW_HASH } from '../core/dedupe.ts';
import { EngineError, InvalidInput } from '../core/errors.ts';
import { eventColumnsOf, isKeyed, KEY_HASH, logTable } from '../core/keyed.ts';
import { holdsPersonal, MASK, maskRow, personalSources } from '../core/personal.ts';
import type { SilverModel } from '../core/spec.ts';
import { databaseOf, fullName, type TableId } from '../core/tables.ts';
import { RUN_ID } from '../iceberg/snapshot.ts';
import type { StepDeps } from '../lake/deps.ts';
import { openScratch } from '../lake/files/scratch.ts';
import { holdResources } from '../lake/resources.ts';
import { withoutValues } from '../lake/run/personal-errors.ts';
import { openFiles } from '../lake/tables/foreign-files.ts';
import { scanColumns } from '../lake/tables/table-state.ts';
import type { Borrowed, JsonValue, Row, Session } from '../ports.ts';
import { lockDown } from '../sql/lock-down.ts';
import { quotePath } from '../sql/quote.ts';
import { createRelation, createSchemas, renderBucketed } from '../sql/scan.ts';
import {
  bringEvents,
  bringRows,
  countTraced,
  createTracedRows,
  renderKnownFile,
  selectBrought,
  selectTraced,
  selectTracedRows,
  TRACED,
  writeBrought,
} from '../sql/trace.ts';
import { loadTable, planFiles } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';
import { findTraceable, type Traceable } from './find-traceable.ts';
import { maskedColumns } from './masked-columns.ts';
import { describeFirst, foldersOf, parseQuery } from './select.ts';
import { type Brought, findOrigins, type Origin } from './trace-origins.ts';

export type TraceRequest = { readonly table: string; readonly where: string; readonly limit: number };

/** A row of a silver table, and where it comes from: one place, or the events behind the row of a keyed table. */
export type TracedRow = { readonly row: Row; readonly origins: readonly Origin[] };

export type Trace = {
  readonly table: string;
  readonly mode: SilverModel['mode']['kind'];
  /** All rows that meet the condition, of which `rows` are the first. */
  readonly matched: number;
  readonly rows: readonly TracedRow[];
};

/**
 * Where rows of a silver table come from: the bronze file, the run that took it, and the lines, which are found by reading
 * that file again. Writes nothing. Throws InvalidInput for a condition that cannot be one, and for other tables.
 */
export async function traceRows(
  given: StepDeps & Pick<QueryDeps, 'hidesPersonal'>,
  request: TraceRequest,
): Promise<Trace> {
  const found = await findTraceable(given, request.table);
  // The condition is over rows as they are: what the engine says of it may quote them.
  const deps = given.hidesPersonal === true ? withholdingIn(given, found) : given;
  await using scratch = await openScratch(deps, 'trace');
  const path = `${scratch.folder}/brought.parquet`;
  const { matched, rows, brought } = await findRows(deps, found, request, { folder: scratch.folder, path });
  const hide =
    given.hidesPersonal === true ? hidingOf(found) : { row: (row: Row) => row, origin: (one: Origin) => one };
  const origins = await findOrigins(deps, { ...found, path }, brought);
  return {
    table: fullName(found.id),
    mode: found.model.mode.kind,
    matched,
    rows: rows.map((row, at) => ({
      row: hide.row(shown(row)),
      origins: origins.filter((_, nth) => brought[nth]?.row === at).map(hide.origin),
    })),
  };
}

/** A column that is no longer marked is masked as long as the table says so. */
function withholdingIn<Deps extends StepDeps>(deps: Deps, { metadata, spec }: Traceable): Deps {
  return holdsPersonal(spec) || maskedColumns(metadata).length > 0 ? withoutValues(deps) : deps;
}

/** What is personal in rows, and in the records that they come from. */
function hidingOf({ model, metadata, spec }: Traceable): {
  readonly row: (row: Row) => Row;
  readonly origin: (one: Origin) => Origin;
} {
  const personal = new Set([...(model.personal ?? []), ...maskedColumns(metadata).map(({ name }) => name)]);
  const records = personalSources(spec).includes(model.from);
  return {
    row: (row) => maskRow(row, (name) => personal.has(name)),
    origin: (one) => (records && one.raw !== null ? { ...one, raw: MASK } : one),
  };
}

type Found = { readonly matched: number; readonly rows: readonly Row[]; readonly brought: readonly Brought[] };

/** The rows in question and what brought them, which is also left at a local path. */
async function findRows(
  deps: StepDeps,
  { id, metadata, model }: Traceable,
  { where, limit }: TraceRequest,
  place: { readonly folder: string; readonly path: string },
): Promise<Found> {
  // Open until its tables are in it, and closed to all but their files when the condition runs.
  await using session = await deps.engine.open({ ...deps.settings, folders: undefined });
  const view = quotePath(databaseOf(id), id.name);
  const query = selectTraced(view, where);
  refuseOthers(await parseQuery(session, query), id);
  await using borrowed = holdResources();
  for (const statement of createSchemas([databaseOf(id)])) await session.run(statement);
  const table = borrowed.add(await openWithFiles(deps, session, { id, metadata, model }));
  const log = isKeyed(model) ? await loadTable(deps.catalog, logTable(id)) : undefined;
  const events =
    log === undefined
      ? undefined
      : borrowed.add(await openWithFiles(deps, session, { id: logTable(id), metadata: log.metadata, model }));
  const views = [table, ...(events === undefined ? [] : [events])];
  for (const statement of lockDown([...foldersOf(views), place.folder])) await session.run(statement);
  await describeFirst(session, query);
  await session.run(createTracedRows(view, where, limit)).catch(withoutOurs);
  const counted = await session.rows(countTraced(view, where));
  const logView = quotePath(databaseOf(id), logTable(id).name);
  await session.run(
    isKeyed(model) && events !== undefined
      ? bringEvents(model.mode, eventColumnsOf(model, model.columns), logView)
      : bringRows(),
  );
  await session.copy(writeBrought(place.path));
  const runs = isKeyed(model) ? [] : table.runs;
  const brought = (await session.rows(selectBrought(events !== undefined))).map((one): Brought => {
    const [file, op] = [one[TRACED.fileName], one['op']];
    return {
      row: Number(one[TRACED.row]),
      file: typeof file === 'string' ? file : null,
      op: op === 'upsert' || op === 'delete' ? op : null,
      run_id: runs[Number(one[TRACED.data])] ?? null,
    };
  });
  return { matched: Number(counted[0]?.['rows']), rows: await session.rows(selectTracedRows()), brought };
}

/** The condition is over one row: beside its table the session has only what tells of itself. */
function refuseOthers(tree: JsonValue, id: TableId): void {
  const others = tablesIn(tree).filter(({ schema, table }) => schema !== databaseOf(id) || table !== id.name);
  if (others.length === 0) return;
  throw new InvalidInput(
    `--where: got ${others.map(showTable).join(', ')}; expected a condition over the columns of ${fullName(id)}`,
  );
}

/** The rest shows the SQL around the user's. */
function withoutOurs(cause: unknown): never {
  if (!(cause instanceof EngineError)) throw cause;
  throw new EngineError(cause.message.split('\n\nLINE ')[0] ?? cause.message, { cause });
}

type WithFiles = Borrowed & {
  /** By data file: the run that added it, where the table's history still says so. */
  readonly runs: readonly (string | null)[];
};

/** A view of a table in which each row has its bronze file, as far as that is known, and the number of its data file. */
async function openWithFiles(
  deps: StepDeps,
  session: Session,
  { id, metadata, model }: Pick<Traceable, 'id' | 'metadata' | 'model'>,
): Promise<WithFiles> {
  const files = await planFiles(deps.store, metadata);
  const opened = await openFiles(session, deps.store, metadata, files);
  const scan = renderBucketed(
    [...scanColumns(metadata, []), { ...BRONZE_FILE, id: BRONZE_FILE_ID }],
    opened.files.map((file, bucket) => ({ file, bucket })),
  );
  const rows = model.metadata.includes('source_file') && !isKeyed(model) ? renderKnownFile(scan) : scan;
  await session.run(createRelation(quotePath(databaseOf(id), id.name), rows));
  // Whoever only rewrote files has brought no rows.
  const brought = metadata.snapshots.filter(({ summary }) => summary.operation !== 'replace');
  const byId = new Map(brought.map((one) => [one['snapshot-id'], one.summary[RUN_ID]]));
  return {
    ...opened,
    runs: files.map(({ snapshotId }) => (snapshotId === null ? null : (byId.get(snapshotId) ?? null))),
  };
}

/** Without the columns that are Strata's own. */
function shown(row: Row): Row {
  const own = (name: string): boolean => name.startsWith('__') || name === ROW_HASH || name === KEY_HASH;
  return Object.fromEntries(Object.entries(row).filter(([name]) => !own(name)));
}
