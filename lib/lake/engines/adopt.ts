import { mapConcurrent } from '../../core/concurrency.ts';
import { AuditFailed } from '../../core/errors.ts';
import { parseMetadata } from '../../iceberg/json.ts';
import { partitionTexts, renderScalarText } from '../../iceberg/partition-path.ts';
import { currentSchema, leafFields } from '../../iceberg/schema.ts';
import type { DataFile, TableMetadata } from '../../iceberg/types.ts';
import { decodeValue } from '../../iceberg/values.ts';
import { type Footer, readFooterBy } from '../../landing/parquet/footer.ts';
import type { ObjectStore, WrittenFile } from '../../ports.ts';
import { planDeletes, planFiles } from '../../table/read.ts';
import type { Placed } from '../run/unit-result.ts';
import type { Target } from '../tables/target.ts';
import { leavesByName, wrongFile } from './written-file.ts';

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
};

/**
 * The files that an engine wrote, as files of the target: each is held against its own footer and the target, its statistics
 * included. Throws AuditFailed for what is no append of files of the target.
 */
export async function adoptFiles(store: ObjectStore, staged: Staged): Promise<readonly Placed[]> {
  const metadata = parseMetadata((await store.read(store.key(staged.metadataLocation))).bytes, staged.metadataLocation);
  const wrong = wrongTable(metadata, staged) ?? (await deletesIn(store, metadata));
  if (wrong !== undefined) throw refusal(staged, 'a table', wrong);
  const files = await planFiles(store, metadata);
  return mapConcurrent(files, async (file) => {
    const key = keyOf(store, staged, file);
    const looked = key === undefined ? `it lies outside ${staged.location}` : await lookInto(store, key, file, staged);
    if (key === undefined || typeof looked === 'string') throw refusal(staged, file.path, String(looked));
    return { key, written: writtenFile(file, staged.target, leavesByName(looked, staged.target.schema)) };
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
async function lookInto(store: ObjectStore, key: string, file: DataFile, { target }: Staged): Promise<Footer | string> {
  if (file.specId !== target.spec['spec-id'])
    return `it is of partition spec ${file.specId}, not ${target.spec['spec-id']}`;
  const size = (await store.head(key))?.size;
  if (size === undefined) return 'it is not there';
  if (BigInt(size) !== file.bytes) return `it has ${size} bytes, the manifest says ${file.bytes}`;
  const footer = await footerOf(store, key, size);
  return typeof footer === 'string' ? footer : (wrongFile(file, footer, target) ?? footer);
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

/**
 * What the manifest says of a file, in the words in which DuckDB says it of its own: of the columns that it has under the names of the
 * table, since what is said of a column is taken for that, too, when files are read.
 */
function writtenFile(file: DataFile, { schema, spec, partitionBy }: Target, byName: ReadonlySet<number>): WrittenFile {
  const texts = partitionTexts(spec, schema, file.partition);
  return {
    path: '',
    rows: Number(file.rows),
    bytes: Number(file.bytes),
    partition: texts.map((value, at) => ({ column: partitionBy[at]?.column ?? '', value })),
    columns: leafFields(schema)
      .filter(({ id }) => byName.has(id))
      .map(({ id, path, type }) => ({
        path,
        bytes: Number(file.columnSizes.get(id) ?? 0n),
        values: Number(file.valueCounts.get(id) ?? 0n),
        nulls: Number(file.nullCounts.get(id) ?? 0n),
        min: boundText(type, file.lowerBounds.get(id)),
        max: boundText(type, file.upperBounds.get(id)),
        hasNan: (file.nanCounts.get(id) ?? 0n) > 0n,
      })),
  };
}

/** Undone by `parseStatText`, for which binary is hexadecimal. */
function boundText(type: string, bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined) return null;
  if (type === 'binary') return Buffer.from(bytes).toString('hex').toUpperCase();
  const value = decodeValue(type, bytes);
  return value === null || Number.isNaN(value) ? null : renderScalarText(type, value);
}
