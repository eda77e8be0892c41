import { LOG_SUFFIX } from '../core/keyed.ts';
import { modelId, type OtherTable, type TableRef } from '../core/spec.ts';
import { didYouMean, oneOf } from '../core/suggest.ts';
import type { Session } from '../ports.ts';
import { selectBatch } from '../sql/bind.ts';
import { offsetOf, placeOfOffset, statementsOf } from '../sql/tree.ts';
import type { ModelDraft, ParsedModel, ParsedText, PipelineDraft } from './draft.ts';
import { sqlFault } from './engine-errors.ts';
import { foreignIn } from './functions.ts';
import { isKeyed } from './keyed-checks.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { findOtherTable, nameInModels, type Pipelines } from './other-pipelines.ts';
import { type NamedTable, showTable, tablesIn } from './references.ts';

/** The pipeline's own files, by path relative to its folder; `undefined` where there is none. */
export type PipelineFiles = { read(path: string): Promise<string | undefined> };

const ONLY_SELECT = 'one SELECT; a PIVOT goes into its FROM: select * from silver.x pivot (...)';

export type ModelContext = {
  readonly files: PipelineFiles;
  readonly file: string;
  readonly session: Session;
  readonly notes: Notes;
  readonly pipelines: Pipelines;
};

/** Reads and parses one model's SQL and finds what it reads; `undefined` when a problem keeps it from being bound. */
export async function parseModel(
  model: ModelDraft,
  pipeline: PipelineDraft,
  context: ModelContext,
): Promise<ParsedModel | undefined> {
  const { session } = context;
  const known = model.from === null || pipeline.declared.sources.includes(model.from);
  if (!model.sound || (model.sqlFile === null && !known)) return undefined;
  const file = model.sqlFile === null ? context.file : beside(context.file, model.sqlFile);
  const sql = await modelSql(model, context);
  if (sql === undefined) return undefined;
  const notes = context.notes.inFile(file);
  try {
    const tree = await session.parse(sql);
    const statements = statementsOf(tree);
    if (statements.length !== 1) {
      notes.add('line 1', statements.length === 0 ? 'no statement' : `${statements.length} statements`, 'one SELECT');
      return undefined;
    }
    const before = notes.found.length;
    noteTableFunctions(tree, sql, notes);
    const around = { pipeline, pipelines: context.pipelines, notes };
    const read = await readTables(tablesIn(tree), sql, model, around);
    return notes.found.length === before ? { draft: model, file, sql, tree, ...read } : undefined;
  } catch (error) {
    const fault = sqlFault(error, 'parse', 'one SELECT in DuckDB SQL');
    if (/^Only SELECT statements/.test(fault.got)) notes.add('line 1', 'a statement other than SELECT', ONLY_SELECT);
    else notes.add(fault.place ?? 'line 1', fault.got, fault.expected);
    return undefined;
  }
}

/** Reads and parses a model, and each of its texts where it has several. */
export async function parseTexts(
  model: ModelDraft,
  pipeline: PipelineDraft,
  context: ModelContext,
): Promise<ParsedModel | undefined> {
  const first = await parseModel(model, pipeline, context);
  if (model.texts === undefined || !model.sound) return first;
  const texts: ParsedText[] = [];
  for (const text of model.texts.texts) {
    const one = { ...model, sqlFile: text.file, texts: undefined };
    const same = text.engine === undefined && text.file === model.sqlFile;
    const parsed = same ? first : text.engine === undefined ? await parseModel(one, pipeline, context) : undefined;
    const sql = text.engine === undefined ? parsed?.sql : await modelSql(one, context);
    if (sql !== undefined) texts.push({ ...text, sql, parsed });
  }
  return first === undefined || texts.length < model.texts.texts.length ? undefined : { ...first, texts };
}

function beside(file: string, path: string): string {
  return file.slice(0, file.lastIndexOf('/') + 1) + path;
}

/** The SQL without a semicolon at its end, or the default of a silver model. */
async function modelSql(
  model: ModelDraft,
  { files, notes, file }: { readonly files: PipelineFiles; readonly notes: Notes; readonly file: string },
): Promise<string | undefined> {
  if (model.sqlFile === null) return selectBatch(model.from ?? '');
  const text = await files.read(model.sqlFile);
  const sql = text?.replace(/^\uFEFF/, '').replace(/[\s;]+$/, '');
  if (sql === undefined)
    notes.add(
      placeIn(model.place, 'sql'),
      `${showValue(model.sqlFile)}, which is not there`,
      `a file at ${beside(file, model.sqlFile)}`,
    );
  else if (sql.trim() === '') notes.inFile(beside(file, model.sqlFile)).add('line 1', 'no statement', 'one SELECT');
  // Runs write the SQL in brackets, which a comment at its end would swallow.
  else return /--[^\n]*$/.test(sql) ? `${sql}\n` : sql;
  return undefined;
}

/** Files and the engine's catalog are not tables of the lake: what they hold has no lineage and no snapshot. */
function noteTableFunctions(tree: Parameters<typeof tablesIn>[0], sql: string, notes: Notes): void {
  for (const { node, called } of foreignIn(tree)) {
    notes.add(placeOfOffset(sql, offsetOf(node)), called, 'tables of this pipeline: a file is landed as a source');
  }
}

type Around = { readonly pipeline: PipelineDraft; readonly pipelines: Pipelines; readonly notes: Notes };

async function readTables(
  tables: readonly NamedTable[],
  sql: string,
  model: ModelDraft,
  around: Around,
): Promise<Pick<ParsedModel, 'reads' | 'readsLogs' | 'others'>> {
  const { pipeline, pipelines, notes } = around;
  const reads = new Map<string, TableRef>();
  const logs = new Map<string, TableRef>();
  const others = new Map<string, OtherTable>();
  for (const table of tables) {
    if (isOther(table, model, pipeline)) {
      const other = await findOtherTable(pipelines, table);
      if ('got' in other) notes.add(placeOfOffset(sql, table.offset), other.got, other.expected);
      else others.set(modelId(other), other);
      continue;
    }
    const name = { schema: table.schema.toLowerCase(), table: table.table.toLowerCase() };
    const expected = expectedTable(name.schema, name.table, model, around, table.catalog);
    if (expected !== undefined) notes.add(placeOfOffset(sql, table.offset), showTable(table), expected);
    else if (name.schema !== 'batch') {
      const ref: TableRef = { layer: name.schema === 'gold' ? 'gold' : 'silver', name: withoutLog(name.table) };
      reads.set(modelId(ref), ref);
      if (ref.name !== name.table) logs.set(modelId(ref), ref);
    }
  }
  const foreign = [...others.values()].map(({ pipeline, layer, name }): TableRef => ({ pipeline, layer, name }));
  return {
    reads: [...reads.values(), ...foreign],
    readsLogs: [...logs.values()],
    others: [...others.values()],
  };
}

function isOther({ catalog, schema }: NamedTable, model: ModelDraft, pipeline: PipelineDraft): boolean {
  if (model.ref.layer !== 'gold' || catalog === '' || catalog.toLowerCase() === pipeline.name) return false;
  return ['silver', 'gold'].includes(schema.toLowerCase());
}

function withoutLog(table: string): string {
  return table.endsWith(LOG_SUFFIX) ? table.slice(0, -LOG_SUFFIX.length) : table;
}

/** What should stand where a model names a table that it can't read; `undefined` when it can. */
function expectedTable(
  schema: string,
  name: string,
  model: ModelDraft,
  { pipeline, pipelines }: Around,
  catalog: string,
): string | undefined {
  const silver = pipeline.declared.silver.map((other) => `silver.${other}`);
  const gold = pipeline.declared.gold.map((other) => `gold.${other}`);
  const batch = pipeline.declared.sources.map((other) => `batch.${other}`);
  const inSilver = model.ref.layer === 'silver';
  const keyed = pipeline.models.filter((other) => isKeyed(other.mode)).map((other) => `${other.id}${LOG_SUFFIX}`);
  const readable = inSilver ? [...batch, ...silver] : [...silver, ...gold, ...keyed];
  const written = `${schema}.${name}`;
  if (catalog === '' && readable.includes(written)) return undefined;
  if (inSilver && keyed.includes(written)) return `${withoutLog(written)}, its history: logs are read in gold only`;
  if (inSilver && schema === 'gold')
    return 'batch or silver tables only: every silver table is made before the first gold one';
  if (!inSilver && schema === 'batch')
    return `silver or gold tables only: gold reads tables, not the batch of a run${didYouMean(`silver.${name}`, silver)}`;
  if (catalog.toLowerCase() === pipeline.name && readable.includes(written)) return shortName(written);
  // Gold has found it elsewhere.
  if (catalog !== '' && pipelines.names.includes(catalog.toLowerCase()))
    return 'tables of this pipeline: gold alone reads those of others';
  const other = inSilver ? undefined : nameInModels(pipelines, schema, name);
  if (other !== undefined) return `a table of another pipeline by its name in models; did you mean "${other}"?`;
  // A full name such as shop_silver.orders says which layer is meant.
  const layers = (inSilver ? ['batch', 'silver'] : ['silver', 'gold']).sort(
    (a, b) => Number(schema.includes(b)) - Number(schema.includes(a)),
  );
  const sameName = ['batch', 'silver', 'gold'].includes(schema)
    ? undefined
    : layers.map((layer) => `${layer}.${name}`).find((id) => readable.includes(id));
  return sameName === undefined ? oneOf(written, readable) : shortName(sameName);
}

function shortName(id: string): string {
  return `a table of this pipeline by its short name; did you mean "${id}"?`;
}
