import { BRONZE_FILE, BRONZE_FILE_ID } from '../../core/bronze-file.ts';
import { mapConcurrent } from '../../core/concurrency.ts';
import type { Sql } from '../../core/sql-text.ts';
import { fullName, type TableId, tablePrefix } from '../../core/tables.ts';
import { partitionTuple } from '../../iceberg/partition.ts';
import { partitionFolder } from '../../iceberg/partition-path.ts';
import { columnsOf } from '../../iceberg/schema.ts';
import type { IcebergValue, PartitionSpec, Schema } from '../../iceberg/types.ts';
import type { CopyStatement, ObjectStore, Session, WrittenFile } from '../../ports.ts';
import { firstRows } from '../../sql/rewrite.ts';
import { type Packing, writeTable } from '../../sql/write.ts';
import type { StepDeps } from '../deps.ts';
import type { Placed } from '../run/unit-result.ts';
import { fieldIdsOf } from '../tables/field-ids.ts';
import type { Target } from '../tables/target.ts';

type PlacingDeps = Pick<StepDeps, 'store' | 'ids'>;

/** Rows on their way into a table. */
export type TableRows = {
  /** A relation: a table or view name, or a parenthesised SELECT. */
  readonly from: Sql;
  readonly target: Target;
  /** Columns of `from` that hold its rows' partition values; without them they are computed. */
  readonly partitionColumns?: readonly string[];
  /** What the rows of one file of a table without partitions have in common, in place of its size. */
  readonly fileOf?: Sql;
  /** `from` has the file of each row (BRONZE_FILE), which is written beside the table's columns. */
  readonly withFile?: boolean;
  /** An empty or missing local folder. */
  readonly folder: string;
  /** Bytes of an unpartitioned file. */
  readonly fileBytes: number;
  /** That the rows are many, so that row groups are full. */
  readonly full?: boolean;
  /** Begins the names of the files. */
  readonly stem: string;
  /** Whether rows of a partition are placed; left out: of all. What is not is counted, and left behind. */
  readonly keep?: (tuple: readonly IcebergValue[]) => boolean;
  /** Looks at the files, by their local paths, before they are placed. */
  readonly check?: (paths: readonly string[]) => Promise<void>;
};

export type StagedFiles = { readonly rows: number; readonly placed: readonly Placed[] };

/**
 * Writes rows as data files of a table and places them under their keys, `<table>/data/<partition>/<stem>-<unique>.parquet`.
 * Nothing is published. Names are new on every attempt, so that a unit that is tried again never touches files of an
 * attempt before it; files without rows are left behind.
 */
export async function stageFiles(session: Session, rows: TableRows, deps: PlacingDeps): Promise<StagedFiles> {
  const { target, from, folder, fileBytes, partitionColumns, fileOf, full, withFile = false } = rows;
  const copy = writeTable({
    name: `write ${target.id}`,
    from,
    columns: withFile ? [...target.columns, BRONZE_FILE] : target.columns,
    fieldIds: withFile ? [...fieldIdsOf(target.schema), FILE_FIELD] : fieldIdsOf(target.schema),
    partitionBy: target.partitionBy,
    ...(partitionColumns === undefined ? {} : { partitionColumns }),
    sortBy: target.sortBy,
    ...(fileOf === undefined ? {} : { fileOf }),
    ...(full === undefined ? {} : { full }),
    folder,
    fileBytes,
  });
  const written = (await session.copy(copy)).map((file) => inTable(target, file));
  const kept = rows.keep ?? (() => true);
  const filled = written.filter((file) => file.rows > 0 && kept(tupleOf(target, file)));
  await rows.check?.(filled.map((file) => file.path));
  const placed = await placeFiles(deps, filled, (file) => dataKey(target, rows.stem, file, deps));
  return { rows: rowsOf(written), placed };
}

/** Rows of one partition of a table, on their way into new files there. */
export type PartitionRows = {
  readonly from: Sql;
  readonly table: TableId;
  readonly schema: Schema;
  readonly spec: PartitionSpec;
  readonly partition: readonly IcebergValue[];
  readonly withFile: boolean;
  readonly sortBy: readonly string[];
  /** In place of `sortBy`. */
  readonly orderBy?: readonly Sql[];
  /** In place of `fileBytes`. */
  readonly fileOf?: Sql;
  readonly folder: string;
  readonly fileBytes: number;
  readonly packed: Packing;
  readonly stem: string;
  readonly check: (paths: readonly string[]) => Promise<void>;
};

/** Writes rows that all lie in one partition, in files of a size, as stageFiles does. */
export async function stagePartition(
  session: Session,
  rows: PartitionRows,
  deps: PlacingDeps,
): Promise<readonly Placed[]> {
  const { table, schema, spec, partition } = rows;
  const written = (await session.copy(copyPartition(rows))).map((file) => ({ ...file, partition: [] }));
  const filled = written.filter((file) => file.rows > 0);
  await rows.check(filled.map((file) => file.path));
  const place = partitionPrefix(table, partitionFolder(spec, schema, partition));
  return placeFiles(deps, filled, () => `${place}${rows.stem}-${deps.ids.unique()}.parquet`);
}

type CopiedRows = Omit<PartitionRows, 'spec' | 'partition' | 'stem' | 'check'>;

/** Bytes that so many of the rows take in a file, which is left in the folder. */
export async function bytesOfSome(session: Session, rows: CopiedRows, most: number): Promise<number> {
  const some = { ...rows, from: firstRows(rows.from, most) };
  const written = await session.copy(copyPartition(some));
  return written.reduce((sum, file) => sum + file.bytes, 0);
}

function copyPartition(rows: CopiedRows): CopyStatement {
  const { from, table, schema, withFile, sortBy, orderBy, fileOf, folder, fileBytes, packed } = rows;
  const columns = columnsOf(schema);
  return writeTable({
    name: `rewrite ${fullName(table)}`,
    from,
    columns: withFile ? [...columns, BRONZE_FILE] : columns,
    fieldIds: withFile ? [...fieldIdsOf(schema), FILE_FIELD] : fieldIdsOf(schema),
    partitionBy: [],
    sortBy,
    ...(orderBy === undefined ? {} : { orderBy }),
    ...(fileOf === undefined ? {} : { fileOf }),
    folder,
    fileBytes,
    packed,
  });
}

/** What the keys of the data files of one partition begin with. */
export function partitionPrefix(table: TableId, folder: string): string {
  return `${tablePrefix(table)}/data/${folder === '' ? '' : `${folder}/`}`;
}

const FILE_FIELD = { name: BRONZE_FILE.name, id: BRONZE_FILE_ID, children: [] };

/**
 * Writes rows for a merge of the same run, one file for each bucket, below a folder of the store; answers nothing, and
 * places nothing, where the files are not as they should be.
 */
export async function stageExchanged(
  session: Session,
  copy: CopyStatement,
  folder: string,
  deps: PlacingDeps,
  fits: (written: readonly WrittenFile[]) => boolean,
): Promise<StagedFiles | undefined> {
  const written = await session.copy(copy);
  if (!fits(written)) return undefined;
  const keyOf = (file: WrittenFile): string =>
    `${folder}/${file.partition[0]?.value ?? 'none'}-${deps.ids.unique()}.parquet`;
  return { rows: rowsOf(written), placed: await placeFiles(deps, written, keyOf) };
}

function rowsOf(files: readonly WrittenFile[]): number {
  return files.reduce((sum, file) => sum + file.rows, 0);
}

function tupleOf({ schema, spec }: Target, file: WrittenFile): readonly IcebergValue[] {
  return partitionTuple(
    spec,
    schema,
    file.partition.map((p) => p.value),
  );
}

/** What cuts rows to files is no partition of the table. */
function inTable({ spec }: Target, file: WrittenFile): WrittenFile {
  return spec.fields.length === 0 ? { ...file, partition: [] } : file;
}

/** Places a file as a data file of its table. */
export async function placeUnder(target: Target, stem: string, file: WrittenFile, deps: PlacingDeps): Promise<Placed> {
  const own = inTable(target, file);
  const key = dataKey(target, stem, own, deps);
  await deps.store.publish(file.path, key);
  return { key, written: { ...own, path: '' } };
}

function dataKey(target: Target, stem: string, file: WrittenFile, { ids }: PlacingDeps): string {
  const { table, schema, spec } = target;
  const folder = partitionFolder(spec, schema, tupleOf(target, file));
  return `${partitionPrefix(table, folder)}${stem}-${ids.unique()}.parquet`;
}

async function placeFiles(
  { store }: { readonly store: Pick<ObjectStore, 'publish'> },
  files: readonly WrittenFile[],
  keyOf: (file: WrittenFile) => string,
): Promise<readonly Placed[]> {
  return mapConcurrent(files, async (file) => {
    const key = keyOf(file);
    await store.publish(file.path, key);
    return { key, written: { ...file, path: '' } };
  });
}
