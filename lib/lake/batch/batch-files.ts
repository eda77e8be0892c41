import { join } from 'node:path';
import { mapConcurrent } from '../../core/concurrency.ts';
import { objectName } from '../../core/objects.ts';
import type { FileOutcome, LandedFile } from '../../core/run.ts';
import type { SourceSpec } from '../../core/spec.ts';
import { requireAlone } from '../../core/turns.ts';
import { type Inspection, inspectFile, type Numbering } from '../../landing/inspect.ts';
import type { Borrowed, Session } from '../../ports.ts';
import type { Batch } from '../../sql/batch.ts';
import type { NumberedFile } from '../../sql/quarantine.ts';
import type { FileGroup, FileLayout, RowFilter } from '../../sql/raw-rows.ts';
import { type EngineDeps, machineHolds, withPlainSession } from '../run/floor.ts';
import { pathOf } from '../tables/foreign-files.ts';

export type ReadableFile = {
  readonly landed: LandedFile;
  readonly path: string;
  readonly layout: FileLayout;
  readonly numbering: Numbering;
  /** The part of its well-formed records that is read, numbered from 0, `to` exclusive; left out: all. */
  readonly range?: { readonly from: number; readonly to: number };
  /** A copy of its well-formed records with their numbers, of which parts are read sooner than of the file. */
  readonly copy?: string;
  /** Records that the engine cannot take, by the same number, with the reason; they are left out of every scan. */
  readonly poisoned?: readonly PoisonedRecord[];
};

export function isPoisoned({ poisoned = [] }: ReadableFile): boolean {
  return poisoned.length > 0;
}

export type PoisonedRecord = { readonly nth: number; readonly reason: string };

/** A unit's readable files with the number of records of each, ready to be mapped. */
export type CountedBatch = {
  readonly source: SourceSpec;
  readonly files: readonly ReadableFile[];
  /** By local path. */
  readonly records: ReadonlyMap<string, number>;
  readonly scratch: string;
  /** Rows of which an expression raises are set aside, one by one. */
  readonly guarded: boolean;
  /** Shows only whether it can be done: of some files a part is read, so that the books cannot close. */
  readonly trial: boolean;
  readonly rejections?: EarlierRejections;
};

/** Of a file that is read in turn: what its parts pass on of keys that were rejected, as files. */
export type EarlierRejections = {
  /** Of the parts before this one. */
  readonly before: readonly string[];
  /** Where this one puts down its own. */
  readonly own: string;
};

export type InspectedFiles = { readonly readable: readonly ReadableFile[]; readonly rejected: readonly FileOutcome[] };

/**
 * Looks at every file of a unit; `scratch` takes plain copies. A file at which something is thrown is looked at again in
 * a session of its own, since an engine that failed may fail at the next file too, and only then rejected. Throws what
 * was thrown where the machine is to blame.
 */
export async function inspectFiles(
  deps: EngineDeps,
  source: SourceSpec,
  files: readonly LandedFile[],
  borrowed: Pick<Borrowed, 'paths'>,
  scratch: string,
): Promise<InspectedFiles> {
  const look = (session: Session, landed: LandedFile, name: string): Promise<Inspection> =>
    inspectFile(session, source, pathOf(borrowed, objectName(landed)), join(scratch, name));
  const first = await withPlainSession(deps, (session) =>
    mapConcurrent(files, (landed, i) => look(session, landed, `file-${i}`)),
  );
  const readable: ReadableFile[] = [];
  const rejected: FileOutcome[] = [];
  for (const [i, landed] of files.entries()) {
    let one = first[i];
    if (one?.kind === 'rejected' && (one.cause !== undefined || one.code === 'FILE_TOO_LARGE')) {
      // What others have taken of the disk may be what it did not find.
      requireAlone(deps.turns, `${landed.key}: ${one.reason}`);
    }
    if (one?.kind === 'rejected' && one.cause !== undefined) {
      if (!(await machineHolds(deps))) throw one.cause;
      one = await withPlainSession(deps, (session) => look(session, landed, `file-${i}-again`));
    }
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
  const groups: { shape: string; layout: FileLayout; paths: string[]; rows?: RowFilter }[] = [];
  for (const file of files) {
    const { layout, path } = file;
    const shape = shapeOf(layout);
    const rows = rowsOf(file);
    const open = groups.at(-1);
    if (open?.shape === shape && open.rows === undefined && rows === undefined) {
      open.paths.push(path);
      open.layout = widerRecords(open.layout, layout);
    } else {
      groups.push({ shape, layout, paths: [path], ...(rows && { rows }) });
    }
  }
  if (groups.length === 0) groups.push({ shape: '', layout: emptyLayout(source), paths: [] });
  return { source, groups: groups.map(({ shape, ...group }): FileGroup => group) };
}

function rowsOf({ range, poisoned = [], copy }: ReadableFile): RowFilter | undefined {
  if (range === undefined && poisoned.length === 0) return undefined;
  return { ...range, without: poisoned.map(({ nth }) => nth), ...(copy === undefined ? {} : { copy }) };
}

const TEXT = { kind: 'leaf', type: 'VARCHAR' } as const;

/** What a file has that has every column of the contract and no rows. */
function emptyLayout({ format, columns }: SourceSpec): FileLayout {
  const sizes = { maxRecordBytes: 0, maxFileBytes: 0 };
  switch (format.kind) {
    case 'csv':
      return { kind: 'csv', header: columns.map((c) => c.source), ...sizes };
    case 'json':
      return { kind: 'lines', ...sizes };
    case 'parquet':
      return { kind: 'parquet', columns: columns.map((c) => ({ name: c.source, type: TEXT })) };
  }
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
    before: file.numbering.before ?? 0,
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
