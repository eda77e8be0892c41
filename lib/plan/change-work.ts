import { isKeyed, LOG_SUFFIX } from '../core/keyed.ts';
import { NONE_SKIPPED } from '../core/objects.ts';
import type { LandedFile } from '../core/run.ts';
import type { ModelSpec, PipelineSpec } from '../core/spec.ts';
import { fullName } from '../core/tables.ts';
import { type CostOptions, estimateRun } from './cost.ts';
import { type ExplainedChange, explainRun, type Outlook } from './explain.ts';
import { mergeBytes } from './merge-units.ts';
import { MOST_UNITS } from './one-call.ts';
import { PLANNED } from './run-shape.ts';
import { type RunWork, type Size, workOf } from './run-work.ts';
import { selectModels } from './select-models.ts';

/** What it takes to make a table anew that a change is about, with what is made from it. */
export type ChangeWork = {
  /** Full names of the tables that are made from it, in the order of the pipeline. */
  readonly downstream: readonly string[];
  /** What it is made anew from: landed files, or data files of other tables or of its log. */
  readonly files: number;
  readonly bytes: number;
  /** On AWS, as for a run of this alone. */
  readonly seconds: number;
  readonly usd: number;
};

export type ChangeFacts = {
  readonly spec: PipelineSpec;
  readonly existing: Outlook['existing'];
  /** By source: all that has landed, as far as a change needs it. */
  readonly landed: ReadonlyMap<string, readonly LandedFile[]>;
  /** Of the tables that exist, by full name. */
  readonly sizes: ReadonlyMap<string, Size>;
  readonly cost: CostOptions;
};

/** Null where no row is made anew for a change. */
export function workOfChange(change: Pick<ExplainedChange, 'table' | 'kind'>, facts: ChangeFacts): ChangeWork | null {
  const { spec } = facts;
  const model = spec.models.find((one) => nameOf(spec, one) === change.table);
  if (model === undefined || (change.kind !== 'backfill' && change.kind !== 'recompute')) return null;
  const fromLog = change.kind === 'recompute' && isKeyed(model);
  const named = new Set(selectModels(spec, { select: [`${model.id}+`] }));
  const below = spec.models.filter(({ id }) => id !== model.id && named.has(id));
  const work = fromLog ? workFromLog(model, below, facts) : workFromInputs(model, below, facts);
  const { seconds, usd } = estimateRun(work, spec.compute, facts.cost);
  return { downstream: below.map((one) => nameOf(spec, one)), ...readFor(model, fromLog, facts), seconds, usd };
}

function readFor(model: ModelSpec, fromLog: boolean, { spec, landed, sizes }: ChangeFacts): Size {
  if (fromLog)
    return addSizes([nameOf(spec, model), `${nameOf(spec, model)}${LOG_SUFFIX}`].map((name) => sizes.get(name)));
  if (model.layer === 'gold') {
    const inputs = model.reads.map((ref) =>
      fullName({ pipeline: ref.pipeline ?? spec.name, layer: ref.layer, name: ref.name }),
    );
    return addSizes(inputs.map((name) => sizes.get(name)));
  }
  const files = landed.get(model.from) ?? [];
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}

/** As a run would be explained that makes this table, which is not there yet, and those below it. */
function workFromInputs(model: ModelSpec, below: readonly ModelSpec[], facts: ChangeFacts): RunWork {
  const { spec, existing, landed, sizes } = facts;
  const from = model.layer === 'silver' ? model.from : undefined;
  const own = nameOf(spec, model);
  const there = new Set([...existing].filter((id) => id !== model.id));
  const outlook = {
    ...outlookOf(spec, [model, ...below]),
    waiting: new Map([...landed].filter(([source]) => source === from)),
    existing: there,
    stale: new Map(model.layer === 'gold' ? [[model.id, 'it has changed']] : []),
  };
  const others = [...sizes].filter(([name]) => name !== own && name !== `${own}${LOG_SUFFIX}`);
  return workOf(spec, explainRun(outlook), new Map(others));
}

/** A merge of the log into the table, and those below it. */
function workFromLog(model: ModelSpec, below: readonly ModelSpec[], facts: ChangeFacts): RunWork {
  const { spec, existing, sizes } = facts;
  const read = readFor(model, true, facts);
  const stale = new Map(
    below.filter(({ layer }) => layer === 'gold').map(({ id }) => [id, 'what it reads is made anew']),
  );
  const outlook = { ...outlookOf(spec, below), waiting: new Map(), existing, stale };
  const after = workOf(spec, explainRun(outlook), sizes);
  const level = spec.levels.findIndex((ids) => ids.includes(model.id));
  const units = Math.max(1, Math.ceil(read.bytes / mergeBytes(spec.settings)));
  return {
    ...after,
    tables: after.tables + 2,
    existing: after.existing + 2,
    reads: after.reads + read.files,
    levels: after.levels.map(({ stage, merge, within = PLANNED }, at) =>
      at === level
        ? {
            stage,
            merge: [...merge, { kind: 'merge', units, bytes: read.bytes }],
            within: units <= MOST_UNITS ? within : within.filter((step) => step !== 'Merge' && step !== 'Audit'),
          }
        : { stage, merge, within },
    ),
  };
}

function outlookOf(spec: PipelineSpec, models: readonly ModelSpec[]): Omit<Outlook, 'waiting' | 'existing' | 'stale'> {
  const ids = new Set(models.map(({ id }) => id));
  const of = spec.models.filter(({ id }) => ids.has(id));
  return { spec: { ...spec, models: of }, touched: new Map(), unfinished: null, skipped: NONE_SKIPPED };
}

function addSizes(sizes: readonly (Size | undefined)[]): Size {
  const add = (a: Size, b: Size | undefined): Size => ({
    files: a.files + (b?.files ?? 0),
    bytes: a.bytes + (b?.bytes ?? 0),
  });
  return sizes.reduce<Size>(add, { files: 0, bytes: 0 });
}

function nameOf(spec: Pick<PipelineSpec, 'name'>, { layer, name }: Pick<ModelSpec, 'layer' | 'name'>): string {
  return fullName({ pipeline: spec.name, layer, name });
}
