import { join } from 'node:path';
import { commitOps, writeOpsRows } from '../../lib/lake/ops/ops-tables.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';

const RUN_MS = 60_000;
const SILENT = { info: () => undefined, warn: () => undefined };

/** Writes that a pipeline of a lake has run so often, every ten minutes up to now, one of fifty in vain; a commit for so many runs each. */
export async function writeRuns(folder: string, pipeline: string, count: number, commits: number): Promise<void> {
  const root = join(folder, '.strata');
  const { deps } = await openLocalLake({ root, pipelines: join(folder, 'pipelines'), log: SILENT });
  const rows = Array.from({ length: count }, (_, at) => rowOf(at, Date.now() - (count - at) * 10 * RUN_MS));
  const each = Math.ceil(count / commits);
  for (let at = 0; at < count; at += each) {
    const run = { pipeline, run_id: `written-${at}`, dry_run: false };
    await commitOps(deps, run, 'runs', await writeOpsRows(deps, { run }, 'runs', rows.slice(at, at + each)));
  }
}

function rowOf(at: number, started: number) {
  const failed = at % 50 === 7;
  const duration_ms = RUN_MS + 1_000 * (at % 60);
  return {
    run_id: `made-${String(at).padStart(6, '0')}`,
    status: failed ? 'FAILED' : 'SUCCEEDED',
    started_at: new Date(started).toISOString(),
    finished_at: new Date(started + duration_ms).toISOString(),
    duration_ms,
    files: 12,
    rows_read: 1_000,
    rows_added: failed ? 0 : 990,
    error: failed ? 'AuditFailed: expectation small of silver.sales does not hold' : null,
    kind: 'run',
    bytes_kept: null,
    bytes_brought: null,
    bytes_skipped: null,
    run_date: new Date(started).toISOString().slice(0, 10),
  };
}
