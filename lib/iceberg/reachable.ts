import { UnreadableTable } from '../core/errors.ts';
import { type AvroRow, decodeAvro } from './avro.ts';
import { canonicalName } from './manifest-schema.ts';

/**
 * What refers to what, and nothing else: paths are read from manifest lists and manifests of all kinds, those of delete
 * files among them, since a file is needed whether or not its rows can be read here.
 */

/** The manifests that a manifest list names. */
export function manifestPaths(list: Uint8Array, where: string): readonly string[] {
  return decodeAvro(list, canonicalName).rows.map((row) => pathIn(row, 'manifest_path', where));
}

/** A file that a manifest names; `live`: its snapshot has it. */
export type NamedFile = { readonly path: string; readonly bytes: number; readonly live: boolean };

export function filePaths(manifest: Uint8Array, where: string): readonly NamedFile[] {
  return decodeAvro(manifest, canonicalName).rows.map((row) => {
    const file = (row['data_file'] ?? {}) as AvroRow;
    const path = pathIn(file, 'file_path', where);
    return { path, bytes: Number(file['file_size_in_bytes'] ?? 0), live: row['status'] !== DELETED };
  });
}

const DELETED = 2;

function pathIn(row: AvroRow, field: string, where: string): string {
  const path = row[field];
  if (typeof path === 'string') return path;
  throw new UnreadableTable(`${where} is damaged: got an entry without ${field}; expected a path`);
}
