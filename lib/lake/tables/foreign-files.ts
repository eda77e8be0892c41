import { UnreadableTable } from '../../core/errors.ts';
import type { FileValue } from '../../core/file-values.ts';
import { namesOf } from '../../iceberg/locations.ts';
import { locateFields, type MappedField, NAME_MAPPING, parseNameMapping } from '../../iceberg/name-mapping.ts';
import { hasFieldIds, type ParquetElement, type ParquetField, parquetFields } from '../../iceberg/parquet-schema.ts';
import { resolveSpec, specById } from '../../iceberg/partition.ts';
import { renderScalarText } from '../../iceberg/partition-path.ts';
import type { DeleteFile } from '../../iceberg/position-deletes.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import { type NamesInFile, namesInFiles } from '../../iceberg/steady-names.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { Borrowed, ObjectStore, Row, Session } from '../../ports.ts';
import { describeParquet } from '../../sql/named-files.ts';
import { PLACES, type ScanFile } from '../../sql/scan.ts';
import type { ScannedFile } from '../../table/read.ts';
import { joinBorrowed } from '../files/borrowed.ts';
import { type BroughtBytes, type FileToBring, type Needed, planParts } from '../files/bring-parts.ts';
import { acquireAll } from '../resources.ts';

/** Borrowed data files of a table, as a scan takes them. */
export type OpenedFiles = Borrowed & { readonly files: readonly ScanFile[] };

/** What has to be known of a data file to open it. */
export type OpenableFile = Pick<ScannedFile, 'path' | 'specId' | 'partition' | 'foreign' | 'sequence'> & {
  /** Left out: it is not known which columns it has. */
  readonly valueCounts?: ScannedFile['valueCounts'];
  readonly deletes: readonly Pick<DeleteFile, 'path' | 'sequence'>[];
};

/**
 * Brings data files here and finds out how their columns are found. Only files that others wrote are looked into: a
 * file without field ids is read by the table's name mapping, and an identity partition's value stands for a column
 * that a file lacks. Throws UnreadableTable for a file without ids in a table without a mapping: by id all of its
 * columns would be NULL. Source: https://iceberg.apache.org/spec/#column-projection.
 */
export async function openFiles(
  session: Session,
  store: ObjectStore,
  metadata: TableMetadata | undefined,
  files: readonly OpenableFile[],
): Promise<OpenedFiles> {
  const keys = [...files.map((file) => file.path), ...deletesOf(files)].map((path) => store.key(path));
  return openLent(session, { store, metadata }, files, await store.borrow(keys));
}

/** Data files, before they are opened. */
export type PlannedFiles = { readonly bytes: BroughtBytes; open(): Promise<OpenedFiles> };

/**
 * What it takes to open data files of which only a part is needed, or all of them. Files that others wrote come whole, and
 * a file from which rows are deleted by position with all of its row groups.
 */
export async function planOpening(
  session: Session,
  { store, metadata }: Lender,
  files: readonly ScannedFile[],
  needed: Needed | undefined,
): Promise<PlannedFiles> {
  const wanted = files.map((file): FileToBring => {
    if (file.foreign || needed === undefined) return file;
    return { ...file, needed: file.deletes.length === 0 ? needed : { columns: needed.columns } };
  });
  const { bytes, bring } = await planParts(store, wanted);
  const deletes = deletesOf(files).map((path) => store.key(path));
  const open = async (): Promise<OpenedFiles> => {
    const lent = await acquireAll([bring, () => store.borrow(deletes)]);
    return openLent(session, { store, metadata }, files, joinBorrowed(lent));
  };
  return { bytes, open };
}

/** The same, at once. */
export async function openParts(
  session: Session,
  lender: Lender,
  files: readonly ScannedFile[],
  needed: Needed,
): Promise<OpenedFiles & { readonly bytes: BroughtBytes }> {
  const { bytes, open } = await planOpening(session, lender, files, needed);
  return { ...(await open()), bytes };
}

type Lender = { readonly store: ObjectStore; readonly metadata: TableMetadata | undefined };

function deletesOf(files: readonly OpenableFile[]): readonly string[] {
  return [...new Set(files.flatMap((file) => file.deletes.map((one) => one.path)))];
}

async function openLent(
  session: Session,
  { store, metadata }: Lender,
  files: readonly OpenableFile[],
  borrowed: Borrowed,
): Promise<OpenedFiles> {
  try {
    const local = ({ path }: Pick<OpenableFile, 'path'>): string => pathOf(borrowed, store.key(path));
    const foreign = files.filter((file) => file.foreign);
    const schemas = await readSchemas(session, store, foreign, local);
    const mapping = metadata === undefined ? undefined : mappingOf(metadata);
    const names = metadata === undefined ? (path: string) => [path] : namesOf(metadata);
    const known = metadata === undefined ? undefined : knownNames(metadata);
    const scanned = files.map((file): ScanFile => {
      const fields = schemas.get(file.path);
      const path = local(file);
      const values = fields && metadata && valuesByName(metadata, file, fields, mapping);
      const found = values === undefined ? { path, names: known?.(file) ?? UNKNOWN } : { path, values };
      if (file.deletes.length === 0) return found;
      if (values !== undefined) assertNumbered(file, fields);
      const without = file.deletes.map((one) => ({ path: local(one), sequence: one.sequence }));
      return { ...found, deleted: { names: names(file.path), sequence: file.sequence, by: without } };
    });
    return { ...borrowed, files: scanned };
  } catch (cause) {
    await borrowed[Symbol.asyncDispose]();
    throw cause;
  }
}

/**
 * Under which names files of ours have columns, by what the table's metadata says of them: no file is looked into. Nothing is
 * known of other engines' files, and where a column may hide the places of rows.
 */
function knownNames(metadata: TableMetadata): (file: OpenableFile) => NamesInFile {
  const hides = metadata.schemas.some(({ fields }) => fields.some(({ name }) => PLACES.has(name.toLowerCase())));
  const namesIn = namesInFiles(metadata);
  return ({ foreign, valueCounts }) =>
    foreign || hides || valueCounts === undefined ? UNKNOWN : namesIn({ valueCounts });
}

const UNKNOWN: NamesInFile = new Map();

function assertNumbered(file: OpenableFile, fields: readonly ParquetField[] = []): void {
  const hidden = fields.find(({ name }) => PLACES.has(name.toLowerCase()));
  if (hidden === undefined) return;
  throw new UnreadableTable(
    `${file.path} has rows that are deleted by position and a column ${hidden.name}, but no field ids: got a name that ` +
      'hides the positions; expected another. Rewrite the file with the engine that added it',
  );
}

export function pathOf(borrowed: Pick<Borrowed, 'paths'>, key: string): string {
  const path = borrowed.paths.get(key);
  if (path === undefined) throw new UnreadableTable(`the store gave no local path for ${key}`);
  return path;
}

/** Data files are never changed, so that what one is made of is read once in a process. */
const known = new WeakMap<ObjectStore, Map<string, readonly ParquetField[]>>();
const MOST_KNOWN = 10_000;

/** By location. */
async function readSchemas(
  session: Session,
  store: ObjectStore,
  files: readonly OpenableFile[],
  local: (file: OpenableFile) => string,
): Promise<ReadonlyMap<string, readonly ParquetField[]>> {
  const cache = known.get(store) ?? new Map<string, readonly ParquetField[]>();
  known.set(store, cache);
  const unread = files.filter((file) => !cache.has(file.path));
  if (cache.size + unread.length > MOST_KNOWN) cache.clear();
  const missing = files.filter((file) => !cache.has(file.path));
  if (missing.length > 0) {
    const rows = await session.rows(describeParquet(missing.map(local)));
    const byPath = Map.groupBy(rows, (row) => String(row['path']));
    for (const file of missing) cache.set(file.path, parquetFields((byPath.get(local(file)) ?? []).map(elementOf)));
  }
  return new Map(files.map((file) => [file.path, cache.get(file.path) ?? []]));
}

function elementOf(row: Row): ParquetElement {
  const { name, children, repeated, list, field_id: id } = row;
  return {
    name: String(name),
    children: Number(children),
    repeated: repeated === true,
    list: list === true,
    fieldId: id === null || id === undefined ? null : Number(id),
  };
}

function mappingOf(metadata: TableMetadata): readonly MappedField[] | undefined {
  const text = metadata.properties[NAME_MAPPING];
  return text === undefined ? undefined : parseNameMapping(text, metadata.location);
}

/** How the file is read by name; `undefined` where its field ids are enough. */
function valuesByName(
  metadata: TableMetadata,
  file: OpenableFile,
  fields: readonly ParquetField[],
  mapping: readonly MappedField[] | undefined,
): ReadonlyMap<string, FileValue> | undefined {
  const ids = hasFieldIds(fields);
  if (!ids && mapping === undefined) throw withoutIds(metadata, file);
  const constants = partitionValues(metadata, file);
  const located = locateFields(currentSchema(metadata).fields, fields, ids ? undefined : mapping);
  const given = located.filter(({ id, value }) => constants.has(id) && (!ids || value.kind === 'absent'));
  if (ids && given.length === 0) return undefined;
  return new Map(
    located.map(({ name, id, value }) => {
      const constant = ids && value.kind !== 'absent' ? undefined : constants.get(id);
      return [name, constant ?? value];
    }),
  );
}

/** By field id: the values of identity partitions, which count for columns that are not in a file by their ids. */
function partitionValues(metadata: TableMetadata, file: OpenableFile): ReadonlyMap<number, FileValue> {
  const fields = resolveSpec(specById(metadata, file.specId), currentSchema(metadata), ...metadata.schemas);
  const values = fields.flatMap((field, at): readonly (readonly [number, FileValue])[] => {
    const value = file.partition[at] ?? null;
    if (field.transform.kind !== 'identity' || value === null) return [];
    return [[field.sourceId, { kind: 'constant', text: renderScalarText(field.type, value) }]];
  });
  return new Map(values);
}

function withoutIds(metadata: TableMetadata, file: OpenableFile): UnreadableTable {
  return new UnreadableTable(
    `${file.path} has no Iceberg field ids, and ${metadata.location} no property ${NAME_MAPPING} that says which ` +
      `columns its names stand for: got a file that another engine added; expected field ids or a name mapping. Set the ` +
      'property there (PyIceberg and Spark do when they add files), or rewrite the file with the engine that added it',
  );
}
