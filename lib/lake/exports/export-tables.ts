import { type ExportOutcome, type ExportSpec, type ExportState, placeOfExport } from '../../core/exports.ts';
import { opsTable } from '../../core/ops.ts';
import type { ModelSpec, PipelineSpec } from '../../core/spec.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { quotePath } from '../../sql/quote.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { openOps } from '../ops/open-ops.ts';
import type { LockedRun } from '../run/lock.ts';
import { boundColumns, columnsOfRef, createPlaces, openRef, visibleColumns } from '../tables/table-state.ts';
import { exportFiles } from './export-files.ts';
import { exportObject } from './export-object.ts';
import type { ExportedTable, Exporter, ExportRow } from './exported.ts';

/** One table to be exported, as it was published. */
export type ToExport = {
  readonly model: ModelSpec;
  readonly metadata: TableMetadata;
  readonly snapshot_id: string | null;
  /** The exports of the model that are asked for. */
  readonly exports: readonly ExportSpec[];
};

export type ExportRequest = {
  readonly run: LockedRun;
  readonly spec: PipelineSpec;
  /** ISO instant. */
  readonly at: string;
  readonly tables: readonly ToExport[];
  /** Asked for by a person: files whose text has changed get a new name. */
  readonly reissue: boolean;
};

/** Writes what is exported of some tables, one after the other, and answers the rows for `ops.exports`, which it leaves as it is. */
export async function exportTables(deps: StepDeps, request: ExportRequest): Promise<readonly ExportRow[]> {
  const rows: ExportRow[] = [];
  for (const table of request.tables) rows.push(...(await exportTable(deps, request, table)));
  return rows;
}

async function exportTable(deps: StepDeps, request: ExportRequest, to: ToExport): Promise<readonly ExportRow[]> {
  const { spec, run, at, reissue } = request;
  const { model, metadata, snapshot_id } = to;
  const ref = { layer: model.layer, name: model.name };
  await using session = await deps.engine.open(deps.settings);
  await createPlaces(session, [ref]);
  // Drift may have given the table more columns than its model names.
  const named = new Set(columnsOfRef(spec, ref).map(({ name }) => name));
  const also = visibleColumns(metadata).filter(({ name }) => !named.has(name));
  await using _table = await openRef(deps.store, session, spec, ref, metadata, also);
  const table: ExportedTable = {
    model: model.id,
    relation: quotePath(model.layer, model.name),
    columns: boundColumns(metadata, [...columnsOfRef(spec, ref), ...also]),
    sortBy: model.sortBy,
    snapshot_id,
  };
  const exporter: Exporter = { run, at, session };
  const books = await loadTable(deps.catalog, opsTable(run.pipeline, 'exports'));
  const own = [{ column: 'model', op: '=', value: model.id }] as const;
  await using _exports = await openOps(deps.store, session, 'exports', books?.metadata, own);
  const rows: ExportRow[] = [];
  for (const one of to.exports) {
    const found =
      one.kind === 'files'
        ? await exportFiles(deps, exporter, table, { spec: one, reissue })
        : await exportObject(deps, exporter, table, { spec: one, reissue });
    rows.push(...found);
  }
  return rows;
}

/** What became of the exports of some models: each of them, also those of which there was nothing to say. */
export function outcomesOf(
  tables: readonly Pick<ToExport, 'model' | 'exports'>[],
  rows: readonly { readonly model: string; readonly kind: string; readonly state: ExportState; readonly n?: number }[],
): readonly ExportOutcome[] {
  return tables.flatMap(({ model, exports }) =>
    exports.map((spec) => {
      const states: { [state in ExportState]?: number } = {};
      for (const { state, n = 1 } of rows.filter((row) => row.model === model.id && row.kind === spec.kind))
        states[state] = n + (states[state] ?? 0);
      return { model: model.id, kind: spec.kind, to: placeOfExport(spec), states };
    }),
  );
}
