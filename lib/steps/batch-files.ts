import { join } from 'node:path';
import { mapConcurrent } from '../core/concurrency.ts';
import { objectName } from '../core/objects.ts';
import type { FileOutcome, LandedFile } from '../core/run.ts';
import type { SourceSpec } from '../core/spec.ts';
import { inspectFile, type Numbering } from '../landing/inspect.ts';
import type { Borrowed, Session } from '../ports.ts';
import type { Batch } from '../sql/batch.ts';
import type { NumberedFile } from '../sql/quarantine.ts';
import type { FileGroup, FileLayout } from '../sql/raw-rows.ts';
import { pathOf } from './foreign-files.ts';

export type ReadableFile = {
  readonly landed: LandedFile;
  readonly path: string;
  readonly layout: FileLayout;
  readonly numbering: Numbering;
};

export type InspectedFiles = { readonly readable: readonly ReadableFile[]; readonly rejected: readonly FileOutcome[] };

/** Looks at every file of a unit; `scratch` takes plain copies. */
export async function inspectFiles(
  session: Session,
  source: SourceSpec,
  files: readonly LandedFile[],
  borrowed: Borrowed,
  scratch: string,
): Promise<InspectedFiles> {
  const readable: ReadableFile[] = [];
  const rejected: FileOutcome[] = [];
  const found = await mapConcurrent(files, (landed, i) =>
    inspectFile(session, source, pathOf(borrowed, objectName(landed)), join(scratch, `file-${i}`)),
  );
  for (const [i, landed] of files.entries()) {
    const one = found[i];
    if (one?.kind === 'rejected') rejected.push(rejectFile(landed, one.code, one.reason));
    else if (one !== undefined) readable.push({ landed, ...one });
  }
  return { readable, rejected };
}

export function rejectFile(landed: LandedFile, code: string, reason: string): FileOutcome {
  return { ...landed, status: 'rejected', records: 0, code, reason };
}

/** Neighbouring files of one shape are read by one scan, so that rows keep the order of the files. */
export function batchOf(source: SourceSpec, files: readonly ReadableFile[]): Batch {
  const groups: { shape: string; layout: FileLayout; paths: string[] }[] = [];
  for (const { layout, path } of files) {
    const shape = shapeOf(layout);
    const open = groups.at(-1);
    if (open?.shape === shape) {
      open.paths.push(path);
      open.layout = widerRecords(open.layout, layout);
    } else {
      groups.push({ shape, layout, paths: [path] });
    }
  }
  return { source, groups: groups.map(({ layout, paths }): FileGroup => ({ layout, paths })) };
}

export function numberFiles(
  files: readonly ReadableFile[],
  records: ReadonlyMap<string, number>,
): readonly NumberedFile[] {
  return files.map((file) => ({
    path: file.path,
    key: file.landed.key,
    headerRecords: file.numbering.headerRecords,
    records: records.get(file.path) ?? 0,
    openQuote: file.numbering.openQuote ?? null,
  }));
}

function shapeOf(layout: FileLayout): string {
  return JSON.stringify({ ...layout, maxRecordBytes: 0, maxFileBytes: 0 });
}

function widerRecords(a: FileLayout, b: FileLayout): FileLayout {
  if (!('maxRecordBytes' in a && 'maxRecordBytes' in b)) return a;
  const maxRecordBytes = Math.max(a.maxRecordBytes, b.maxRecordBytes);
  return { ...a, maxRecordBytes, maxFileBytes: Math.max(a.maxFileBytes, b.maxFileBytes) };
}
