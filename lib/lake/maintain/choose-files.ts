import { EngineError, InvalidInput } from '../../core/errors.ts';
import type { DeletedRows } from '../../core/maintenance.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import { type Layout, placesOf } from '../../iceberg/layout.ts';
import { currentSpec, resolveSpec, specById } from '../../iceberg/partition.ts';
import { partitionPath, partitionTexts } from '../../iceberg/partition-path.ts';
import { columnTypeOf, currentSchema } from '../../iceberg/schema.ts';
import { currentSnapshot, snapshotById, snapshotsSince } from '../../iceberg/snapshot.ts';
import type { DataFile, TableMetadata } from '../../iceberg/types.ts';
import type { Candidate } from '../../plan/maintenance.ts';
import { type ConditionField, partitionFieldType, selectPartitions } from '../../sql/rewrite.ts';
import { entriesOf } from '../../table/conflicts.ts';
import { planFiles, type ScannedFile } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';

/** The summary property that names the snapshot up to which all partitions have been looked at. */
export const COMPACTED = 'strata.compacted';

/** Which files are looked at. */
export type Scope = {
  /** Partitions that nothing has touched since the last compaction as well. */
  readonly all: boolean;
  readonly where: string | undefined;
  /** In which all rows are to lie. */
  readonly layout?: Layout;
};

/** The data files of a table that are in scope, each with its partition. */
export async function chooseFiles(
  deps: StepDeps,
  id: TableId,
  metadata: TableMetadata,
  { all, where, layout }: Scope,
): Promise<readonly Candidate[]> {
  const scanned = await planFiles(deps.store, metadata);
  const candidates = candidatesOf(metadata, scanned, layout);
  const files = scanned.flatMap((file, at) => {
    const candidate = candidates[at];
    return candidate === undefined ? [] : [{ file, candidate }];
  });
  const touched = all ? undefined : await partitionsTouched(deps, metadata);
  const near = files.filter(({ candidate }) => touched === undefined || touched.has(partitionName(candidate)));
  if (where === undefined) return near.map(({ candidate }) => candidate);
  const wanted = await partitionsWhere(
    deps,
    id,
    metadata,
    near.map(({ file }) => file),
    where,
  );
  return near.filter(({ candidate }) => wanted.has(partitionName(candidate))).map(({ candidate }) => candidate);
}

/** Files of a table as they may be rewritten, with their places where rows are to lie in an order. */
export function candidatesOf(
  metadata: TableMetadata,
  files: readonly ScannedFile[],
  layout: Layout | undefined,
): readonly Candidate[] {
  const places = layout === undefined ? [] : placesOf(metadata, files, layout);
  return files.map((file, at) => ({ ...candidateOf(metadata, file), ...places[at] }));
}

function candidateOf(metadata: TableMetadata, file: ScannedFile): Candidate {
  const { path, foreign, specId, rows, bytes } = file;
  const partition = pathOf(metadata, file);
  const deleted = deletedRows(file);
  const candidate = { path, foreign, spec: specId, partition, rows: Number(rows), bytes: Number(bytes) };
  return deleted === undefined ? candidate : { ...candidate, deleted };
}

/** Undefined for a file that has all of its rows. */
export function deletedRows({ sequence, deletes }: ScannedFile): DeletedRows | undefined {
  if (deletes.length === 0) return undefined;
  return {
    sequence: String(sequence),
    by: deletes.map((one) => ({ path: one.path, sequence: String(one.sequence) })),
  };
}

export function partitionName({ spec, partition }: Pick<Candidate, 'spec' | 'partition'>): string {
  return `${spec} ${partition}`;
}

function pathOf(metadata: TableMetadata, { specId, partition }: DataFile): string {
  return partitionPath(specById(metadata, specId), currentSchema(metadata), partition);
}

/** By name; undefined where it cannot be told, and all have to be looked at. */
async function partitionsTouched(deps: StepDeps, metadata: TableMetadata): Promise<ReadonlySet<string> | undefined> {
  const last = lastCompaction(metadata);
  const newer = last === undefined ? undefined : snapshotsSince(metadata, last);
  if (newer === undefined) return undefined;
  const touched = new Set<string>();
  for (const snapshot of newer.filter(({ summary }) => summary.operation !== 'replace')) {
    for (const { file } of await entriesOf(deps.store, metadata, snapshot))
      touched.add(partitionName({ spec: file.specId, partition: pathOf(metadata, file) }));
  }
  return touched;
}

function lastCompaction(metadata: TableMetadata): bigint | undefined {
  let at = currentSnapshot(metadata);
  while (at !== undefined) {
    const last = at.summary[COMPACTED];
    if (last !== undefined) return BigInt(last);
    const parent: bigint | undefined = at['parent-snapshot-id'];
    at = parent === undefined ? undefined : snapshotById(metadata, parent);
  }
  return undefined;
}

/** The partitions of the present partitioning that meet a condition. Throws InvalidInput for one that is none. */
async function partitionsWhere(
  deps: StepDeps,
  id: TableId,
  metadata: TableMetadata,
  files: readonly DataFile[],
  where: string,
): Promise<ReadonlySet<string>> {
  const spec = currentSpec(metadata);
  const schema = currentSchema(metadata);
  const fields = resolveSpec(spec, schema).map(
    ({ name, transform, source }): ConditionField => ({
      name,
      type: partitionFieldType(transform.kind, transform.kind === 'void' ? { kind: 'string' } : columnTypeOf(source)),
    }),
  );
  if (fields.length === 0) {
    throw new InvalidInput(
      `--where ${where}: got a condition; expected none, since ${fullName(id)} is not partitioned`,
    );
  }
  const own = files.filter((file) => file.specId === spec['spec-id']);
  const partitions = [...new Map(own.map((file) => [pathOf(metadata, file), file.partition]))];
  const texts = partitions.map(([, tuple]) => partitionTexts(spec, schema, tuple));
  try {
    await using session = await deps.engine.open({ ...deps.settings, folders: [deps.settings.scratch] });
    // Without a partition there would be nothing to bind the condition to.
    const asked = texts.length === 0 ? [fields.map(() => null)] : texts;
    const rows = await session.rows(selectPartitions(fields, asked, where));
    const met = new Set(rows.map((row) => Number(row['__at'])));
    return new Set(
      partitions
        .filter((_, at) => met.has(at))
        .map(([partition]) => partitionName({ spec: spec['spec-id'], partition })),
    );
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    const known = fields.map(({ name, type }) => `${name} (${type})`).join(', ');
    throw new InvalidInput(
      `--where ${where}: ${cause.message.split('\n')[0]}; expected a condition on the partition fields of ${fullName(id)}: ${known}`,
      [],
      { cause },
    );
  }
}
