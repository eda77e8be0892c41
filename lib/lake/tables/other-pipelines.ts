import { InvalidInput, Unavailable } from '../../core/errors.ts';
import { readByAny } from '../../core/implementations.ts';
import { modelId, type OtherTable, type PipelineSpec } from '../../core/spec.ts';
import type { TableId } from '../../core/tables.ts';
import { renderColumnType } from '../../core/types.ts';
import { evolveSchema } from '../../iceberg/evolve.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import { atSnapshot, currentSnapshot, RUN_ID, snapshotById } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { ObjectStore } from '../../ports.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { type OpenRun, readOpenRun } from '../run/open-run.ts';
import { runFolder } from '../run/run-folder.ts';

/** A table as it was when one of its snapshots was current, and the file that says so. */
export type PinnedTable = { readonly metadata: TableMetadata; readonly location: string };

type Deps = Pick<StepDeps, 'store' | 'catalog'>;

/** A pipeline that publishes so often is looked at no more. */
const LOOKS = 5;

/**
 * By id: the tables of other pipelines that gold models of a pipeline read, those of one pipeline as its last finished run
 * left them together. Throws InvalidInput for a table that is not published yet, or not by the pipeline as it is now.
 */
export async function pinOthers(deps: Deps, spec: PipelineSpec): Promise<ReadonlyMap<string, PinnedTable>> {
  const read = new Set(spec.models.flatMap((model) => readByAny(model).map(modelId)));
  const others = (spec.others ?? []).filter((other) => read.has(modelId(other)));
  const pinned = new Map<string, PinnedTable>();
  for (const pipeline of new Set(others.map((other) => other.pipeline))) {
    const wanted = others.filter((other) => other.pipeline === pipeline);
    for (const [id, table] of await pinPipeline(deps, pipeline, wanted)) pinned.set(id, table);
  }
  checkThere(spec, others, pinned);
  for (const other of others) checkColumns(spec, other, pinned.get(modelId(other)));
  return pinned;
}

/**
 * Only the run that a pipeline's pointer names can have published some of its tables and not others. Where the pointer is the
 * same before and after the tables were looked at, it named that run all the while, and what this run has published is left out.
 */
async function pinPipeline(
  deps: Deps,
  pipeline: string,
  wanted: readonly OtherTable[],
): Promise<ReadonlyMap<string, PinnedTable>> {
  for (let look = 0; look < LOOKS; look += 1) {
    const pointer = await readOpenRun(deps.store, { pipeline });
    const publishing = await publishingRun(deps.store, pointer);
    const pinned = new Map<string, PinnedTable>();
    for (const other of wanted) {
      const entry = await loadTable(deps.catalog, tableOf(other));
      const metadata = entry === undefined ? undefined : withoutRun(entry.metadata, publishing);
      if (entry !== undefined && metadata !== undefined)
        pinned.set(modelId(other), { metadata, location: entry.metadataLocation });
    }
    if ((await readOpenRun(deps.store, { pipeline })).etag === pointer.etag) return pinned;
  }
  throw new Unavailable(`${pipeline} published each of ${LOOKS} times that its tables were looked at; try again`);
}

/** The run that may be publishing: the one that is under way, until its books say that it has published all. */
async function publishingRun(store: ObjectStore, { run }: OpenRun): Promise<string | undefined> {
  if (run === undefined || run.dry_run) return undefined;
  for (const key of [runFolder.commit(run), runFolder.result(run)]) {
    if ((await store.head(key)) !== undefined) return undefined;
  }
  return run.run_id;
}

/** A table as it was before a run; undefined when there was none then. */
function withoutRun(metadata: TableMetadata, run: string | undefined): TableMetadata | undefined {
  let at = currentSnapshot(metadata);
  while (at !== undefined && run !== undefined) {
    const parent: bigint | undefined = at['parent-snapshot-id'];
    if (at.summary[RUN_ID] === run) {
      const before = parent === undefined ? undefined : atSnapshot(metadata, parent);
      if (parent === undefined || before !== undefined) return before;
      throw new Unavailable(`run ${run} is publishing ${metadata.location}, whose snapshot before is gone; try again`);
    }
    at = parent === undefined ? undefined : snapshotById(metadata, parent);
  }
  return metadata;
}

function tableOf({ pipeline, layer, name }: OtherTable): TableId {
  return { pipeline, layer, name };
}

function checkThere(
  { name, models }: PipelineSpec,
  others: readonly OtherTable[],
  pinned: ReadonlyMap<string, PinnedTable>,
): void {
  const missing = others.filter((other) => !pinned.has(modelId(other)));
  if (missing.length === 0) return;
  const ids = missing.map(modelId);
  const readers = models.filter((model) => model.reads.some((ref) => ids.includes(modelId(ref)))).map(({ id }) => id);
  const runs = [...new Set(missing.map(({ pipeline }) => `strata run ${pipeline}`))];
  throw new InvalidInput(
    `${name} reads ${ids.join(', ')}, which no run has published yet; nothing was done. ` +
      `Run first: ${runs.join(', ')}; or do without what reads it: --exclude ${readers.join(' --exclude ')}`,
  );
}

/** SQL was bound to what the other pipeline says of its columns, which its tables have once it has run. */
function checkColumns({ name }: PipelineSpec, other: OtherTable, pinned: PinnedTable | undefined): void {
  if (pinned === undefined) return;
  const schema = currentSchema(pinned.metadata);
  const differing = other.columns.filter(
    (column) => evolveSchema(schema, pinned.metadata['last-column-id'], [column]).kind !== 'same',
  );
  if (differing.length === 0) return;
  const columns = differing.map((column) => `${column.name} ${renderColumnType(column.type)}`).join(', ');
  throw new InvalidInput(
    `${name} reads ${modelId(other)}, whose pipeline has changed since it ran last: got a table without ${columns}; nothing was done. ` +
      `Run first: strata run ${other.pipeline}; on AWS deploy ${name} again where ${other.pipeline} has other columns by now`,
  );
}
