import { InvalidInput } from '../core/errors.ts';
import type { ExportOutcome, ExportSpec } from '../core/exports.ts';
import type { ModelSpec, PipelineSpec } from '../core/spec.ts';
import { oneOf } from '../core/suggest.ts';
import { fullName } from '../core/tables.ts';
import { currentSnapshot } from '../iceberg/snapshot.ts';
import type { StepDeps } from '../lake/deps.ts';
import { exportTables, outcomesOf, type ToExport } from '../lake/exports/export-tables.ts';
import { commitOps, writeOpsRows } from '../lake/ops/ops-tables.ts';
import { fenced } from '../lake/run/fence.ts';
import { keepLock } from '../lake/run/keep-lock.ts';
import { releaseLock, takeLock } from '../lake/run/lock.ts';
import { tableIdOf } from '../lake/tables/table-state.ts';
import { loadTable } from '../table/read.ts';

export type ReissueRequest = {
  readonly pipeline: string;
  /** Its id, such as `gold.report`, or the full name of its table. */
  readonly model: string;
  /** Left out: all exports of the model. */
  readonly kind?: string;
};

/**
 * Exports a table as it is now: objects anew, and files of rows whose text has changed under new names, as `x.v2.txt`. Throws
 * InvalidInput for what exports nothing, LockHeld while a run works.
 */
export async function reissueExports(deps: StepDeps, request: ReissueRequest): Promise<readonly ExportOutcome[]> {
  const { pipeline } = request;
  const spec = await deps.specs(pipeline);
  const { model, exports } = findExports(spec, request);
  const runId = `reissue-${deps.ids.unique()}`;
  let epoch: number | undefined;
  return keepLock(deps, { pipeline, run_id: runId, epoch: () => epoch }, async () => {
    epoch = await takeLock(deps, { pipeline, run_id: runId });
    const run = { pipeline, run_id: runId, dry_run: false, epoch };
    try {
      const held = fenced(deps, run);
      const tables = [await asItIs(held, spec, { model, exports })];
      const at = deps.clock.now().toISOString();
      const rows = await exportTables(held, { run, spec, at, tables, reissue: true });
      await commitOps(held, run, 'exports', await writeOpsRows(held, { run }, 'exports', rows));
      return outcomesOf(tables, rows);
    } finally {
      epoch = undefined;
      await releaseLock(deps, run);
    }
  });
}

type Found = { readonly model: ModelSpec; readonly exports: readonly ExportSpec[] };

function findExports(spec: PipelineSpec, request: ReissueRequest): Found {
  const models = spec.models.filter(({ exports = [] }) => exports.length > 0);
  const model = models.find((one) => [one.id, fullName(tableIdOf(spec, one))].includes(request.model));
  if (model === undefined) {
    const names = models.map(({ id }) => id);
    throw new InvalidInput(
      `no exports of ${JSON.stringify(request.model)} in ${spec.name}: expected ${oneOf(request.model, names)}`,
    );
  }
  const { exports = [] } = model;
  const asked = exports.filter(({ kind }) => request.kind === undefined || kind === request.kind);
  if (asked.length > 0) return { model, exports: asked };
  const kinds = exports.map(({ kind }) => kind);
  throw new InvalidInput(`${model.id} has no export ${request.kind}: expected ${oneOf(request.kind ?? '', kinds)}`);
}

async function asItIs(deps: StepDeps, spec: PipelineSpec, { model, exports }: Found): Promise<ToExport> {
  const table = tableIdOf(spec, model);
  const entry = await loadTable(deps.catalog, table);
  if (entry === undefined)
    throw new InvalidInput(`${fullName(table)} is not there yet: expected a run of ${spec.name} that made it`);
  const snapshot = currentSnapshot(entry.metadata)?.['snapshot-id'].toString() ?? null;
  return { model, metadata: entry.metadata, snapshot_id: snapshot, exports };
}
