import { createHash } from 'node:crypto';
import { mapConcurrent } from '../../core/concurrency.ts';
import { EXPORT_STATES, type ExportState, exportKey, type FilesExport, versionOf } from '../../core/exports.ts';
import type { Row } from '../../ports.ts';
import { countKept, keepFiles, pageOfFiles } from '../../sql/export-files.ts';
import type { StepDeps } from '../deps.ts';
import { type ExportedTable, type Exporter, type ExportRow, rowOf } from './exported.ts';

/** Files that are in memory at once. */
const PAGE = 500;

/**
 * Writes the files of a table's rows that are not there yet; the session has `ops.exports`. Answers a row for each that was
 * written, and for each of which something else is to be said than the last time.
 */
export async function exportFiles(
  deps: StepDeps,
  exporter: Exporter,
  table: ExportedTable,
  { spec, reissue }: { readonly spec: FilesExport; readonly reissue: boolean },
): Promise<readonly ExportRow[]> {
  const { session } = exporter;
  await session.run(keepFiles({ from: table.relation, model: table.model, spec, reissue }));
  const files = Number((await session.rows(countKept()))[0]?.['files']);
  const rows: ExportRow[] = [];
  for (let from = 0; from < files; from += PAGE) {
    const page = await session.rows(pageOfFiles(from, from + PAGE));
    rows.push(...(await mapConcurrent(page, (file) => exportFile(deps, exporter, table, { file, reissue }))));
  }
  return rows;
}

async function exportFile(
  deps: StepDeps,
  exporter: Exporter,
  table: ExportedTable,
  { file, reissue }: { readonly file: Row; readonly reissue: boolean },
): Promise<ExportRow> {
  const text = (name: string): string | null => {
    const value = file[name];
    return typeof value === 'string' ? value : null;
  };
  const state = stateOf(file['state']);
  const target = String(file['target']);
  const what = { kind: 'files', target, period: text('period'), key: text('key'), sha256: text('sha256') } as const;
  const nothing = { reason: text('reason'), object: null, bytes: null, etag: null };
  if (state !== 'WRITTEN' && state !== 'REISSUED') return rowOf(exporter, table, { ...what, ...nothing, state });
  const bytes = new TextEncoder().encode(String(file['text']));
  const keyOf = (path: string): string => exportKey(exporter.run.pipeline, path);
  const first = state === 'WRITTEN' ? await writeNew(deps, keyOf(target), bytes) : undefined;
  const written =
    first ?? (reissue ? await writeVersion(deps, keyOf(target), Number(file['version']), bytes) : undefined);
  if (written === undefined)
    return rowOf(exporter, table, { ...what, ...nothing, state: 'CHANGED_SINCE', reason: 'another object is there' });
  const { object, etag } = written;
  const came = first === undefined ? 'REISSUED' : 'WRITTEN';
  return rowOf(exporter, table, { ...what, state: came, reason: null, object, bytes: bytes.length, etag });
}

type Written = { readonly object: string; readonly etag: string };

/** Writes it under the name of the next version that no other object has. */
async function writeVersion(deps: StepDeps, key: string, version: number, bytes: Uint8Array): Promise<Written> {
  for (let next = Math.max(2, version); ; next += 1) {
    const written = await writeNew(deps, versionOf(key, next), bytes);
    if (written !== undefined) return written;
  }
}

/** Undefined where an object with other bytes is there. One with these was written by an attempt that died. */
async function writeNew({ store }: StepDeps, object: string, bytes: Uint8Array): Promise<Written | undefined> {
  const outcome = await store.write(object, bytes, { kind: 'absent' });
  if (outcome.kind === 'written') return { object, etag: outcome.etag };
  const there = await store.read(object);
  return hashOf(there.bytes) === hashOf(bytes) ? { object, etag: there.etag } : undefined;
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function stateOf(value: unknown): ExportState {
  const state = EXPORT_STATES.find((one) => one === value);
  if (state === undefined) throw new RangeError(`${String(value)} is no state of an export`);
  return state;
}
