import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { matchesGlob } from '../../core/glob.ts';
import { addSkipped, NONE_SKIPPED, type Skipped, type SkippedName } from '../../core/objects.ts';
import { opsTable } from '../../core/ops.ts';
import type { LandedFile, SetAsideFile } from '../../core/run.ts';
import { SEEDS_FOLDER, sourcePrefix } from '../../core/seeds.ts';
import type { SeedFile, SourceSpec } from '../../core/spec.ts';
import type { ObjectInfo, Session } from '../../ports.ts';
import { renderRenamedEtags, selectLedger, selectSetAside, selectTaken } from '../../sql/ops-rows.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { openScratch } from '../files/scratch.ts';
import { stageFiles } from '../files/stage-files.ts';
import { openOps } from './open-ops.ts';
import { commitOps, OPS_FILE_BYTES, opsTarget } from './ops-tables.ts';
import { parseSetAside, type SetAside } from './set-aside.ts';

/** What lies in bronze for a pipeline, beside what its ledger knows. */
export type Landed = {
  /** By source: files that the ledger does not know, in key order. */
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

/** What runs have taken of some sources, in the order in which they did. */
export type Taken = {
  /** By source: files that are there as they were taken, each with its batch; suspended ones are left out. */
  readonly files: ReadonlyMap<string, readonly LandedFile[]>;
  /** Ingested files that bronze has no more, or has with another content. */
  readonly gone: readonly { readonly source: string; readonly key: string; readonly changed: boolean }[];
  /** By key: the batch of the content that was taken last, and the run that it counts for. */
  readonly places: ReadonlyMap<string, { readonly batch: number; readonly run: string }>;
  /** The batch of what comes next. */
  readonly next: number;
};

export type RenamedEtag = { readonly key: string; readonly before: string; readonly after: string };

/** Files of some sources that the ledger does not know: a key with a new etag is a new file. Writes nothing. */
export async function findNewFiles(
  deps: StepDeps,
  session: Session,
  pipeline: string,
  sources: readonly SourceSpec[],
): Promise<Landed> {
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
    if (source.seed !== undefined) {
      const one = await findSeed(deps, ledger, pipeline, { ...source, seed: source.seed });
      waiting.set(source.name, one.waiting);
      aside.push(...one.aside);
      continue;
    }
    const files: LandedFile[] = [];
    for await (const info of listSource(deps, pipeline, source, skip)) {
      const known = ledger.known.has(ledgerKey(info.key, info.etag));
      const before = known ? undefined : formerEtag(ledger, info);
      const entry = ledger.aside.get(ledgerKey(info.key, before ?? info.etag));
      if (entry !== undefined) aside.push({ ...entry, file: landedFile(info) });
      if (known) continue;
      if (before === undefined) files.push(landedFile(info));
      else renamed.push({ key: info.key, before, after: info.etag });
    }
    waiting.set(source.name, files);
  }
  const folders = [...ledger.latest.keys()];
  const history = sources.filter((source) =>
    folders.some((folder) => folder.startsWith(sourcePrefix(pipeline, source))),
  );
  return { waiting, skipped, renamed, aside, history: new Set(history.map(({ name }) => name)) };
}

/**
 * A seed's file, where the latest that a run took of the source is another: that it was taken once, and replaced since,
 * does not make it known. One that is not in the store yet has no etag.
 */
async function findSeed(
  { store }: Pick<StepDeps, 'store'>,
  ledger: Ledger,
  pipeline: string,
  source: SourceSpec & { readonly seed: SeedFile },
): Promise<{ readonly waiting: readonly LandedFile[]; readonly aside: readonly SetAsideFile[] }> {
  const prefix = sourcePrefix(pipeline, source);
  const key = `${prefix}${source.seed.name}`;
  const info = await store.head(key);
  const entry = info && ledger.aside.get(ledgerKey(key, info.etag));
  const file = info === undefined ? { key, size: source.seed.bytes, etag: '' } : landedFile(info);
  return {
    waiting: ledger.latest.get(prefix) === key ? [] : [file],
    aside: entry === undefined ? [] : [{ ...entry, file }],
  };
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

type Ledger = {
  readonly known: ReadonlySet<string>;
  /** By folder: the key of the file that was taken last. */
  readonly latest: ReadonlyMap<string, string>;
  /** What was set aside, as known. */
  readonly aside: ReadonlyMap<string, SetAside>;
  /** By key, the earliest first: what is known by former etags alone. */
  readonly former: ReadonlyMap<string, readonly { readonly etag: string; readonly size: number }[]>;
};

/**
 * What a folder's files are known by. Before their content was hashed it was size, modification time and inode, and where
 * the lake was copied from a bucket it is an etag of S3.
 */
const HASHED_ETAG = /^[0-9a-f]{64}$/;

async function readLedger(deps: StepDeps, session: Session, pipeline: string): Promise<Ledger> {
  const entry = await loadTable(deps.catalog, opsTable(pipeline, 'files'));
  if (entry === undefined) return { known: new Set(), latest: new Map(), aside: new Map(), former: new Map() };
  await using _ledger = await openOps(deps.store, session, 'files', entry.metadata);
  const known = new Set<string>();
  const latest = new Map<string, string>();
  const hashed = new Set<string>();
  const former = new Map<string, { etag: string; size: number }[]>();
  for (const row of await session.rows(selectLedger())) {
    const [key, etag] = [String(row['key']), String(row['etag'])];
    known.add(ledgerKey(key, etag));
    latest.set(key.slice(0, key.lastIndexOf('/') + 1), key);
    if (HASHED_ETAG.test(etag)) hashed.add(key);
    else former.set(key, [...(former.get(key) ?? []), { etag, size: Number(row['size']) }]);
  }
  for (const key of hashed) former.delete(key);
  const aside = (await session.rows(selectSetAside())).map(
    (row) => [ledgerKey(String(row['key']), String(row['etag'])), parseSetAside(row)] as const,
  );
  return { known, latest, aside: new Map(aside), former };
}

function ledgerKey(key: string, etag: string): string {
  return `${etag} ${key}`;
}

/**
 * The former etag under which the ledger knows a file of a folder. One that was touched, copied or restored has another now;
 * as long as its size is that of a file of its name in the ledger, it is taken for that file: what was ingested twice
 * could not be told from the rest any more. Once the ledger has a name with a hash, only hashes count for it.
 */
function formerEtag({ former }: Ledger, { key, size, former: own }: ObjectInfo): string | undefined {
  const rows = own === undefined ? [] : (former.get(key) ?? []);
  return (rows.find((row) => row.etag === own) ?? rows.findLast((row) => row.size === size))?.etag;
}

/** Everything that runs have taken of some sources. For the holder of the pipeline's lock, and for looking. */
export async function findTaken(
  deps: StepDeps,
  session: Session,
  pipeline: string,
  sources: readonly SourceSpec[],
): Promise<Taken> {
  const entry = await loadTable(deps.catalog, opsTable(pipeline, 'files'));
  const files = new Map<string, LandedFile[]>(sources.map(({ name }) => [name, []]));
  if (entry === undefined) return { files, gone: [], places: new Map(), next: 0 };
  await using _ledger = await openOps(deps.store, session, 'files', entry.metadata);
  const rows = await session.rows(selectTaken());
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
  const gone: { source: string; key: string; changed: boolean }[] = [];
  for (const row of rows) {
    const [source, key, status] = [String(row['source']), String(row['key']), String(row['status'])];
    const list = files.get(source);
    const file = there.get(ledgerKey(key, String(row['etag'])));
    if (list === undefined || status === 'suspended') continue;
    if (file !== undefined) list.push({ ...file, batch: Number(row['batch']) });
    else if (status === 'ingested' && row['corrected'] !== true) gone.push({ source, key, changed: keys.has(key) });
  }
  // The rows are in the order of their batches.
  const places = new Map(
    rows.map((row) => [String(row['key']), { batch: Number(row['batch']), run: String(row['run']) }]),
  );
  return { files, gone, places, next: rows.reduce((most, row) => Math.max(most, Number(row['batch']) + 1), 0) };
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
