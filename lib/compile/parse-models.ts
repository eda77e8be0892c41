import { LOG_SUFFIX } from '../core/keyed.ts';
import { modelId, type TableRef } from '../core/spec.ts';
import { didYouMean, oneOf } from '../core/suggest.ts';
import type { Session } from '../ports.ts';
import { selectBatch } from '../sql/bind.ts';
import { offsetOf, placeOfOffset, statementsOf } from '../sql/tree.ts';
import type { ModelDraft, ParsedModel, PipelineDraft } from './draft.ts';
import { sqlFault } from './engine-errors.ts';
import { foreignIn } from './functions.ts';
import { isKeyed } from './keyed-checks.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { type NamedTable, tablesIn } from './references.ts';

/** The pipeline's own files, by path relative to its folder; `undefined` where there is none. */
export type PipelineFiles = { read(path: string): Promise<string | undefined> };

const ONLY_SELECT = 'one SELECT; a PIVOT goes into its FROM: select * from silver.x pivot (...)';

/** Reads and parses one model's SQL and finds what it reads; `undefined` when a problem keeps it from being bound. */
export async function parseModel(
  model: ModelDraft,
  pipeline: PipelineDraft,
  context: { readonly files: PipelineFiles; readonly file: string; readonly session: Session; readonly notes: Notes },
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
    const read = readTables(tablesIn(tree), sql, model, pipeline, notes);
    return notes.found.length === before ? { draft: model, file, sql, tree, ...read } : undefined;
  } catch (error) {
    const fault = sqlFault(error, 'parse', 'one SELECT in DuckDB SQL');
    if (/^Only SELECT statements/.test(fault.got)) notes.add('line 1', 'a statement other than SELECT', ONLY_SELECT);
    else notes.add(fault.place ?? 'line 1', fault.got, fault.expected);
    return undefined;
  }
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

function readTables(
  tables: readonly NamedTable[],
  sql: string,
  model: ModelDraft,
  pipeline: PipelineDraft,
  notes: Notes,
): Pick<ParsedModel, 'reads' | 'readsLogs'> {
  const reads = new Map<string, TableRef>();
  const logs = new Map<string, TableRef>();
  for (const table of tables) {
    const name = { schema: table.schema.toLowerCase(), table: table.table.toLowerCase() };
    const expected = expectedTable(name.schema, name.table, model, pipeline, table.catalog);
    if (expected !== undefined) notes.add(placeOfOffset(sql, table.offset), showName(table), expected);
    else if (name.schema !== 'batch') {
      const ref: TableRef = { layer: name.schema === 'gold' ? 'gold' : 'silver', name: withoutLog(name.table) };
      reads.set(modelId(ref), ref);
      if (ref.name !== name.table) logs.set(modelId(ref), ref);
    }
  }
  return { reads: [...reads.values()], readsLogs: [...logs.values()] };
}

function withoutLog(table: string): string {
  return table.endsWith(LOG_SUFFIX) ? table.slice(0, -LOG_SUFFIX.length) : table;
}

function showName(table: NamedTable): string {
  return `the table ${[table.catalog, table.schema, table.table].filter((part) => part !== '').join('.')}`;
}

/** What should stand where a model names a table that it can't read; `undefined` when it can. */
function expectedTable(
  schema: string,
  name: string,
  model: ModelDraft,
  pipeline: PipelineDraft,
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
  // A full name such as shop_silver.orders says which layer is meant.
  const layers = (inSilver ? ['batch', 'silver'] : ['silver', 'gold']).sort(
    (a, b) => Number(schema.includes(b)) - Number(schema.includes(a)),
  );
  const sameName = ['batch', 'silver', 'gold'].includes(schema)
    ? undefined
    : layers.map((layer) => `${layer}.${name}`).find((id) => readable.includes(id));
  if (sameName !== undefined) return `a table of this pipeline by its short name; did you mean "${sameName}"?`;
  return oneOf(written, readable);
}
