import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EVERY_BOOK, OPS_TABLES, type OpsTable, opsTable } from '../../core/ops.ts';
import type { RunPlan } from '../../core/run.ts';
import type { TableId } from '../../core/tables.ts';
import { tablePrefix } from '../../core/tables.ts';
import { applyChange } from '../../iceberg/apply.ts';
import { alterSchema, createTable, joinChanges, type NewTable } from '../../iceberg/changes.ts';
import { FEW_METADATA_FILES, keepFewMetadataFiles } from '../../iceberg/metadata-files.ts';
import { currentSpec } from '../../iceberg/partition.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import { boundsProperty, WHOLE } from '../../iceberg/stats.ts';
import type { JsonValue, Session } from '../../ports.ts';
import { renderOpsRows } from '../../sql/ops-rows.ts';
import { commitChange } from '../../table/commit.ts';
import { type BaseTable, prepareSnapshot } from '../../table/prepare.ts';
import { loadTable } from '../../table/read.ts';
import type { Removal } from '../../table/removal.ts';
import type { StepDeps } from '../deps.ts';
import { dataFilesOf } from '../files/data-files.ts';
import { openScratch } from '../files/scratch.ts';
import { stageFiles } from '../files/stage-files.ts';
import type { Placed } from '../run/unit-result.ts';
import { changedProperties } from '../tables/table-properties.ts';
import type { Target } from '../tables/target.ts';

type OpsTarget<Base> = Target & { readonly base: Base | undefined };

/** What ops tables are ordered by in their files, so that bounds tell which of them has a row. */
export const OPS_ORDER: Readonly<Partial<Record<OpsTable, readonly string[]>>> = { files: ['key'] };

/** Names of files begin alike, so that the first characters of their bounds tell nothing. */
const OPS_PROPERTIES: Readonly<Partial<Record<OpsTable, Readonly<Record<string, string>>>>> = {
  files: { [boundsProperty('key')]: WHOLE },
};

/** Bytes of a data file of an ops table. */
export const OPS_FILE_BYTES = 134_217_728;

/** The ops table as it is or, on its first use, as it will be; columns that a newer release added are added. */
export function opsTarget<Base extends Pick<BaseTable, 'metadata'>>(
  deps: Pick<StepDeps, 'ids' | 'store' | 'clock'>,
  name: OpsTable,
  id: TableId,
  base: Base | undefined,
): OpsTarget<Base> {
  const rows = { id: name, table: id, columns: OPS_TABLES[name], partitionBy: [], sortBy: OPS_ORDER[name] ?? [] };
  if (base === undefined) {
    const create: NewTable = {
      uuid: deps.ids.uuid(),
      location: deps.store.location(tablePrefix(id)),
      columns: OPS_TABLES[name],
      partitionBy: [],
      sortBy: [],
      properties: FEW_METADATA_FILES,
    };
    const metadata = applyChange(createTable(create), undefined, 0);
    return { ...rows, base, create, alter: undefined, schema: currentSchema(metadata), spec: currentSpec(metadata) };
  }
  const columns = alterSchema(base.metadata, OPS_TABLES[name]);
  const shape = columns.kind === 'altered' ? columns.change : undefined;
  const few = keepFewMetadataFiles(base.metadata);
  const alter = shape === undefined && few === undefined ? undefined : joinChanges(shape, few);
  const now = deps.clock.now().getTime();
  const metadata = alter === undefined ? base.metadata : applyChange(alter, base.metadata, now);
  return { ...rows, base, create: undefined, alter, schema: currentSchema(metadata), spec: currentSpec(metadata) };
}

/**
 * Adds data files to an ops table, once per run, or puts them in the place of all that it has. Without files a table that
 * is not there yet is made, so that a query never meets an unknown one.
 */
export async function commitOps(
  deps: StepDeps,
  run: { readonly pipeline: string; readonly run_id: string },
  name: OpsTable,
  placed: readonly Placed[],
  remove: Removal = { kind: 'nothing' },
  own: Readonly<Record<string, string>> = {},
): Promise<void> {
  const id = opsTable(run.pipeline, name);
  const base = await loadTable(deps.catalog, id);
  if (placed.length === 0 && base !== undefined) return;
  const target = opsTarget(deps, name, id, base);
  const properties = { ...OPS_PROPERTIES[name], ...own };
  const prepared = await prepareSnapshot(deps.store, {
    base: target.base,
    ...(target.create === undefined
      ? {}
      : { create: { ...target.create, properties: { ...target.create.properties, ...properties } } }),
    ...(target.base === undefined
      ? {}
      : { alter: joinChanges(target.alter, changedProperties(target.base.metadata, properties)) }),
    added: dataFilesOf(deps.store, placed, { ...target, properties: { ...base?.metadata.properties, ...properties } }),
    remove,
    snapshotId: deps.ids.snapshot(),
    nowMs: deps.clock.now().getTime(),
    unique: deps.ids.unique(),
    summary: { 'strata.run_id': run.run_id },
  });
  await commitChange(deps, id, prepared);
}

/** Makes the ops tables that every pipeline has, where this one does not have them yet. */
export async function makeOpsTables(
  deps: StepDeps,
  run: { readonly pipeline: string; readonly run_id: string },
): Promise<void> {
  for (const name of EVERY_BOOK) await commitOps(deps, run, name, []);
}

type BookRows = readonly { readonly [column: string]: JsonValue }[];

/** Writes rows as data files of an ops table; `commitOps` publishes them. */
export async function writeOpsRows(
  deps: StepDeps,
  plan: Pick<RunPlan, 'run'>,
  name: OpsTable,
  rows: BookRows,
): Promise<readonly Placed[]> {
  if (rows.length === 0) return [];
  await using session = await deps.engine.open(deps.settings);
  return await stageOpsRows(deps, session, plan, { name, rows });
}

/** The same in a session that several tables are written in. */
export async function stageOpsRows(
  deps: StepDeps,
  session: Session,
  plan: Pick<RunPlan, 'run'>,
  { name, rows }: { readonly name: OpsTable; readonly rows: BookRows },
): Promise<readonly Placed[]> {
  if (rows.length === 0) return [];
  const table = opsTable(plan.run.pipeline, name);
  const target = opsTarget(deps, name, table, await loadTable(deps.catalog, table));
  await using scratch = await openScratch(deps, `ops-${name}`);
  const path = join(scratch.folder, 'rows.json');
  const lines = rows.map((row) => JSON.stringify(row));
  const longest = lines.reduce((most, line) => Math.max(most, Buffer.byteLength(line)), 0);
  await writeFile(path, `[${lines.join(',\n')}]`);
  const from = renderOpsRows(path, OPS_TABLES[name], longest);
  const staging = {
    from,
    target,
    folder: join(scratch.folder, 'out'),
    fileBytes: OPS_FILE_BYTES,
    stem: plan.run.run_id,
  };
  return (await stageFiles(session, staging, deps)).placed;
}
