import { createHash } from 'node:crypto';
import type { ColumnOrigins } from '../core/column-origins.ts';
import type { Descriptions } from '../core/described.ts';
import { InvalidInput } from '../core/errors.ts';
import { type ModelSpec, modelId, type PipelineSpec, type SourceSpec, type TableRef } from '../core/spec.ts';
import type { Session } from '../ports.ts';
import { addRowIdColumn } from '../sql/bind.ts';
import { assemble, type BoundPipeline } from './assemble.ts';
import { bindModel, bindRowId, bindSource } from './bind.ts';
import { closeAfterOf } from './close-after.ts';
import { columnOriginsOf } from './column-origins.ts';
import type { Binding } from './conditions.ts';
import { checkContractValues } from './contract-values.ts';
import { describedOf } from './described.ts';
import type { BoundModel, ParsedModel, PipelineDraft, SourceDraft } from './draft.ts';
import { checkPlaces } from './export-shape.ts';
import { loadFunctions } from './functions.ts';
import { bindTexts, othersOf, readsOf } from './implementations/bind.ts';
import { goldSpec, readingOf } from './implementations/gold-spec.ts';
import { type ColumnsOf, dimensionJoins } from './joins.ts';
import { resolveMode } from './keyed-checks.ts';
import { findCircles, levelsOf } from './levels.ts';
import { createNotes, type Notes } from './notes.ts';
import { bindOthers, checkAfter, noOthers, type Pipelines, unbindOthers } from './other-pipelines.ts';
import { knowingFunctions } from './own-functions.ts';
import { type ModelContext, type PipelineFiles, parseTexts } from './parse-models.ts';
import { personalColumns, personalTables } from './personal.ts';
import { readPipeline } from './pipeline-shape.ts';
import { checkPromote } from './promote-shape.ts';
import { checkReader } from './reader-checks.ts';
import { renamedOf } from './renamed.ts';
import { selectsAll } from './row-id.ts';
import { branchFor, checkBranches, checkJoinedBranches } from './schedules-shape.ts';
import { readSeeds } from './seeds.ts';
import { checkServe } from './serve-shape.ts';
import { checkSourceUse } from './source-use.ts';
import { dropSchemas, resetSchemas } from './statements.ts';
import { checkTable } from './table-checks.ts';
import { bindVariables, refusingUnknown } from './vars.ts';

export type { Pipelines } from './other-pipelines.ts';
export type { PipelineFiles } from './parse-models.ts';

export type CompileInput = {
  /** What the pipeline file exports by default. */
  readonly definition: unknown;
  /** The name of the pipeline's folder, which must be the pipeline's name. */
  readonly folder: string;
  readonly files: PipelineFiles;
  /** The pipeline file as problems show it, such as `pipelines/retail/pipeline.ts`; SQL files are shown beside it. */
  readonly file: string;
  /** Used for parsing and binding: its schemas batch, silver, gold and mapped are replaced, and gone afterwards. */
  readonly session: Session;
  /** Path of a file of no bytes, on which every source's reader is tried. */
  readonly empty: string;
  /** The pipelines that gold may read and that this one may follow; left out: there are none. */
  readonly pipelines?: Pipelines;
};

/**
 * Turns what a user wrote into a PipelineSpec: shape, names, contracts, SQL, order, columns, expectations.
 * Throws InvalidInput with every problem found, each with file, place, got and expected.
 */
export async function compilePipeline(input: CompileInput): Promise<PipelineSpec> {
  const notes = createNotes(input.file);
  const read = readPipeline(input.definition, input.folder, notes);
  const draft = read && { ...read, sources: await readSeeds(read.sources, input.files, notes) };
  try {
    const bound = draft === undefined ? undefined : await bindPipeline(draft, input, notes);
    if (draft !== undefined && bound !== undefined && notes.found.length === 0) return assemble(draft, bound);
  } finally {
    await dropSchemas(input.session);
  }
  const count = `${notes.found.length} problem${notes.found.length === 1 ? '' : 's'}`;
  throw new InvalidInput(`pipeline ${input.folder} has ${count}:`, notes.found);
}

/** Everything that needs SQL. */
async function bindPipeline(draft: PipelineDraft, input: CompileInput, notes: Notes): Promise<BoundPipeline> {
  checkSourceUse(draft, notes);
  checkBranches({ ...draft, declared: draft.declared.branches }, notes);
  checkPlaces(draft.models, notes);
  const pipelines = input.pipelines ?? noOthers(draft.name);
  await checkAfter(draft.after, pipelines, notes);
  await resetSchemas(input.session);
  await bindVariables(input.session, draft.vars, notes);
  const { session, isDated, isFolding, forget } = knowingFunctions(refusingUnknown(input.session, draft.vars));
  const binding: Binding = { session, functions: await loadFunctions(session), vars: draft.vars, notes };
  const sources = await bindSources(binding, draft, input.empty);
  const parsed = await parseModels(draft, { ...input, session, pipelines, notes });
  checkJoinedBranches(parsed, sources, notes);
  const named = [...parsed.values()].flatMap((model) =>
    othersOf(model).map((other) => [modelId(other), other] as const),
  );
  const others = [...new Map(named.sort(([a], [b]) => (a < b ? -1 : 1))).values()];
  await bindOthers(input.session, others);
  try {
    const models = await bindTables(binding, parsed, { sources, draft });
    const closes = [...models.values()].some((model) => model.layer === 'silver' && model.closeAfter !== undefined);
    return { models, others, dated: isDated() || closes, folds: isFolding() };
  } finally {
    await unbindOthers(input.session, others);
    await forget();
  }
}

async function bindTables(
  binding: Binding,
  parsed: ReadonlyMap<string, ParsedModel>,
  { sources, draft }: { readonly sources: ReadonlyMap<string, SourceDraft>; readonly draft: PipelineDraft },
): Promise<ReadonlyMap<string, ModelSpec>> {
  const bound = await bindModels(binding, parsed, sources);
  for (const model of bound.values()) await checkTable(binding, model);
  for (const name of sources.keys()) await binding.session.run(addRowIdColumn(name));
  const specs = new Map<string, ModelSpec>();
  const columnsOf: ColumnsOf = (id) => bound.get(id)?.tableColumns?.map((column) => column.name) ?? [];
  checkServe(draft.serve, [...parsed.keys()], columnsOf, binding.notes);
  checkPromote(draft.promote, [...parsed.keys()], (id) => bound.get(id)?.tableColumns ?? [], binding.notes);
  for (const [id, model] of bound) {
    if (!model.sound) continue;
    const source = sources.get(model.parsed.draft.from ?? '')?.spec;
    const texts = model.texts === undefined ? [model] : [...model.texts.values()];
    const personal = [...new Set(texts.flatMap((text) => personalOf(text, sources, specs)))];
    const origins = (one: BoundModel) => columnOriginsOf(one, sources, bound, binding.functions);
    const described = (from: ColumnOrigins) => describedOf(model, from, sources, specs);
    const spec = await modelSpec(binding, model, { columnsOf, source, personal, origins, described });
    if (spec !== undefined) specs.set(id, spec);
  }
  return specs;
}

/** By what the model says of itself, and by what it reads; `specs` are of the models before it. */
function personalOf(
  { parsed, columns }: BoundModel,
  sources: ReadonlyMap<string, SourceDraft>,
  specs: ReadonlyMap<string, ModelSpec>,
): readonly string[] {
  const { draft, tree, others } = parsed;
  if (draft.ref.layer === 'gold' && draft.personal !== undefined) return draft.personal;
  const found = personalColumns(
    tree,
    columns.map(({ name }) => name),
    personalTables(sources, specs, others),
  );
  return [...new Set([...found, ...(draft.personal ?? [])])];
}

async function bindSources(
  binding: Binding,
  draft: PipelineDraft,
  empty: string,
): Promise<ReadonlyMap<string, SourceDraft>> {
  const bound = new Map<string, SourceDraft>();
  for (const source of draft.sources) {
    const known = source.sound && (await bindSource(binding, source));
    await checkContractValues(binding, source, known);
    if (!known) continue;
    bound.set(source.spec.name, source);
    const doubtful = binding.notes.found.some(({ place }) => place.startsWith(source.place));
    if (!doubtful) await checkReader(binding, source, empty);
  }
  return bound;
}

async function parseModels(draft: PipelineDraft, context: ModelContext): Promise<ReadonlyMap<string, ParsedModel>> {
  const parsed = new Map<string, ParsedModel>();
  for (const model of draft.models) {
    const one = await parseTexts(model, draft, context);
    if (one !== undefined) parsed.set(model.id, one);
  }
  return parsed;
}

/** Binds each model after those it reads. A model in or behind a circle, or behind a broken one, is left out. */
async function bindModels(
  binding: Binding,
  parsed: ReadonlyMap<string, ParsedModel>,
  sources: ReadonlyMap<string, SourceDraft>,
): Promise<ReadonlyMap<string, BoundModel>> {
  const readers = new Map([...parsed].map(([id, model]) => [id, { ref: model.draft.ref, reads: readsOf(model) }]));
  const circles = findCircles(readers);
  for (const circle of circles) {
    const place = parsed.get(circle[0] ?? '')?.draft.place ?? 'silver';
    binding.notes.add(place, `the circle ${circle.join(' -> ')}`, 'models that do not wait for each other');
  }
  for (const id of circles.flat()) readers.delete(id);
  const bound = new Map<string, BoundModel>();
  for (const id of levelsOf(readers).flat()) {
    const model = parsed.get(id);
    const ready = ({ pipeline, ...own }: TableRef): boolean =>
      pipeline !== undefined || bound.get(modelId(own))?.tableColumns !== undefined;
    if (model === undefined || !readsOf(model).every(ready)) continue;
    const source = sources.get(model.draft.from ?? '');
    if (model.draft.from !== null && source === undefined) continue;
    const read = [
      ...readsOf(model).flatMap((ref) => bound.get(modelId(ref))?.tableColumns ?? []),
      ...othersOf(model).flatMap(({ columns }) => columns),
    ];
    const first = await bindModel(binding, model, source, read);
    const one = first && (await bindTexts(binding, first, read));
    if (one !== undefined) bound.set(id, one);
  }
  return bound;
}

type Known = {
  readonly columnsOf: ColumnsOf;
  readonly source: SourceSpec | undefined;
  readonly personal: readonly string[];
  readonly origins: (one: BoundModel) => ColumnOrigins;
  readonly described: (from: ColumnOrigins) => Descriptions | undefined;
};

async function modelSpec(
  binding: Binding,
  model: BoundModel,
  { columnsOf, source, personal, origins, described }: Known,
): Promise<ModelSpec | undefined> {
  const { draft, tree } = model.parsed;
  const renamed = renamedOf(draft.renamed, source, model.columns);
  const branch = branchFor(draft, source);
  const made = readingOf(binding, model, origins);
  const said = described(made.origins);
  const common = {
    id: draft.id,
    name: draft.ref.name,
    sqlFile: made.sqlFile,
    columns: model.columns,
    reads: made.reads,
    partitionBy: draft.partitionBy.map(({ field }) => field),
    sortBy: draft.sortBy,
    expect: draft.expect,
    description: draft.description,
    origins: made.origins,
    ...(said === undefined ? {} : { described: said }),
    ...(renamed === undefined ? {} : { renamed }),
    ...(draft.zorderBy.length === 0 ? {} : { zorderBy: draft.zorderBy }),
    ...(personal.length === 0 ? {} : { personal }),
    ...(branch === undefined ? {} : { branch }),
    ...(draft.tags.length === 0 ? {} : { tags: draft.tags }),
    ...(draft.owner === undefined ? {} : { owner: draft.owner }),
    ...(draft.tier === undefined ? {} : { tier: draft.tier }),
    ...(draft.exports.length === 0 ? {} : { exports: draft.exports }),
    ...(made.vars === undefined ? {} : { vars: made.vars }),
  };
  if (draft.from === null) {
    return goldSpec(binding, model, common, origins);
  }
  const numbered = await bindRowId(binding, model);
  if (numbered === undefined) return undefined;
  const joins = dimensionJoins(tree, made.reads, columnsOf);
  const closeAfter = closeAfterOf(model, binding.notes);
  return {
    ...common,
    layer: 'silver',
    sql: numbered,
    from: draft.from,
    mode: resolveMode(draft.mode, model.columns),
    metadata: draft.metadata,
    joins,
    selectsAll: selectsAll(tree),
    ...(closeAfter === undefined ? {} : { closeAfter }),
    ...(draft.backfill === 'never' ? { backfill: draft.backfill } : {}),
    written: hashText(model.parsed.sql.trim()),
  };
}

function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
