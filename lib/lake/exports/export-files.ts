import { createHash } from 'node:crypto';
import { mapConcurrent } from '../../core/concurrency.ts';
import { EXPORT_STATES, type ExportState, exportKey, type FilesExport } from '../../core/exports.ts';
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
    rows.push(...(await mapConcurrent(page, (file) => exportFile(deps, exporter, table, file))));
  }
  return rows;
}

async function exportFile(deps: StepDeps, exporter: Exporter, table: ExportedTable, file: Row): Promise<ExportRow> {
  const text = (name: string): string | null => {
    const value = file[name];
    return typeof value === 'string' ? value : null;
  };
  const state = stateOf(file['state']);
  const what = {
    kind: 'files',
    target: String(file['target']),
    period: text('period'),
    key: text('key'),
    sha256: text('sha256'),
  } as const;
  const nothing = { reason: text('reason'), object: null, bytes: null, etag: null };
  if (state !== 'WRITTEN' && state !== 'REISSUED') return rowOf(exporter, table, { ...what, ...nothing, state });
  const object = exportKey(exporter.run.pipeline, String(file['path']));
  const bytes = new TextEncoder().encode(String(file['text']));
  const written = await writeNew(deps, object, bytes);
  if (written === undefined)
    return rowOf(exporter, table, { ...what, ...nothing, state: 'CHANGED_SINCE', reason: 'another object is there' });
  return rowOf(exporter, table, { ...what, state, reason: null, object, bytes: bytes.length, etag: written });
}

/** Answers the etag; undefined where an object with other bytes is there. One with these was written by an attempt that died. */
async function writeNew({ store }: StepDeps, key: string, bytes: Uint8Array): Promise<string | undefined> {
  const outcome = await store.write(key, bytes, { kind: 'absent' });
  if (outcome.kind === 'written') return outcome.etag;
  const there = await store.read(key);
  return hashOf(there.bytes) === hashOf(bytes) ? there.etag : undefined;
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function stateOf(value: unknown): ExportState {
  const state = EXPORT_STATES.find((one) => one === value);
  if (state === undefined) throw new RangeError(`${String(value)} is no state of an export`);
  return state;
}
