import { mapConcurrent } from '../../core/concurrency.ts';
import { InvalidInput } from '../../core/errors.ts';
import { addByTable, addInputs, type BytesByTable, type InputBytes, NO_INPUTS } from '../../core/input-bytes.ts';
import { isKeyed, logColumns, logModelId, logTable } from '../../core/keyed.ts';
import type { TableShare } from '../../core/ladder.ts';
import type { RunPlan } from '../../core/run.ts';
import { modelId, type TableRef } from '../../core/spec.ts';
import type { Column } from '../../core/types.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { Borrowed, ObjectStore, Session } from '../../ports.ts';
import { joinBorrowed } from '../files/borrowed.ts';
import { acquireAll } from '../resources.ts';
import { NEEDS_ALL, type ReadNeeds } from './read-needs.ts';
import {
  boundColumns,
  columnsOfRef,
  createPlaces,
  findModel,
  loadState,
  type PlannedView,
  planView,
  tableIdOf,
  type View,
  viewName,
} from './table-state.ts';

/** What SQL is to find in a session. */
export type Reading = {
  readonly refs: readonly TableRef[];
  /** Keyed tables whose logs it reads as well. */
  readonly logs?: readonly TableRef[] | undefined;
  /** By id, columns of tables beyond those that the SQL was bound to. */
  readonly also?: Readonly<Record<string, readonly Column[]>> | undefined;
  /** The files that are read of one of them; left out: all that are needed. */
  readonly only?: TableShare | undefined;
  /** What it needs of the tables, asked for where they are large; left out: everything. */
  readonly needs?: () => Promise<ReadNeeds>;
};

/** Tables in a session. Disposing gives the files back. `reads`: what came of each, its log included; `parts`: not all of them is here. */
export type OpenedTables = Borrowed & {
  readonly bytes: InputBytes;
  readonly reads: BytesByTable;
  readonly parts: boolean;
};

/** Of tables so small all is brought sooner than it is known what is needed. */
const SMALL_TABLES = 256 * 1024;

/** Makes `<schema>.<table>` readable in a session for each table that SQL reads. */
export async function openTables(
  store: ObjectStore,
  session: Session,
  plan: RunPlan,
  reading: Reading,
): Promise<OpenedTables> {
  await createPlaces(session, reading.refs);
  const views = await viewsOf(store, plan, reading);
  const bytes = views.reduce((sum, { metadata }) => sum + bytesIn(metadata), 0);
  const needs = bytes < SMALL_TABLES ? NEEDS_ALL : ((await reading.needs?.()) ?? NEEDS_ALL);
  const planned = await mapConcurrent(views, (view) => planView({ store, session, needs }, view), 1);
  const all = planned.map((one) => one.bytes).reduce(addInputs, NO_INPUTS);
  assertRoom(store, views, planned);
  const opened = await acquireAll(planned.map(({ open }) => open));
  const ids = [...reading.refs, ...(reading.logs ?? [])].map(modelId);
  const reads = addByTable(ids.map((id, at) => ({ [id]: planned[at]?.bytes.brought ?? 0 })));
  return { ...joinBorrowed(opened), bytes: all, reads, parts: needs !== NEEDS_ALL };
}

/** Throws InvalidInput, caused by what the system would say, where the tables do not fit where their files are copied to. */
function assertRoom(store: ObjectStore, views: readonly View[], planned: readonly PlannedView[]): void {
  const { room } = store;
  const bytes = planned.reduce((sum, one) => sum + one.bytes.brought, 0);
  if (room === undefined || bytes <= room) return;
  const each = views.map(
    ({ name: { schema, table } }, at) => `${schema}.${table} ${inMb(planned[at]?.bytes.brought ?? 0)}`,
  );
  const cause = Object.assign(new Error(`${bytes} bytes, ${room} are there`), { code: 'ENOSPC' });
  throw new InvalidInput(
    `the unit needs ${inMb(bytes)} of its inputs (${each.join(', ')}): got room for ${inMb(room)}; expected as much as it needs. ` +
      "Nothing was brought. Give it more room, read fewer columns or rows, or partition the model and let it follow changes (refresh: 'touched')",
    [],
    { cause },
  );
}

const inMb = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MB`;

/** As the snapshot tells it. */
function bytesIn(metadata: TableMetadata | undefined): number {
  return Number((metadata && currentSnapshot(metadata))?.summary['total-files-size'] ?? 0);
}

async function viewsOf(
  store: ObjectStore,
  plan: RunPlan,
  { refs, logs = [], also = {}, only }: Reading,
): Promise<readonly View[]> {
  const views: View[] = [];
  for (const ref of refs) {
    const metadata = await loadState(store, plan, modelId(ref));
    const columns = boundColumns(metadata, [...columnsOfRef(plan.spec, ref), ...(also[modelId(ref)] ?? [])]);
    const files = only?.table === modelId(ref) ? { only: new Set(only.files) } : {};
    views.push({ name: viewName(ref), metadata, columns, ...files });
  }
  for (const ref of logs) views.push(await viewOfLog(store, plan, ref));
  return views;
}

/** `silver.<table>__log`, for gold that builds on the events themselves. */
async function viewOfLog(store: ObjectStore, plan: RunPlan, ref: TableRef): Promise<View> {
  const model = findModel(plan.spec, modelId(ref));
  if (!isKeyed(model)) throw new RangeError(`${model.id} has no log`);
  const log = logTable(tableIdOf(plan.spec, ref));
  const metadata = await loadState(store, plan, logModelId(model));
  const columns = boundColumns(metadata, logColumns(model.mode, model.columns));
  return { name: { schema: log.layer, table: log.name }, metadata, columns };
}
