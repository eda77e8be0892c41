import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type ExportState, exportKey, type ObjectExport } from '../../core/exports.ts';
import { copyExport } from '../../sql/exports.ts';
import type { StepDeps } from '../deps.ts';
import { openScratch } from '../files/scratch.ts';
import { requireHeld } from '../run/lock.ts';
import { type ExportedTable, type Exporter, type ExportRow, rowOf } from './exported.ts';

/** Writes all rows of a table as one object, in the place of the one that is there. Equal rows give equal bytes. */
export async function exportObject(
  deps: StepDeps,
  exporter: Exporter,
  table: ExportedTable,
  { spec, state }: { readonly spec: ObjectExport; readonly state: ExportState },
): Promise<ExportRow> {
  await using scratch = await openScratch(deps, 'export');
  const path = join(scratch.folder, 'rows');
  const { columns, sortBy, relation: from } = table;
  await exporter.session.run(copyExport(spec, { from, columns, sortBy, path }));
  const sha256 = await hashOf(path);
  const object = exportKey(exporter.run.pipeline, spec.to);
  // The name is not new, as those of data files are: who has lost the lock must not put an older object there.
  await requireHeld(deps, exporter.run);
  const { size: bytes, etag } = await deps.store.publish(path, object);
  const what = { kind: spec.kind, target: spec.to, period: null, key: null };
  return rowOf(exporter, table, { ...what, state, reason: null, object, bytes, sha256, etag });
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
