import type { ServeSpec } from '../../core/serve.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { currentSnapshot, rowsId, snapshotById } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { ObjectStore } from '../../ports.ts';
import { readJsonIfAny, writeJson } from '../run/run-folder.ts';

/** What the lake knows of the tables that a pipeline serves: as the last run left it that served, or tried to. */
export type ServedRecord = {
  readonly tables: readonly ServedState[];
  /** Why the last run could not serve. */
  readonly error: { readonly run_id: string; readonly name: string; readonly message: string } | null;
};

export type ServedState = {
  /** `<schema>.<name>`. */
  readonly to: string;
  /** Id of the model. */
  readonly from: string;
  /** Whose rows are there; null: nothing was served yet, or the table had no snapshot. */
  readonly snapshot_id: string | null;
  /** The run that served them; null: none. */
  readonly run_id: string | null;
};

function keyOf(pipeline: string): string {
  return `ops/${pipeline}/served.json`;
}

export function readServed(store: ObjectStore, pipeline: string): Promise<ServedRecord | undefined> {
  return readJsonIfAny<ServedRecord>(store, keyOf(pipeline));
}

export function writeServed(store: ObjectStore, pipeline: string, record: ServedRecord): Promise<void> {
  return writeJson(store, keyOf(pipeline), record);
}

/** Whether a served table has other rows than the lake's. */
export function isBehind({ snapshot_id, run_id }: ServedState, metadata: TableMetadata | undefined): boolean {
  if (run_id === null) return true;
  const now = metadata && rowsId(metadata, currentSnapshot(metadata));
  if (metadata === undefined || now === undefined) return snapshot_id !== null;
  if (snapshot_id === null) return true;
  return now !== snapshot_id && now !== rowsId(metadata, snapshotById(metadata, BigInt(snapshot_id)));
}

/** Whether a pipeline has something to serve although none of its tables changes: it was not served, or not as it is to be. */
export async function servesBehind(
  store: ObjectStore,
  spec: Pick<PipelineSpec, 'name' | 'serve'>,
  tables: ReadonlyMap<string, { readonly metadata: TableMetadata } | undefined>,
): Promise<boolean> {
  return (await servedBehind(store, spec, tables)).size > 0;
}

/** Names of the served tables of which that is so. */
export async function servedBehind(
  store: ObjectStore,
  { name, serve }: Pick<PipelineSpec, 'name' | 'serve'>,
  tables: ReadonlyMap<string, { readonly metadata: TableMetadata } | undefined>,
): Promise<ReadonlySet<string>> {
  if (serve === undefined) return new Set();
  const states = statesOf(serve, await readServed(store, name));
  const behind = states.filter((state) => isBehind(state, tables.get(state.from)?.metadata));
  return new Set(behind.map(({ to }) => to.slice(serve.postgres.schema.length + 1)));
}

/** Of each table that is to be served what is known of it; nothing of one that was served from another. */
export function statesOf(serve: ServeSpec, known: ServedRecord | undefined): readonly ServedState[] {
  return serve.postgres.tables.map(({ name, from }) => {
    const to = `${serve.postgres.schema}.${name}`;
    const found = known?.tables.find((one) => one.to === to && one.from === from);
    return found ?? { to, from, snapshot_id: null, run_id: null };
  });
}
