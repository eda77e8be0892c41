import type { BatchRecipe } from '../core/batch-recipe.ts';
import { dedupesByHash, ROW_HASH } from '../core/dedupe.ts';
import { EngineError } from '../core/errors.ts';
import { opsTable } from '../core/ops.ts';
import type { LandedFile } from '../core/run.ts';
import { withRunDate } from '../core/run-date.ts';
import type { SilverModel, SourceSpec } from '../core/spec.ts';
import { columnsOf, currentSchema } from '../iceberg/schema.ts';
import { batchOf, inspectFiles, type ReadableFile } from '../lake/batch/batch-files.ts';
import { countFiles } from '../lake/batch/count-files.ts';
import { fillQuarantine } from '../lake/batch/fill-quarantine.ts';
import type { StepDeps } from '../lake/deps.ts';
import { openScratch } from '../lake/files/scratch.ts';
import { landedFile } from '../lake/ops/list-landed.ts';
import { openOps } from '../lake/ops/open-ops.ts';
import { holdResources } from '../lake/resources.ts';
import { readPlanIfAny } from '../lake/run/run-folder.ts';
import { knowingVars } from '../lake/run/vars.ts';
import { createPlaces, openRef, tableIdOf } from '../lake/tables/table-state.ts';
import type { Session } from '../ports.ts';
import { createBatchSchema, createBatchView, createParsed, createRejected, rejectTables } from '../sql/batch.ts';
import { createMapped } from '../sql/mapped.ts';
import { selectUploads } from '../sql/ops-rows.ts';
import { findByHash, findByValues, openBrought, selectFound } from '../sql/trace.ts';
import { userSql } from '../sql/user-sql.ts';
import { loadTable } from '../table/read.ts';
import type { Traceable } from './find-traceable.ts';

/** What a file brought: a row, or an event behind the row of that number. */
export type Brought = {
  readonly row: number;
  /** Its key in bronze; null where the data file does not say. */
  readonly file: string | null;
  readonly op: 'upsert' | 'delete' | null;
  /** The run that wrote its data file. */
  readonly run_id: string | null;
};

export type Origin = {
  readonly file: string | null;
  /** Where equal records begin, of which one or all made the row; of Parquet and JSON arrays the numbers of rows or values. */
  readonly lines: readonly number[];
  /** The record, as quarantine shows it. */
  readonly raw: string | null;
  readonly run_id: string | null;
  /** What an event does to its key; null for a row of a table that is not keyed. */
  readonly op: 'upsert' | 'delete' | null;
  /** Why the file, or the lines, are not known. */
  readonly unknown: string | null;
};

type Lines = { readonly lines: readonly number[]; readonly raw: string };
type Upload = { readonly key: string; readonly etag: string; readonly run_id: string };
type Search = Traceable & { readonly path: string };

const NOT_SAID = 'its data file does not say: an earlier release wrote it, or another engine';
const NO_LINE = 'no record of it makes this row by the pipeline of now';

/** Where each of them comes from. A file is read once, though it brought many. */
export async function findOrigins(
  deps: StepDeps,
  search: Search,
  brought: readonly Brought[],
): Promise<readonly Origin[]> {
  const names = [...new Set(brought.flatMap(({ file }) => file ?? []))];
  const uploads = await readUploads(deps, search, names);
  const origins = brought.map((one) => unknownOrigin(one, uploads));
  for (const key of names) {
    // A file that was replaced under its name: what it is now, and then what it was.
    for (const [etag, taken] of Map.groupBy(uploads.get(key) ?? [], (one) => one.etag)) {
      const own = (nth: number): string | null => writtenBy(brought[nth], uploads);
      const open = [...origins.keys()].filter((nth) => {
        const one = origins[nth];
        const run = own(nth);
        return (
          one?.file === key && one.lines.length === 0 && (run === null || taken.some(({ run_id }) => run_id === run))
        );
      });
      if (open.length === 0) continue;
      const found = await findLines(deps, await onDayOf(deps, search, taken.at(-1)), { key, etag });
      for (const nth of open) {
        const before = origins[nth];
        if (before === undefined) continue;
        // The log keeps an event from the first run on; other rows are of the last that made them.
        const run = own(nth) ?? (before.op === null ? taken.at(-1) : taken[0])?.run_id ?? null;
        const lines = typeof found === 'string' ? undefined : found.get(nth);
        if (lines !== undefined) origins[nth] = { ...before, ...lines, run_id: run, unknown: null };
        else
          origins[nth] = {
            ...before,
            run_id: before.run_id ?? run,
            unknown: typeof found === 'string' ? found : NO_LINE,
          };
      }
    }
  }
  return origins;
}

type Uploads = ReadonlyMap<string, readonly Upload[]>;

function unknownOrigin(one: Brought, uploads: Uploads): Origin {
  const { file, op, run_id } = one;
  const run = file === null ? run_id : writtenBy(one, uploads);
  return { file, op, run_id: run, lines: [], raw: null, unknown: file === null ? NOT_SAID : NO_LINE };
}

/** The run that wrote a data file, where that took the bronze file: rows of others may have been written again since. */
function writtenBy(one: Brought | undefined, uploads: Uploads): string | null {
  const taken = uploads.get(one?.file ?? '') ?? [];
  return taken.some(({ run_id }) => run_id === one?.run_id) ? (one?.run_id ?? null) : null;
}

/** By key, of some: the contents that runs ingested, the latest content first, and of each the earliest run first. */
async function readUploads(
  deps: StepDeps,
  { spec, model }: Search,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly Upload[]>> {
  const entry = await loadTable(deps.catalog, opsTable(spec.name, 'files'));
  if (entry === undefined || names.length === 0) return new Map();
  await using session = await deps.engine.open(deps.settings);
  const among = { column: 'key', op: 'in', values: names } as const;
  await using _ledger = await openOps(deps.store, session, 'files', entry.metadata, [among]);
  const rows = await session.rows(selectUploads(model.from, names));
  const uploads = rows.map((row) => ({
    key: String(row['key']),
    etag: String(row['etag']),
    run_id: String(row['run_id']),
  }));
  return Map.groupBy(uploads, ({ key }) => key);
}

/** The search with the date that the run had which took a content, or with that of now where it is not known any more. */
async function onDayOf(deps: StepDeps, search: Search, taken: Upload | undefined): Promise<Search> {
  const { spec } = search;
  if (spec.dated === undefined || taken === undefined) return search;
  const plan = await readPlanIfAny(deps.store, { pipeline: spec.name, run_id: taken.run_id, dry_run: false });
  const runAt = plan?.spec.runAt;
  return { ...search, spec: runAt === undefined ? withRunDate(spec, deps.clock.now()) : { ...spec, runAt } };
}

/** By number: the lines of a file that make what it brought, or why they cannot be looked for. */
async function findLines(
  deps: StepDeps,
  search: Search,
  { key, etag }: Pick<Upload, 'key' | 'etag'>,
): Promise<ReadonlyMap<number, Lines> | string> {
  const landed = await findLanded(deps, key, etag);
  if (typeof landed === 'string') return landed;
  await using borrowed = await deps.store.borrow([landed]);
  if (borrowed.changed.size > 0) return 'it changes while it is read';
  await using scratch = await openScratch(deps, 'traced');
  const source = sourceOf(search);
  try {
    const { readable, rejected } = await inspectFiles(deps, source, [landed], borrowed, scratch.folder);
    const [file] = readable;
    if (file === undefined) return `it cannot be read by the contract of now: ${rejected[0]?.reason}`;
    const found = await searchFile(deps, search, { source, file, scratch: scratch.folder });
    return (await borrowed.verify()).size > 0 ? 'it changes while it is read' : found;
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    return `its rows cannot be made again by the pipeline of now: ${cause.message.split('\n')[0]}`;
  }
}

async function findLanded({ store }: StepDeps, key: string, etag: string): Promise<LandedFile | string> {
  let there = false;
  for await (const info of store.list(key)) {
    if (info.key !== key) continue;
    if (info.etag === etag || info.former === etag) return landedFile(info);
    there = true;
  }
  return there ? 'it has another content in bronze now' : 'it is not in bronze any more';
}

function sourceOf({ spec, model }: Traceable): SourceSpec {
  const source = spec.sources.find(({ name }) => name === model.from);
  if (source === undefined) throw new RangeError(`${model.id} reads source ${model.from}, which ${spec.name} lacks`);
  return source;
}

type Place = { readonly source: SourceSpec; readonly file: ReadableFile; readonly scratch: string };

/** Takes the file through the model as far as that rows are made, and finds the text of those that are sought. */
async function searchFile(
  deps: StepDeps,
  search: Search,
  { source, file, scratch }: Place,
): Promise<ReadonlyMap<number, Lines>> {
  const { spec, model } = search;
  const files = [file];
  await using session = await knowingVars(deps, spec).engine.open(deps.settings);
  await using borrowed = holdResources();
  const records = await countFiles(session, source, files);
  await session.run(createBatchSchema());
  for (const statement of createParsed(batchOf(source, files), rejectTables('parse'), RECIPE)) {
    await session.run(statement);
  }
  await session.run(createRejected());
  await session.run(createBatchView(source, RECIPE));
  await session.run(openBrought(search.path, file.landed.key));
  const hash = hashColumn(search);
  if (hash !== undefined) await session.run(findByHash(hash));
  else {
    await openJoined(deps, session, search, borrowed);
    await session.run(createMapped(userSql(model.sql), RECIPE));
    const table = new Set(columnsOf(currentSchema(search.metadata)).map(({ name }) => name));
    const columns = model.columns.map(({ name }) => name).filter((name) => table.has(name));
    await session.run(findByValues(columns));
  }
  const batch = { source, files, records, scratch, guarded: false, trial: true };
  const nobody = { source: source.name, table: '', runId: '', at: '1970-01-01' };
  await fillQuarantine(session, batch, { ...RECIPE, kept: false, rejected: true, missing: 0 }, nobody);
  const found = await session.rows(selectFound());
  const byNth = Map.groupBy(found, (row) => Number(row['nth']));
  return new Map(
    [...byNth].map(([nth, rows]) => [
      nth,
      { lines: rows.map((row) => Number(row['line'])), raw: String(rows[0]?.['raw']) },
    ]),
  );
}

const RECIPE: BatchRecipe = {
  ...{
    pass: 'tables',
    keepsMapped: true,
    byShape: false,
    guarded: false,
    notesFaults: false,
    hidden: ['hash'],
    carriesHash: false,
    equalRows: null,
  },
  ...{ memory: false, poisoned: false, equalKeys: null, added: [] },
};

/** A column by which the table tells source rows apart, whatever the model makes of them. */
function hashColumn({ model, metadata }: Traceable): string | undefined {
  const own = dedupesByHash(model) ? ROW_HASH : model.metadata.includes('row_hash') ? 'row_hash' : undefined;
  return columnsOf(currentSchema(metadata)).find(({ name }) => name === own)?.name;
}

/** The tables that the model joins, as they are now. */
async function openJoined(
  deps: StepDeps,
  session: Session,
  { spec, model }: { readonly spec: Traceable['spec']; readonly model: SilverModel },
  borrowed: ReturnType<typeof holdResources>,
): Promise<void> {
  await createPlaces(session, model.reads);
  for (const ref of model.reads) {
    const entry = await loadTable(deps.catalog, tableIdOf(spec, ref));
    borrowed.add(await openRef(deps.store, session, spec, ref, entry?.metadata));
  }
}
