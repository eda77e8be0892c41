import type { Skipped } from '../core/objects.ts';
import type { LandedFile, NamedFile } from '../core/run.ts';
import type { ServeSpec } from '../core/serve.ts';
import {
  type GoldModel,
  modelId,
  type PipelineSettings,
  type PipelineSpec,
  type SilverModel,
  type SourceSpec,
} from '../core/spec.ts';
import { fullName, type RemovedTable } from '../core/tables.ts';
import { type VarValues, valuesOf } from '../core/vars.ts';
import { type AfterRun, explainAfter, type Leaving } from './after-run.ts';
import { type ExplainedSource, explainSource } from './explain-source.ts';
import { type ExplainedText, explainTexts } from './explain-texts.ts';
import type { OnRung } from './ladder/explained-rung.ts';
import type { Selection } from './select-models.ts';
import { countUnits, packPartitions, parsedBytesOf } from './stage-units.ts';
import { actionOf, type TableAction } from './table-action.ts';
import { type ChangeKind, doneTo, staysAsItIs, type TableChange } from './table-changes.ts';

export type { ExplainedSource } from './explain-source.ts';
export type { TableAction } from './table-action.ts';

/** Of a PipelineSpec, what says which table is written when. */
export type Outline = {
  readonly name: string;
  readonly settings: Pick<PipelineSettings, 'unitBytes'>;
  readonly sources: readonly (Pick<SourceSpec, 'name'> & Partial<Pick<SourceSpec, 'key'>>)[];
  readonly vars?: PipelineSpec['vars'];
  readonly models: readonly (Silver | Gold)[];
  readonly levels: readonly (readonly string[])[];
  readonly serve?: ServeSpec;
};

type Shared = 'id' | 'name' | 'layer' | 'reads' | 'exports';
type Silver = Pick<SilverModel, Shared | 'from' | 'mode'>;
type Gold = Pick<GoldModel, Shared | 'refresh' | 'implementations'>;

/** What a run would find, without what it would need to do it. */
export type Outlook = Pick<Leaving, 'branch' | 'behind'> & {
  readonly spec: Outline;
  /** By source: the files that a run would take. */
  readonly waiting: ReadonlyMap<string, readonly LandedFile[]>;
  /** By silver model, where tables of a source would take different ones. */
  readonly files?: ReadonlyMap<string, readonly LandedFile[]>;
  /** Ids of the models whose tables exist. */
  readonly existing: ReadonlySet<string>;
  /** Gold models that are out of date already, with the reason. */
  readonly stale: ReadonlyMap<string, string>;
  /**
   * Of the stale ones, those of which only some partitions are out of date: these partitions, as partition paths
   * (`day_month=2026-01`).
   */
  readonly touched: ReadonlyMap<string, readonly string[]>;
  /** The unfinished run that the next run resumes before its own work. */
  readonly unfinished: string | null;
  /** Names in bronze that are no files of a source, or that cannot be read. */
  readonly skipped: Skipped;
  /** Files that no run takes until they are retried. */
  readonly suspended?: readonly NamedFile[];
  /** Left out: all models run. */
  readonly selection?: Selection;
  /** How models differ from what made their tables. */
  readonly changes?: readonly TableChange[];
  /** By the id of a model at whose change a run stops: what can be done. */
  readonly refused?: ReadonlyMap<string, string>;
  /** Ids of the keyed models whose tables are there without their logs. */
  readonly lost?: ReadonlySet<string>;
  /** Ids of the silver models whose tables are made anew from all that has landed; it is among their files. */
  readonly due?: ReadonlySet<string>;
  /** By the id of a keyed model whose table a run writes anew in more buckets: how many it has, and gets. */
  readonly growing?: ReadonlyMap<string, readonly [from: number, to: number]>;
  /** Tables of models that the pipeline no longer has. */
  readonly removed?: readonly RemovedTable[];
};

/** What a run would do. Bytes are what workers will parse, with compressed files estimated at their plain size. */
export type Explanation = AfterRun & {
  readonly pipeline: string;
  readonly status: 'WORK' | 'NOTHING_TO_DO';
  readonly resumes: string | null;
  readonly suspended: readonly NamedFile[];
  /**
   * How tables that are there follow what has changed in the pipeline, tables that are new to a source's history, and those
   * of models that are gone.
   */
  readonly changes: readonly ExplainedChange[];
  /** Null: all models run. */
  readonly selected: Selection | null;
  /** The values of the pipeline's variables. */
  readonly vars: VarValues;
  /** Of tables that one of several texts makes: which, and why; left out where none is. */
  readonly texts?: readonly ExplainedText[];
  readonly sources: readonly ExplainedSource[];
  readonly skipped: Skipped;
  /** Levels with work only; numbered as in the pipeline, from 0. */
  readonly levels: readonly { readonly level: number; readonly tables: readonly ExplainedTable[] }[];
};

export type ExplainedChange = {
  readonly table: string;
  readonly kind: ChangeKind | 'removed';
  readonly what: readonly string[];
  /** What will be done, or the choice where the run is refused. */
  readonly does: string;
  readonly refused: boolean;
  /** Of a table that no model makes any more: what there is to lose. */
  readonly rows?: number;
  readonly bytes?: number;
};

export type ExplainedTable = OnRung & {
  readonly table: string;
  readonly action: TableAction;
  readonly reason: string;
  readonly units: number;
  /** Null for gold: it reads tables, some of which this run has yet to write. */
  readonly estimated_bytes: number | null;
  /** For gold that is computed again in parts; null for a whole table, and for silver. */
  readonly partitions: ExplainedPartitions | null;
};

/**
 * `known`: partitions, as paths, that changes already in the lake touch. `of_new_rows`: those that this run's rows touch
 * come on top; which these are shows only once the rows are there.
 */
export type ExplainedPartitions = { readonly known: readonly string[]; readonly of_new_rows: boolean };

/**
 * Explains a run before it happens, by the same rules and the same packing that plan it. What a silver batch turns out
 * to hold is not known yet: gold is named wherever a table that it reads would be written, also if every row should
 * prove to be a duplicate.
 */
export function explainRun(outlook: Outlook): Explanation {
  const sources = outlook.spec.sources.map(({ name }) => explainSource(name, outlook.waiting.get(name) ?? []));
  const texts = explainTexts(outlook.spec);
  const checks = (outlook.changes ?? []).some(staysAsItIs);
  const work = sources.some((source) => source.files > 0) || outlook.stale.size > 0 || checks;
  const { levels, written } = work ? explainLevels(outlook) : { levels: [], written: new Set<string>() };
  const after = explainAfter(outlook, written);
  return {
    pipeline: outlook.spec.name,
    status: work || outlook.unfinished !== null || after.serves !== undefined ? 'WORK' : 'NOTHING_TO_DO',
    resumes: outlook.unfinished,
    suspended: outlook.suspended ?? [],
    changes: [...explainChanges(outlook), ...(outlook.removed ?? []).map(explainRemoved)],
    selected: outlook.selection ?? null,
    vars: valuesOf(outlook.spec.vars),
    ...(texts.length === 0 ? {} : { texts }),
    sources,
    skipped: outlook.skipped,
    levels,
    ...after,
  };
}

function explainChanges(outlook: Outlook): readonly ExplainedChange[] {
  const { spec, changes = [], refused = new Map<string, string>(), lost } = outlook;
  return spec.models.flatMap((model): readonly ExplainedChange[] => {
    const table = tableName(spec, model);
    const own = changes.filter((one) => one.model === model.id);
    const anew = isAnew(outlook, model);
    if (own.length === 0) {
      const what = outlook.existing.has(model.id)
        ? lost?.has(model.id)
          ? 'its log is not there'
          : undefined
        : 'a new table';
      if (!anew || what === undefined) return [];
      const choice = refused.get(model.id);
      const does = choice === undefined ? ANEW : `refused; ${choice}`;
      return [{ table, kind: 'backfill', what: [what], does, refused: choice !== undefined }];
    }
    return own.map(({ kind, what }) => {
      const stays = staysAsItIs({ kind });
      const choice = stays ? undefined : refused.get(model.id);
      if (choice !== undefined) return { table, kind, what, does: `refused; ${choice}`, refused: true };
      return { table, kind, what, does: anew && !stays ? ANEW : doneTo(model, table, kind), refused: false };
    });
  });
}

function explainRemoved({ table, rows, bytes }: RemovedTable): ExplainedChange {
  const does = `left as it is; strata drop ${table} removes it`;
  return { table, kind: 'removed', what: ['no model makes it any more'], does, refused: false, rows, bytes };
}

const ANEW = 'made anew from all that has landed';
function isAnew({ due }: Outlook, model: Silver | Gold): boolean {
  return due?.has(model.id) === true;
}

function explainLevels(outlook: Outlook): Pick<Explanation, 'levels'> & { readonly written: ReadonlySet<string> } {
  const written = new Set<string>();
  const levels = outlook.spec.levels.map((ids, level) => {
    const tables = outlook.spec.models
      .filter((model) => ids.includes(model.id) && outlook.selection?.models.includes(model.id) !== false)
      .flatMap((model) => {
        const explained =
          model.layer === 'silver' ? explainSilver(outlook, model) : explainGold(outlook, model, written);
        if (explained !== undefined) written.add(model.id);
        return explained ?? explainCheck(outlook, model) ?? [];
      });
    return { level, tables };
  });
  return { levels: levels.filter((level) => level.tables.length > 0), written };
}

function explainSilver(outlook: Outlook, model: Silver): ExplainedTable | undefined {
  const files = outlook.files?.get(model.id) ?? outlook.waiting.get(model.from) ?? [];
  const exists = outlook.existing.has(model.id);
  if (files.length === 0 && exists) return undefined;
  return {
    table: tableName(outlook.spec, model),
    action: !exists ? 'create' : isAnew(outlook, model) ? 'replace' : actionOf(model),
    reason: isAnew(outlook, model)
      ? ANEW
      : files.length === 0
        ? 'the table does not exist yet'
        : `new files of ${model.from}${growthOf(outlook, model)}`,
    units: countUnits(outlook.spec, model, files),
    estimated_bytes: parsedBytesOf(files),
    partitions: null,
  };
}

function growthOf({ growing }: Outlook, { id }: Silver): string {
  const [from, to] = growing?.get(id) ?? [];
  return from === undefined
    ? ''
    : `; all of it is written anew, in ${to} buckets, for it has outgrown the ${from} of before`;
}

/** One that is written is checked as it comes to be, and described. */
function explainCheck({ spec, changes = [] }: Outlook, model: Silver | Gold): ExplainedTable | undefined {
  const due = changes.filter((one) => staysAsItIs(one) && one.model === model.id);
  if (due.length === 0) return undefined;
  return {
    table: tableName(spec, model),
    action: due.some(({ kind }) => kind === 'check') ? 'check' : 'describe',
    reason: due.flatMap(({ what }) => what).join(', '),
    ...{ units: 0, estimated_bytes: model.layer === 'silver' ? 0 : null },
    partitions: null,
  };
}

function explainGold(outlook: Outlook, model: Gold, written: ReadonlySet<string>): ExplainedTable | undefined {
  const changing = model.reads.map(modelId).filter((id) => written.has(id));
  const stale = outlook.stale.get(model.id);
  const exists = outlook.existing.has(model.id);
  if (changing.length === 0 && exists && stale === undefined) return undefined;
  const becauseOfInputs = exists ? `this run writes ${changing.join(', ')}` : 'the table does not exist yet';
  const partitions = exists ? partitionsOf(outlook, model, changing) : null;
  const units = packPartitions(partitions === null ? null : partitions.known).length;
  return {
    table: tableName(outlook.spec, model),
    action: !exists ? 'create' : partitions === null ? 'replace' : 'replace partitions',
    reason: stale ?? becauseOfInputs,
    units: partitions?.of_new_rows ? Math.max(1, units) : units,
    estimated_bytes: null,
    partitions,
  };
}

/** Another input that changes, or a change of the model itself, means the whole table. */
function partitionsOf(outlook: Outlook, model: Gold, changing: readonly string[]): ExplainedPartitions | null {
  const { refresh } = model;
  if (refresh.kind === 'full') return null;
  const driver = modelId(refresh.driver);
  if (changing.some((id) => id !== driver)) return null;
  const known = outlook.stale.has(model.id) ? outlook.touched.get(model.id) : [];
  return known === undefined ? null : { known, of_new_rows: changing.includes(driver) };
}

function tableName(spec: Outline, model: Silver | Gold): string {
  return fullName({ pipeline: spec.name, layer: model.layer, name: model.name });
}
