import { UnreadableTable } from '../core/errors.ts';
import { type AvroFile, type AvroRow, decodeAvro, encodeAvro } from './avro.ts';

/**
 * Manifests and manifest lists with other locations in them, and all else as it was, fields of other writers that are
 * not known here among it. Source: https://iceberg.apache.org/spec/#manifests, #manifest-lists.
 */

/** Where a manifest is now, and its bytes. */
export type Located = { readonly path: string; readonly length: number };

/**
 * A manifest whose data files are named where they are; undefined where it names them there already. Throws
 * UnreadableTable for delete files that a snapshot has: the rows in them name data files too.
 */
export function relocateManifest(bytes: Uint8Array, locate: (path: string) => string): Uint8Array | undefined {
  return rewrite(bytes, (row) => {
    const file = record(row['data_file']);
    const path = text(file, 'file_path');
    if ((file['content'] ?? 0) !== 0 && row['status'] !== DELETED) throw withDeletes(path);
    const now = locate(path);
    return now === path ? row : { ...row, data_file: { ...file, file_path: now } };
  });
}

/** A manifest list whose manifests are named where they are; undefined where it names them there already. */
export function relocateManifestList(
  bytes: Uint8Array,
  locate: (path: string) => Located | undefined,
): Uint8Array | undefined {
  return rewrite(bytes, (row) => {
    const path = text(row, 'manifest_path');
    const now = locate(path);
    if (now === undefined || now.path === path) return row;
    return { ...row, manifest_path: now.path, manifest_length: BigInt(now.length) };
  });
}

const DELETED = 2;

function withDeletes(path: string): UnreadableTable {
  return new UnreadableTable(
    `${path} is a delete file, and its rows name data files by where they were: got a snapshot that has it; expected none. ` +
      'The lake can be used as it is. To relocate it, have the table rewritten without delete files (strata compact), expire ' +
      'the snapshots before (strata expire), and relocate it then',
  );
}

function rewrite(bytes: Uint8Array, change: (row: AvroRow) => AvroRow): Uint8Array | undefined {
  const { header, rows } = decodeAvro(bytes, (_id, name) => name);
  const changed = rows.map(change);
  if (changed.every((row, at) => row === rows[at])) return undefined;
  return encodeAvro(JSON.parse(header.get('avro.schema') ?? 'null'), changed, ownHeader(header));
}

/** What a writer put beside the keys of the container itself. */
function ownHeader(header: AvroFile['header']): Readonly<Record<string, string>> {
  return Object.fromEntries([...header].filter(([key]) => !key.startsWith('avro.')));
}

function record(value: unknown): AvroRow {
  if (typeof value === 'object' && value !== null) return { ...value };
  throw new UnreadableTable('a manifest entry without a data file');
}

function text(row: AvroRow, field: string): string {
  const value = row[field];
  if (typeof value === 'string') return value;
  throw new UnreadableTable(`a manifest or a manifest list without ${field}`);
}
