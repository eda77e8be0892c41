import { join } from 'node:path';
import type { PartitionField } from '../../lib/core/spec.ts';
import type { Sql } from '../../lib/core/sql-text.ts';
import { fullName, type TableId, tablePrefix } from '../../lib/core/tables.ts';
import type { Column } from '../../lib/core/types.ts';
import { applyChange } from '../../lib/iceberg/apply.ts';
import { alterSchema, alterSpec, type Change, createTable, joinChanges } from '../../lib/iceberg/changes.ts';
import { currentSpec } from '../../lib/iceberg/partition.ts';
import { currentSchema } from '../../lib/iceberg/schema.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { dataFilesOf } from '../../lib/lake/files/data-files.ts';
import { openScratch } from '../../lib/lake/files/scratch.ts';
import { stageFiles } from '../../lib/lake/files/stage-files.ts';
import type { CatalogEntry, Session } from '../../lib/ports.ts';
import { commitChange } from '../../lib/table/commit.ts';
import { prepareSnapshot } from '../../lib/table/prepare.ts';
import type { Removal } from '../../lib/table/removal.ts';

export type TableShape = {
  readonly id: TableId;
  readonly columns: readonly Column[];
  readonly partitionBy: readonly PartitionField[];
  readonly sortBy: readonly string[];
  readonly properties?: Readonly<Record<string, string>>;
};

/**
 * One commit of a relation's rows, made of the parts that a run is made of but without its pipeline, so that a test can
 * have tables of any shape and hundreds of commits. Creates or alters the table as the shape says.
 */
export async function commitRows(
  deps: StepDeps,
  session: Session,
  shape: TableShape,
  from: Sql,
  remove: Removal = { kind: 'nothing' },
): Promise<CatalogEntry> {
  const entry = await deps.catalog.load(shape.id);
  const change = changeFor(deps, entry, shape);
  const altered = change === undefined ? entry?.metadata : applyChange(change, entry?.metadata, 0);
  if (altered === undefined) throw new Error(`${fullName(shape.id)}: neither there nor created`);
  const { columns, partitionBy, sortBy } = shape;
  const target = {
    ...{ id: shape.id.name, table: shape.id, columns, partitionBy, sortBy, create: undefined, alter: undefined },
    ...{ schema: currentSchema(altered), spec: currentSpec(altered) },
  };
  await using scratch = await openScratch(deps, shape.id.name);
  const staging = { from, target, folder: join(scratch.folder, 'out'), fileBytes: 100_000_000, stem: 'commit' };
  const { placed } = await stageFiles(session, staging, deps);
  const prepared = await prepareSnapshot(deps.store, {
    base: entry,
    ...(entry === undefined ? { create: newTable(deps, shape) } : change === undefined ? {} : { alter: change }),
    added: dataFilesOf(deps.store, placed, target),
    remove,
    snapshotId: deps.ids.snapshot(),
    nowMs: deps.clock.now().getTime(),
    unique: deps.ids.unique(),
    summary: {},
  });
  return (await commitChange(deps, shape.id, prepared)).entry;
}

function changeFor(deps: StepDeps, entry: CatalogEntry | undefined, shape: TableShape): Change | undefined {
  if (entry === undefined) return createTable(newTable(deps, shape));
  const columns = alterSchema(entry.metadata, shape.columns);
  if (columns.kind === 'incompatible') throw new Error(`${fullName(shape.id)}: ${JSON.stringify(columns.columns)}`);
  const change = columns.kind === 'altered' ? columns.change : undefined;
  const altered = change === undefined ? entry.metadata : applyChange(change, entry.metadata, 0);
  const spec = alterSpec(altered, shape.partitionBy);
  return change === undefined && spec === undefined ? undefined : joinChanges(change, spec);
}

function newTable(deps: StepDeps, shape: TableShape) {
  const { columns, partitionBy, sortBy, properties = {} } = shape;
  const location = deps.store.location(tablePrefix(shape.id));
  return { uuid: deps.ids.uuid(), location, columns, partitionBy, sortBy, properties };
}
