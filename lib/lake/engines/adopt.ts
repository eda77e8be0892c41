import { mapConcurrent } from '../../core/concurrency.ts';
import { AuditFailed } from '../../core/errors.ts';
import type { PartitionText } from '../../core/run.ts';
import { parseMetadata } from '../../iceberg/json.ts';
import { settleTable } from '../../iceberg/locations.ts';
import { partitionTuple } from '../../iceberg/partition.ts';
import { partitionPath } from '../../iceberg/partition-path.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import type { DataFile, TableMetadata } from '../../iceberg/types.ts';
import { type Footer, readFooterBy } from '../../landing/parquet/footer.ts';
import type { ObjectStore } from '../../ports.ts';
import { planDeletes, planFiles } from '../../table/read.ts';
import type { Placed } from '../run/unit-result.ts';
import type { Target } from '../tables/target.ts';
import { adoptedFile } from './adopted-file.ts';
import { wrongFile } from './written-file.ts';

/** A table into which an engine wrote. */
export type Staged = {
  /** As messages call it: the model and the engine. */
  readonly who: string;
  readonly metadataLocation: string;
  /** Where the table was placed. */
  readonly location: string;
  readonly uuid: string;
  readonly target: Target;
  /** Statements that wrote into it. */
  readonly statements: number;
  /** Those that it was asked for, whose rows are replaced by these; null: all. */
  readonly partitions: readonly PartitionText[] | null;
  /** Present: of all those that it was not asked for. */
  readonly except?: readonly PartitionText[];
};

/**
 * The files that an engine wrote, as files of the target: each is held against its own footer and the target, its statistics
 * included. Throws AuditFailed for what is no append of files of the target.
 */
export async function adoptFiles(store: ObjectStore, staged: Staged): Promise<readonly Placed[]> {
  const found = parseMetadata((await store.read(store.key(staged.metadataLocation))).bytes, staged.metadataLocation);
  const metadata = found.location === staged.location ? settleTable(found, staged.location) : found;
  const wrong = wrongTable(metadata, staged) ?? (await deletesIn(store, metadata));
  if (wrong !== undefined) throw refusal(staged, 'a table', wrong);
  const files = await planFiles(store, metadata);
  return mapConcurrent(files, async (file) => {
    const key = keyOf(store, staged, file);
    const looked = key === undefined ? `it lies outside ${staged.location}` : await lookInto(store, key, file, staged);
    if (key === undefined || typeof looked === 'string') throw refusal(staged, file.path, String(looked));
    return { key, written: adoptedFile(file, looked, staged.target) };
  });
}

function refusal({ who }: Staged, what: string, wrong: string): AuditFailed {
  return new AuditFailed(
    `${who}: got ${what} that is not adopted: ${wrong}; expected files of the model's table, appended by INSERT. Nothing is published`,
  );
}

/** What an engine may have changed in a table that it was only to add files to. */
function wrongTable(metadata: TableMetadata, { uuid, location, target, statements }: Staged): string | undefined {
  if (metadata['table-uuid'] !== uuid)
    return `its uuid is ${metadata['table-uuid']}, not ${uuid}: another table was put in its place`;
  if (metadata.location !== location) return `its location is ${metadata.location}, not ${location}`;
  if (JSON.stringify(currentSchema(metadata).fields) !== JSON.stringify(target.schema.fields))
    return 'its columns, or their field ids, are others than those of the model';
  if (metadata['default-spec-id'] !== target.spec['spec-id']) return 'it is partitioned otherwise than the model';
  const other = metadata.snapshots.find(({ summary }) => summary.operation !== 'append');
  if (other !== undefined) return `its snapshot ${other['snapshot-id']} is of the operation ${other.summary.operation}`;
  const written = metadata.snapshots.filter(({ summary }) => Number(summary['added-data-files'] ?? 0) > 0).length;
  return written > statements ? `${written} statements wrote into it, not ${statements}` : undefined;
}

async function deletesIn(store: ObjectStore, metadata: TableMetadata): Promise<string | undefined> {
  const [deleting] = await planDeletes(store, metadata);
  return deleting === undefined ? undefined : `it has a file of deletes, ${deleting.file.path}`;
}

function keyOf(store: ObjectStore, { location }: Staged, file: DataFile): string | undefined {
  return file.path.startsWith(`${location}/`) ? store.key(file.path) : undefined;
}

/** Its footer, or what is wrong with it. */
async function lookInto(store: ObjectStore, key: string, file: DataFile, staged: Staged): Promise<Footer | string> {
  const { target } = staged;
  if (file.specId !== target.spec['spec-id'])
    return `it is of partition spec ${file.specId}, not ${target.spec['spec-id']}`;
  if (!wasAsked(file, staged)) return 'it is of a partition that the engine was not asked for';
  const size = (await store.head(key))?.size;
  if (size === undefined) return 'it is not there';
  if (BigInt(size) !== file.bytes) return `it has ${size} bytes, the manifest says ${file.bytes}`;
  const footer = await footerOf(store, key, size);
  return typeof footer === 'string' ? footer : (wrongFile(file, footer, target) ?? footer);
}

/** Rows of other partitions would come beside those that the table has of them. */
function wasAsked({ partition }: DataFile, { target: { spec, schema }, partitions, except = [] }: Staged): boolean {
  const path = partitionPath(spec, schema, partition);
  const isOne = (texts: PartitionText): boolean =>
    partitionPath(spec, schema, partitionTuple(spec, schema, texts)) === path;
  return partitions?.some(isOne) ?? !except.some(isOne);
}

async function footerOf(store: ObjectStore, key: string, size: number): Promise<Footer | string> {
  try {
    return await readFooterBy(
      async (from, length) => Buffer.from((await store.readRange(key, from, from + length)).bytes),
      size,
    );
  } catch (cause) {
    if (cause instanceof RangeError) return cause.message;
    throw cause;
  }
}
