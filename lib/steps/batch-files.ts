import type { FileOutcome, LandedFile } from '../core/run.ts';
import type { SourceSpec } from '../core/spec.ts';
import { inspectFile } from '../landing/inspect.ts';
import type { Borrowed, Session } from '../ports.ts';
import type { Batch } from '../sql/batch.ts';
import type { NumberedFile } from '../sql/quarantine.ts';
import type { FileGroup, FileLayout } from '../sql/raw-rows.ts';
import { pathOf } from './table-state.ts';

export type ReadableFile = {
  readonly landed: LandedFile;
  readonly path: string;
  readonly layout: FileLayout;
  readonly headerLines: number;
};

export type InspectedFiles = { readonly readable: readonly ReadableFile[]; readonly rejected: readonly FileOutcome[] };

/** Looks at every file of a unit; `scratch` takes inflated copies. */
export async function inspectFiles(
  session: Session,
  source: SourceSpec,
  files: readonly LandedFile[],
  borrowed: Borrowed,
  scratch: string,
): Promise<InspectedFiles> {
  const readable: ReadableFile[] = [];
  const rejected: FileOutcome[] = [];
  for (const [i, landed] of files.entries()) {
    const found = await inspectFile(session, source, pathOf(borrowed, landed.key), scratch, `file-${i}`);
    if (found.kind === 'rejected') rejected.push(rejectFile(landed, found.code, found.reason));
    else readable.push({ landed, path: found.path, layout: found.layout, headerLines: found.headerLines });
  }
  return { readable, rejected };
}

export function rejectFile(landed: LandedFile, code: string, reason: string): FileOutcome {
  return { ...landed, status: 'rejected', records: 0, code, reason };
}

/** Neighbouring files of one shape are read by one scan, so that rows keep the order of the files. */
export function batchOf(source: SourceSpec, files: readonly ReadableFile[]): Batch {
  const groups: { layout: FileLayout; paths: string[] }[] = [];
  for (const file of files) {
    const open = groups.at(-1);
    if (open !== undefined && shapeOf(open.layout) === shapeOf(file.layout)) {
      open.paths.push(file.path);
      open.layout = widerLines(open.layout, file.layout);
    } else {
      groups.push({ layout: file.layout, paths: [file.path] });
    }
  }
  return { source, groups: groups satisfies readonly FileGroup[] };
}

export function numberFiles(
  files: readonly ReadableFile[],
  records: ReadonlyMap<string, number>,
): readonly NumberedFile[] {
  return files.map((file) => ({
    path: file.path,
    key: file.landed.key,
    headerLines: file.headerLines,
    records: records.get(file.path) ?? 0,
  }));
}

function shapeOf(layout: FileLayout): string {
  return JSON.stringify({ ...layout, maxLineBytes: 0 });
}

function widerLines(a: FileLayout, b: FileLayout): FileLayout {
  if (!('maxLineBytes' in a && 'maxLineBytes' in b)) return a;
  return { ...a, maxLineBytes: Math.max(a.maxLineBytes, b.maxLineBytes) };
}
