import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { matchesGlob } from '../../core/glob.ts';
import { addSkipped, NONE_SKIPPED, type Skipped, type SkippedName } from '../../core/objects.ts';
import { opsTable } from '../../core/ops.ts';
import type { LandedFile, SetAsideFile } from '../../core/run.ts';
import { SEEDS_FOLDER, sourcePrefix } from '../../core/seeds.ts';
import type { PipelineSpec, SeedFile, SourceSpec } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import type { ObjectInfo, Session } from '../../ports.ts';
import { renderRenamedEtags, selectTaken, type TakenFor } from '../../sql/ops-rows.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { openScratch } from '../files/scratch.ts';
import { stageFiles } from '../files/stage-files.ts';
import { tableIdOf } from '../tables/table-state.ts';
import { entryFor, formerEtag, type Ledger, latestFor, ledgerKey, readLedger } from './known-files.ts';
import { openOps } from './open-ops.ts';
import { commitOps, OPS_FILE_BYTES, opsTarget } from './ops-tables.ts';

/** What lies in bronze for a pipeline, beside what its ledger knows. */
export type Landed = {
  /** By silver model: files that the ledger does not know for its table, in key order. */
  readonly waiting: ReadonlyMap<string, readonly LandedFile[]>;
  /** Names that are no files of a source, or cannot be read. */
  readonly skipped: Skipped;
  /** Files that the ledger knows by the etags of an earlier release. */
  readonly renamed: readonly RenamedEtag[];
  /** Files that were set aside by the latest run that took them, and are there still. */
  readonly aside: readonly SetAsideFile[];
  /** Sources of which runs have taken files. */
  readonly history: ReadonlySet<string>;
};

/** What runs have taken for some tables, in the order in which they did. */
export type Taken = {
  /** By silver model: files that are there as they were taken, each with its batch; suspended ones are left out. */
  readonly files: ReadonlyMap<string, readonly LandedFile[]>;
  /** Ingested files that bronze has no more, or has with another content. */
  readonly gone: readonly { readonly key: string; readonly changed: boolean }[];
  /** By silver model and key: the batch of the content that was taken last, and the run that it counts for. */
  readonly places: ReadonlyMap<string, ReadonlyMap<string, { readonly batch: number; readonly run: string }>>;
  /** By silver model: the batch of what comes next. */
  readonly next: ReadonlyMap<string, number>;
};

export type RenamedEtag = { readonly key: string; readonly before: string; readonly after: string };

type Sources = Pick<PipelineSpec, 'name' | 'sources' | 'models'>;

/** A table that a source feeds: its model, and its full name. */
type Reader = { readonly model: string; readonly table: string };

/** Files that the ledger does not know for some table of their source: a key with a new etag is a new file. Writes nothing. */
export async function findNewFiles(deps: StepDeps, session: Session, spec: Sources): Promise<Landed> {
  const { name: pipeline, sources } = spec;
  const ledger = await readLedger(deps, session, pipeline);
  const waiting = new Map<string, readonly LandedFile[]>();
  const renamed: RenamedEtag[] = [];
  const aside: SetAsideFile[] = [];
  let skipped = NONE_SKIPPED;
  const skip = (name: SkippedName): void => {
    skipped = addSkipped(skipped, name);
  };
  await findStrays(deps, pipeline, sources, skip);
  for (const source of sources) {
    const found = await findFiles(deps, ledger, { spec, source }, skip);
    for (const [model, files] of found.waiting) waiting.set(model, files);
    renamed.push(...found.renamed);
    aside.push(...found.aside);
  }
  const folders = [...ledger.latest.keys()];
  const history = sources.filter((source) =>
    folders.some((folder) => folder.startsWith(sourcePrefix(pipeline, source))),
  );
  return { waiting, skipped, renamed, aside, history: new Set(history.map(({ name }) => name)) };
}

type Found = Pick<Landed, 'waiting' | 'renamed' | 'aside'>;

async function findFiles(
  deps: StepDeps,
  ledger: Ledger,
  { spec, source }: { readonly spec: Sources; readonly source: SourceSpec },
  skip: (name: SkippedName) => void,
): Promise<Found> {
  const readers = readersOf(spec, source);
  const { seed } = source;
  if (seed !== undefined) return findSeed(deps, ledger, spec.name, { ...source, seed, readers });
  const waiting = new Map(readers.map(({ model }) => [model, [] as LandedFile[]]));
  const renamed: RenamedEtag[] = [];
  const aside: SetAsideFile[] = [];
  for await (const info of listSource(deps, spec.name, source, skip)) {
    const { key, etag } = info;
    const before = formerEtag(ledger, info);
    if (before !== undefined) renamed.push({ key, before, after: etag });
    const file = landedFile(info);
    for (const { model, table } of readers) {
      if (entryFor(ledger, { key, etag: before ?? etag }, table) === undefined) waiting.get(model)?.push(file);
    }
    aside.push(...setAsideFor(ledger, file, before ?? etag, readers));
  }
  return { waiting, renamed, aside };
}

function readersOf(spec: Sources, source: Pick<SourceSpec, 'name'>): readonly Reader[] {
  const models = spec.models.filter((model) => model.layer === 'silver' && model.from === source.name);
  return models.map((model) => ({ model: model.id, table: fullName(tableIdOf(spec, model)) }));
}

/** A file that was set aside, once for the tables that tell the same of it. */
function setAsideFor(
  ledger: Ledger,
  file: LandedFile,
  etag: string,
  readers: readonly Reader[],
): readonly SetAsideFile[] {
  const found = readers.flatMap(({ model, table }) => {
    const told = entryFor(ledger, { key: file.key, etag }, table)?.aside;
    return told === undefined ? [] : [{ model, told }];
  });
  return [...Map.groupBy(found, ({ told }) => JSON.stringify(told)).values()].flatMap((same) => {
    const [first] = same;
    return first === undefined ? [] : [{ ...first.told, file, models: same.map(({ model }) => model) }];
  });
}

/**
 * A seed's file, where the latest that a run took for a table is another: that it was taken once, and replaced since,
 * does not make it known. One that is not in the store yet has no etag.
 */
async function findSeed(
  { store }: Pick<StepDeps, 'store'>,
  ledger: Ledger,
  pipeline: string,
  source: SourceSpec & { readonly seed: SeedFile; readonly readers: readonly Reader[] },
): Promise<Found> {
  const prefix = sourcePrefix(pipeline, source);
  const key = `${prefix}${source.seed.name}`;
  const info = await store.head(key);
  const file = info === undefined ? { key, size: source.seed.bytes, etag: '' } : landedFile(info);
  const waiting = source.readers.map(({ model, table }): readonly [string, readonly LandedFile[]] => [
    model,
    latestFor(ledger, prefix, table) === key ? [] : [file],
  ]);
  return { waiting: new Map(waiting), renamed: [], aside: setAsideFor(ledger, file, file.etag, source.readers) };
}

/** The files of a source, less those that it ignores. */
export function listSource(
  { store }: Pick<StepDeps, 'store'>,
  pipeline: string,
  { ignore, ...source }: Pick<SourceSpec, 'name' | 'ignore' | 'seed'>,
  skipped?: (name: SkippedName) => void,
): AsyncIterable<ObjectInfo> {
  const prefix = sourcePrefix(pipeline, source);
  const ignored = (key: string): boolean => ignore.some((pattern) => matchesGlob(pattern, key.slice(prefix.length)));
  return store.list(prefix, { ignore: ignored, ...(skipped === undefined ? {} : { skipped }) });
}

/** What lies beside the folders of a pipeline's sources, where no run looks for files. */
async function findStrays(
  { store }: Pick<StepDeps, 'store'>,
  pipeline: string,
  sources: readonly SourceSpec[],
  skip: (name: SkippedName) => void,
): Promise<void> {
  const folders = new Set([...sources.map((source) => `${source.name}/`), `${SEEDS_FOLDER}/`]);
  for (const name of await store.names(`bronze/${pipeline}/`, skip)) {
    if (folders.has(name)) continue;
    const reason = name.endsWith('/') ? `${pipeline} has no source of that name` : 'it lies in no folder of a source';
    skip({ name: `bronze/${pipeline}/${name}`, reason });
  }
}

export function landedFile({ key, size, etag, version }: ObjectInfo): LandedFile {
  return { key, size, etag, ...(version === undefined ? {} : { version }) };
}

/** Everything that runs have taken for some tables. For the holder of the pipeline's lock, and for looking. */
export async function findTaken(
  deps: StepDeps,
  session: Session,
  { name: pipeline, sources }: Sources,
  tables: readonly TakenFor[],
): Promise<Taken> {
  const entry = await loadTable(deps.catalog, opsTable(pipeline, 'files'));
  const files = new Map<string, LandedFile[]>(tables.map(({ model }) => [model, []]));
  const next = new Map<string, number>(tables.map(({ model }) => [model, 0]));
  const places = new Map(tables.map(({ model }) => [model, new Map<string, { batch: number; run: string }>()]));
  if (entry === undefined || tables.length === 0) return { files, gone: [], places, next };
  await using _ledger = await openOps(deps.store, session, 'files', entry.metadata);
  const rows = await session.rows(selectTaken(tables));
  const read = sources.filter(({ name }) => tables.some(({ source }) => source === name));
  const { there, keys } = await listThere(deps, pipeline, read);
  const gone = new Map<string, boolean>();
  for (const row of rows) {
    const [model, key, status] = [String(row['model']), String(row['key']), String(row['status'])];
    const batch = Number(row['batch']);
    next.set(model, Math.max(next.get(model) ?? 0, batch + 1));
    // The rows are in the order of their batches.
    places.get(model)?.set(key, { batch, run: String(row['run']) });
    if (status === 'suspended') continue;
    const file = there.get(ledgerKey(key, String(row['etag'])));
    const ingested = status === 'ingested' ? ({ ingested: true } as const) : {};
    if (file !== undefined) files.get(model)?.push({ ...file, batch, ...ingested });
    else if (status === 'ingested' && row['corrected'] !== true) gone.set(key, keys.has(key));
  }
  return { files, gone: [...gone].map(([key, changed]) => ({ key, changed })), places, next };
}

/** What some sources have, by key and each etag that it is known by. */
async function listThere(
  deps: StepDeps,
  pipeline: string,
  sources: readonly SourceSpec[],
): Promise<{ readonly there: ReadonlyMap<string, LandedFile>; readonly keys: ReadonlySet<string> }> {
  const there = new Map<string, LandedFile>();
  const keys = new Set<string>();
  for (const source of sources) {
    for await (const info of listSource(deps, pipeline, source)) {
      keys.add(info.key);
      const file = landedFile(info);
      there.set(ledgerKey(info.key, info.etag), file);
      if (info.former !== undefined) there.set(ledgerKey(info.key, info.former), file);
    }
  }
  return { there, keys };
}

/** Gives files in the ledger the etags that they have now. For the holder of the pipeline's lock. */
export async function renameEtags(deps: StepDeps, pipeline: string, renamed: readonly RenamedEtag[]): Promise<void> {
  const id = opsTable(pipeline, 'files');
  const entry = await loadTable(deps.catalog, id);
  if (entry === undefined || renamed.length === 0) return;
  const run = { pipeline, run_id: `etags-${deps.ids.unique()}` };
  const target = opsTarget(deps, 'files', id, entry);
  await using session = await deps.engine.open(deps.settings);
  await using _ledger = await openOps(deps.store, session, 'files', entry.metadata);
  await using scratch = await openScratch(deps, 'etags');
  const path = join(scratch.folder, 'etags.json');
  await writeFile(path, JSON.stringify(renamed));
  const from = renderRenamedEtags(path);
  const staging = { from, target, folder: join(scratch.folder, 'out'), fileBytes: OPS_FILE_BYTES, stem: run.run_id };
  const { placed } = await stageFiles(session, staging, deps);
  await commitOps(deps, run, 'files', placed, { kind: 'all' });
  deps.log.info('the ledger knows files by their content now', { files: renamed.length });
}
