import type { Asked } from '../../core/asked.ts';
import type { Skipped } from '../../core/objects.ts';
import { opsTable } from '../../core/ops.ts';
import type { SetAsideFile } from '../../core/run.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import type { TableId } from '../../core/tables.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { bindVars } from '../run/vars.ts';
import { goldReason } from '../tables/gold-inputs.ts';
import { modelTables } from '../tables/table-state.ts';
import { findNewFiles, type Landed } from './ledger.ts';

export type KnownTable = { readonly metadata: TableMetadata; readonly location: string };

/** What there is to do for a pipeline, computed without writing anything. */
export type Survey = {
  readonly spec: PipelineSpec;
  readonly waiting: Landed['waiting'];
  readonly skipped: Skipped;
  readonly renamed: Landed['renamed'];
  /** Files that earlier runs rejected or suspended, and that are there still. */
  readonly aside: readonly SetAsideFile[];
  readonly tables: ReadonlyMap<string, KnownTable | undefined>;
  readonly quarantine: KnownTable | undefined;
  /** Gold models that would be computed even without new files, with the reason. */
  readonly stale: ReadonlyMap<string, string>;
  readonly ms: number;
};

/** Reads what has landed, the ledger and the tables of a pipeline. */
export async function surveyPipeline(deps: StepDeps, pipeline: string, { vars = {} }: Asked = {}): Promise<Survey> {
  const started = deps.clock.now().getTime();
  await using session = await deps.engine.open(deps.settings);
  const spec = await bindVars(session, await deps.specs(pipeline), vars);
  const tables = new Map<string, KnownTable | undefined>();
  for (const [id, table] of modelTables(spec)) {
    tables.set(id, await findKnown(deps, table));
  }
  const quarantine = await findKnown(deps, opsTable(pipeline, 'quarantine'));
  const landed = await findNewFiles(deps, session, pipeline, spec.sources);
  const ms = deps.clock.now().getTime() - started;
  return { spec, ...landed, tables, quarantine, stale: findStale(spec, tables), ms };
}

async function findKnown(deps: StepDeps, table: TableId): Promise<KnownTable | undefined> {
  const entry = await loadTable(deps.catalog, table);
  return entry && { metadata: entry.metadata, location: entry.metadataLocation };
}

/** A lake without a table has nothing to compute gold from. */
function findStale(
  spec: PipelineSpec,
  tables: ReadonlyMap<string, { metadata: TableMetadata } | undefined>,
): ReadonlyMap<string, string> {
  const states = new Map([...tables].map(([id, table]) => [id, table?.metadata]));
  const stale = new Map<string, string>();
  if ([...states.values()].every((state) => state === undefined)) return stale;
  for (const model of spec.models) {
    if (model.layer !== 'gold') continue;
    const reason = goldReason(model, states.get(model.id), states);
    if (reason !== undefined) stale.set(model.id, reason);
  }
  return stale;
}
