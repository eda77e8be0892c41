import type { Asked } from '../../core/asked.ts';
import { InvalidInput } from '../../core/errors.ts';
import { objectName, type Skipped } from '../../core/objects.ts';
import { opsTable } from '../../core/ops.ts';
import type { LandedFile, SetAsideFile } from '../../core/run.ts';
import { withRunDate } from '../../core/run-date.ts';
import { type ModelSpec, modelId, type PipelineSpec, type SilverModel, type SourceSpec } from '../../core/spec.ts';
import { fullName, type RemovedTable, type TableId } from '../../core/tables.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { asksForState, completeSelection, type Selection } from '../../plan/select-models.ts';
import type { TableChange } from '../../plan/table-changes.ts';
import type { ObjectInfo, Session } from '../../ports.ts';
import type { TakenFor } from '../../sql/ops-rows.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { bindVars } from '../run/vars.ts';
import { tellApart } from '../tables/apart.ts';
import { goldReason } from '../tables/gold-inputs.ts';
import { findChanges, findLostLogs } from '../tables/made-by.ts';
import { pinOthers } from '../tables/other-pipelines.ts';
import { findRemoved } from '../tables/removed-tables.ts';
import { modelTables, tableIdOf } from '../tables/table-state.ts';
import { dateOfPeriod } from './branches/choose-period.ts';
import { chosenSpec } from './choices.ts';
import { isPlain, modelsDue } from './due.ts';
import { findHistory, findNewFiles, type Landed } from './find-new.ts';
import { findTaken, type Taken } from './ledger.ts';
import { modelState } from './model-state.ts';

export type KnownTable = { readonly metadata: TableMetadata; readonly location: string };

/** What there is to do for a pipeline, computed without writing anything. */
export type Survey = {
  readonly spec: PipelineSpec;
  /** By silver model that the run is about: files that the ledger does not know for its table. */
  readonly waiting: Landed['waiting'];
  readonly skipped: Skipped;
  readonly renamed: Landed['renamed'];
  /** Files that earlier runs suspended, or rejected where a retry is asked for, and that are there still. */
  readonly aside: readonly SetAsideFile[];
  readonly tables: ReadonlyMap<string, KnownTable | undefined>;
  /** Tables of other pipelines that the run is to read, as their last published runs left them. */
  readonly others: ReadonlyMap<string, KnownTable>;
  readonly quarantine: KnownTable | undefined;
  /** Gold models that would be computed even without new files, with the reason. */
  readonly stale: ReadonlyMap<string, string>;
  /** Left out: the run is about all models. */
  readonly selection?: Selection;
  /** Where tables are made anew: what runs have taken for them. */
  readonly taken?: Taken;
  /** How the models that the run is about differ from what made their tables. */
  readonly changes: readonly TableChange[];
  /** Keyed models whose tables are there without their logs. */
  readonly lost: ReadonlySet<string>;
  /** Tables of models that the pipeline no longer has. */
  readonly removed: readonly RemovedTable[];
  readonly ms: number;
};

/** Memory of the database that compares listing and ledger, however many files there are: what does not fit is spilled. */
const OPENING_BYTES = 256 * 2 ** 20;

/** Reads what has landed, or of that only what was `named`, the ledger and the tables of a pipeline. */
export async function surveyPipeline(
  deps: StepDeps,
  pipeline: string,
  asked: Asked = {},
  named?: readonly ObjectInfo[],
): Promise<Survey> {
  const now = deps.clock.now();
  const started = now.getTime();
  const memoryBytes = Math.min(deps.settings.memoryBytes, OPENING_BYTES);
  await using session = await deps.engine.open({ ...deps.settings, memoryBytes });
  const bound = await bindVars(session, await chosenSpec(deps, pipeline), asked.vars ?? {});
  const ofPeriod = dateOfPeriod(bound, asked);
  const spec = ofPeriod === undefined ? withRunDate(bound, now, asked.run_date) : { ...bound, runAt: ofPeriod };
  const selection = await selectionOf(deps, session, spec, asked);
  const tables = new Map<string, KnownTable | undefined>();
  for (const [id, table] of modelTables(spec)) {
    tables.set(id, await findKnown(deps, table));
  }
  const quarantine = await findKnown(deps, opsTable(pipeline, 'quarantine'));
  const landed = await findNewFiles(deps, session, spec, { named, rejected: asked.retry !== undefined });
  const about = selectedOf({ spec, ...(selection && { selection }) });
  const waiting = new Map([...landed.waiting].filter(([id]) => about.models.some((model) => model.id === id)));
  const changes = tellApart(deps, about, tables, findChanges(about, tables));
  const lost = findLostLogs(about, tables);
  const existing = new Set([...tables].flatMap(([id, table]) => (table === undefined ? [] : [id])));
  const history = await findHistory(deps, session, pipeline, sourcesOfNew(about, existing));
  const due = modelsDue({ spec: about, existing, history, changes, lost }, asked);
  const taken = due.length === 0 ? undefined : await findTaken(deps, session, spec, takenFor(spec, due, existing));
  const removed = await findRemoved(deps, spec);
  const others = await pinOthers(deps, about);
  const ms = deps.clock.now().getTime() - started;
  const stale = findStale(about, tables, others);
  return {
    spec,
    ...landed,
    waiting,
    tables,
    quarantine,
    others,
    stale,
    changes,
    lost,
    removed,
    ...(selection && { selection }),
    ...(taken && { taken }),
    ms,
  };
}

/** Sources of tables that are not there. */
function sourcesOfNew({ sources, models }: PipelineSpec, existing: ReadonlySet<string>): readonly SourceSpec[] {
  const silver = models.filter((model): model is SilverModel => model.layer === 'silver');
  const needed = new Set(silver.filter(({ id }) => !existing.has(id)).map(({ from }) => from));
  return sources.filter(({ name }) => needed.has(name));
}

/** Throws InvalidInput for selectors that name nothing, and beside what runs no models as they stand. */
async function selectionOf(
  deps: StepDeps,
  session: Session,
  spec: PipelineSpec,
  asked: Asked,
): Promise<Selection | undefined> {
  const { select, exclude, rebuild, reprocess, retry } = asked;
  if (select === undefined && exclude === undefined) return ofBranch(spec, asked);
  if ((rebuild ?? reprocess ?? retry) !== undefined) {
    throw new InvalidInput(
      'select and exclude are for runs of models: a rebuild, a reprocessing and a retry name what they take',
    );
  }
  const selectors = { ...(select && { select }), ...(exclude && { exclude }) };
  const state = asksForState(selectors) ? await modelState(deps, session, spec) : undefined;
  return completeSelection(spec, selectors, state, inRun(spec, asked));
}

/** Undefined for a pipeline without branches, of which a run is about all. */
function ofBranch(spec: PipelineSpec, asked: Asked): Selection | undefined {
  if (spec.schedules === undefined) return undefined;
  return { models: spec.models.filter(inRun(spec, asked)).map(modelId), along: [] };
}

/**
 * Which models a run is about that selects none. What takes files again, or makes tables anew, does so for silver of any branch, as it
 * says itself what it takes; gold of a branch is the report of a period, and so for runs of that alone.
 */
function inRun({ schedules }: PipelineSpec, asked: Asked): (model: ModelSpec) => boolean {
  return ({ branch, layer }) =>
    schedules === undefined ||
    branch === undefined ||
    branch === asked.branch ||
    (layer === 'silver' && !isPlain(asked));
}

/** The pipeline as far as a run of it is about. */
export function selectedOf({ spec, selection }: Pick<Survey, 'spec' | 'selection'>): PipelineSpec {
  if (selection === undefined) return spec;
  return { ...spec, models: spec.models.filter(({ id }) => selection.models.includes(id)) };
}

/** A table that is there is made of what was taken for it; one that is not, of what was taken for any. */
export function takenFor(
  spec: PipelineSpec,
  due: readonly Pick<SilverModel, 'id' | 'name' | 'layer' | 'from'>[],
  existing: ReadonlySet<string>,
): readonly TakenFor[] {
  return due.map((model) => {
    const table = fullName(tableIdOf(spec, model));
    return { model: model.id, source: model.from, table, alone: existing.has(model.id) };
  });
}

/** By silver model: what a run reads, files that are taken again in the order in which runs took them, and what waits last. */
export function filesAnew({ taken, waiting }: Pick<Survey, 'taken' | 'waiting'>): Landed['waiting'] {
  if (taken === undefined) return waiting;
  return new Map(
    [...waiting].map(([model, fresh]) => {
      const before = taken.files.get(model);
      if (before === undefined) return [model, fresh];
      const known = new Set(before.map(nameOf));
      const last = fresh.filter((file) => !known.has(nameOf(file)));
      return [model, [...before, ...last.map((file) => ({ ...file, batch: taken.next.get(model) ?? 0 }))]];
    }),
  );
}

function nameOf(file: LandedFile): string {
  return `${file.etag} ${objectName(file)}`;
}

async function findKnown(deps: StepDeps, table: TableId): Promise<KnownTable | undefined> {
  const entry = await loadTable(deps.catalog, table);
  return entry && { metadata: entry.metadata, location: entry.metadataLocation };
}

/** By id: all tables that a run looks at. */
export function statesOf({
  tables,
  others,
}: Pick<Survey, 'tables' | 'others'>): ReadonlyMap<string, TableMetadata | undefined> {
  return new Map([...tables, ...others].map(([id, table]) => [id, table?.metadata]));
}

/** A pipeline without a table has nothing to compute gold from but tables of others. */
function findStale(
  about: PipelineSpec,
  tables: Survey['tables'],
  others: Survey['others'],
): ReadonlyMap<string, string> {
  const states = statesOf({ tables, others });
  const empty = [...tables.values()].every((table) => table === undefined);
  const stale = new Map<string, string>();
  for (const model of about.models) {
    if (model.layer !== 'gold' || (empty && model.reads.every(({ pipeline }) => pipeline === undefined))) continue;
    const reason = goldReason(about, model, states);
    if (reason !== undefined) stale.set(model.id, reason);
  }
  return stale;
}
