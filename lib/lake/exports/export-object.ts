import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { exportKey, type ObjectExport } from '../../core/exports.ts';
import { copyExport, selectLatest } from '../../sql/exports.ts';
import type { StepDeps } from '../deps.ts';
import { openScratch } from '../files/scratch.ts';
import { requireHeld } from '../run/lock.ts';
import { type ExportedTable, type Exporter, type ExportRow, rowOf } from './exported.ts';

/**
 * Writes all rows of a table as one object, in the place of the one that is there; the session has `ops.exports`. Equal rows give
 * equal bytes: where these are there already, nothing is done and nothing answered, unless a person asks.
 */
export async function exportObject(
  deps: StepDeps,
  exporter: Exporter,
  table: ExportedTable,
  { spec, reissue }: { readonly spec: ObjectExport; readonly reissue: boolean },
): Promise<readonly ExportRow[]> {
  await using scratch = await openScratch(deps, 'export');
  const path = join(scratch.folder, 'rows');
  const { columns, sortBy, relation: from } = table;
  await exporter.session.run(copyExport(spec, { from, columns, sortBy, path }));
  const sha256 = await hashOf(path);
  const object = exportKey(exporter.run.pipeline, spec.to);
  if (!reissue && (await isThere(deps, exporter, object, { model: table.model, spec, sha256 }))) return [];
  // The name is not new, as those of data files are: who has lost the lock must not put an older object there.
  await requireHeld(deps, exporter.run);
  const { size: bytes, etag } = await deps.store.publish(path, object);
  const what = { kind: spec.kind, target: spec.to, period: null, key: null };
  const state = reissue ? 'REISSUED' : 'WRITTEN';
  return [rowOf(exporter, table, { ...what, state, reason: null, object, bytes, sha256, etag })];
}

type Written = { readonly model: string; readonly spec: ObjectExport; readonly sha256: string };

/** Whether the export wrote these bytes last, and nobody has touched the object since. */
async function isThere(
  { store }: StepDeps,
  { session }: Exporter,
  object: string,
  { model, spec, sha256 }: Written,
): Promise<boolean> {
  const [latest] = await session.rows(selectLatest(model, spec));
  if (latest === undefined || latest['sha256'] !== sha256) return false;
  return (await store.head(object))?.etag === latest['etag'];
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
