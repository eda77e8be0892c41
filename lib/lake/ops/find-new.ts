import { addSkipped, NONE_SKIPPED, type Skipped, type SkippedName } from '../../core/objects.ts';
import type { LandedFile, SetAsideFile } from '../../core/run.ts';
import { sourcePrefix } from '../../core/seeds.ts';
import type { PipelineSpec, SeedFile, SourceSpec } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import type { Predicate } from '../../iceberg/predicate.ts';
import type { ObjectInfo, Row, Session, Statement } from '../../ports.ts';
import {
  addUnsettled,
  createSaid,
  createUnsettled,
  type FileOutcome,
  findAny,
  LEDGER,
  SAID_ROWS,
  selectEverSuspended,
  selectLatest,
  selectLedger,
  selectStillSuspended,
  selectUnsettled,
} from '../../sql/ledger.ts';
import type { StepDeps } from '../deps.ts';
import { openScratch } from '../files/scratch.ts';
import { tableIdOf } from '../tables/table-state.ts';
import { among, type Books, below, ledgerMetadata, openSome } from './books.ts';
import { entryFor, formerEtag, type Ledger, latestFor, parseLedger } from './known-files.ts';
import {
  findStrays,
  type KeptListing,
  keepListed,
  landedFile,
  listNamed,
  listSources,
  seedKey,
} from './list-landed.ts';
import { openOps } from './open-ops.ts';

/** What lies in bronze for a pipeline, beside what its ledger knows. */
export type Landed = {
  /** By silver model: files that the ledger does not know for its table, in key order. */
  readonly waiting: ReadonlyMap<string, readonly LandedFile[]>;
  /** Names that are no files of a source, or cannot be read. */
  readonly skipped: Skipped;
  /** Files that the ledger knows by the etags of an earlier release. */
  readonly renamed: readonly RenamedEtag[];
  /** Files that were suspended by the latest run that took them, or rejected where that is asked for, and are there still. */
  readonly aside: readonly SetAsideFile[];
};

export type RenamedEtag = { readonly key: string; readonly before: string; readonly after: string };

type Sources = Pick<PipelineSpec, 'name' | 'sources' | 'models'>;

/** What is looked for. */
export type Looking = {
  /** Only these objects are looked at, beside seeds and what is suspended; of one name the oldest content first. */
  readonly named?: readonly ObjectInfo[] | undefined;
  /** Rejected files, of which there may be many, are told of as well. */
  readonly rejected?: boolean;
};

/** A table that a source feeds: its model, and its full name. */
type Reader = { readonly model: string; readonly table: string };

/**
 * Files that the ledger does not know for some table of their source: a key with a new etag is a new file. Listing and ledger
 * are compared by DuckDB within its memory; only what is not settled comes here. Writes nothing.
 *
 * Where files are named, of the ledger only data files are read whose bounds say that they may have one of the names.
 */
export async function findNewFiles(
  deps: StepDeps,
  session: Session,
  spec: Sources,
  { named, rejected = false }: Looking = {},
): Promise<Landed> {
  let skipped = NONE_SKIPPED;
  const skip = (name: SkippedName): void => {
    skipped = addSkipped(skipped, name);
  };
  const metadata = await ledgerMetadata(deps, spec.name);
  const books: Books = { deps, session, metadata, whole: named === undefined };
  await using _ledger = books.whole ? await openOps(deps.store, session, 'files', metadata) : undefined;
  await findStrays(deps, spec.name, spec.sources, skip);
  await using scratch = await openScratch(deps, 'listed');
  const asked = named === undefined ? undefined : inOrder([...named, ...(await listSuspended(books, named))]);
  const listing = asked === undefined ? listSources(deps, spec, skip) : listNamed(deps, spec, asked);
  const kept = await keepListed(session, listing, scratch.folder);
  const found = noneFound(spec);
  if (kept !== undefined) await compare(books, found, { ...kept, rejected, names: asked && namesIn(spec, asked) });
  for (const source of spec.sources) {
    if (source.seed !== undefined) await findSeed(books, spec.name, { ...source, seed: source.seed }, found);
  }
  return { waiting: found.waiting, renamed: found.renamed, aside: found.aside, skipped };
}

/** Sources, of some, of which runs have taken files. */
export async function findHistory(
  deps: StepDeps,
  session: Session,
  pipeline: string,
  sources: readonly SourceSpec[],
): Promise<ReadonlySet<string>> {
  const metadata = sources.length === 0 ? undefined : await ledgerMetadata(deps, pipeline);
  const history = new Set<string>();
  if (metadata === undefined) return history;
  for (const source of sources) {
    const folder = sourcePrefix(pipeline, source);
    await using _ledger = await openOps(deps.store, session, 'files', metadata, below(folder));
    if ((await session.rows(findAny(folder))).length > 0) history.add(source.name);
  }
  return history;
}

/** What is collected for the answer. */
type Found = {
  readonly readers: ReadonlyMap<string, readonly Reader[]>;
  readonly waiting: Map<string, LandedFile[]>;
  readonly renamed: RenamedEtag[];
  readonly aside: SetAsideFile[];
  readonly seeds: ReadonlySet<string>;
};

function noneFound(spec: Sources): Found {
  const readers = new Map(spec.sources.map((source) => [source.name, readersOf(spec, source)]));
  const models = [...readers.values()].flat().map(({ model }) => model);
  const seeds = spec.sources.filter(({ seed }) => seed !== undefined).map(({ name }) => name);
  const waiting = new Map(models.map((model) => [model, [] as LandedFile[]]));
  return { readers, waiting, renamed: [], aside: [], seeds: new Set(seeds) };
}

function readersOf(spec: Sources, source: Pick<SourceSpec, 'name'>): readonly Reader[] {
  const models = spec.models.filter((model) => model.layer === 'silver' && model.from === source.name);
  return models.map((model) => ({ model: model.id, table: fullName(tableIdOf(spec, model)) }));
}

/** Files that are compared at once: so many do not have to be spilled. */
const PART_FILES = 1_000_000;
/** Unsettled files that are in memory as rows at once. */
const PAGE_FILES = 20_000;

type Compared = KeptListing & {
  /** Of all that is listed; undefined: too many to be told. */
  readonly names: readonly string[] | undefined;
  readonly rejected: boolean;
};

async function compare(books: Books, found: Found, { listed, files, names, rejected }: Compared): Promise<void> {
  const readers = [...found.readers].flatMap(([source, all]) => all.map(({ table }) => ({ source, table })));
  if (readers.length === 0) return;
  const { session } = books;
  await using _ledger = await openSome(books, among(names ?? []));
  if (names !== undefined) await session.run(createSaid(listed, names));
  const ledger = names === undefined ? LEDGER : SAID_ROWS;
  await session.run(createUnsettled());
  const asked: readonly FileOutcome[] = rejected ? ['suspended', 'rejected'] : ['suspended'];
  const parts = Math.ceil(files / PART_FILES);
  for (let part = 0; part < parts; part += 1) {
    await session.run(addUnsettled(listed, ledger, { readers, asked, part, parts }));
  }
  const known = parseLedger(await session.rows(selectLedger(ledger)));
  for (let from = 0; ; ) {
    const rows = await session.rows(selectUnsettled(from, PAGE_FILES));
    for (const row of rows) take(found, known, row);
    if (rows.length < PAGE_FILES) return;
    from = Number(rows.at(-1)?.['n']) + 1;
  }
}

function take(found: Found, ledger: Ledger, row: Row): void {
  const source = String(row['source']);
  const readers = found.readers.get(source) ?? [];
  const info = infoOf(row);
  const file = landedFile(info);
  const before = formerEtag(ledger, info);
  const known = { key: file.key, etag: before ?? file.etag };
  found.aside.push(...setAsideFor(ledger, file, known.etag, readers));
  // What waits of a seed goes by the file that was taken last.
  if (found.seeds.has(source)) return;
  if (before !== undefined) found.renamed.push({ key: file.key, before, after: file.etag });
  for (const { model, table } of readers) {
    if (entryFor(ledger, known, table) === undefined) found.waiting.get(model)?.push(file);
  }
}

function infoOf(row: Row): Omit<ObjectInfo, 'modified'> {
  const text = (name: string): string | undefined => (typeof row[name] === 'string' ? row[name] : undefined);
  const [former, version] = [text('former'), text('version')];
  return {
    key: String(row['key']),
    size: Number(row['size']),
    etag: String(row['etag']),
    ...(former === undefined ? {} : { former }),
    ...(version === undefined ? {} : { version }),
  };
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
  books: Books,
  pipeline: string,
  source: SourceSpec & { readonly seed: SeedFile },
  found: Found,
): Promise<void> {
  const folder = sourcePrefix(pipeline, source);
  const key = seedKey(pipeline, source);
  await using _ledger = await openSome(books, below(folder));
  const latest = await books.session.rows(selectLatest(folder));
  const readers = (found.readers.get(source.name) ?? []).filter(({ table }) => latestFor(latest, table) !== key);
  if (readers.length === 0) return;
  const info = await books.deps.store.head(key);
  const file = info === undefined ? { key, size: source.seed.bytes, etag: '' } : landedFile(info);
  for (const { model } of readers) found.waiting.get(model)?.push(file);
}

/** What lies at names that are suspended, without those that are named already. */
async function listSuspended(books: Books, named: readonly ObjectInfo[]): Promise<readonly ObjectInfo[]> {
  const { store } = books.deps;
  const known = new Set(named.map(({ key }) => key));
  const files: ObjectInfo[] = [];
  for (const key of await suspendedNames(books)) {
    if (known.has(key)) continue;
    for await (const info of store.list(key)) if (info.key === key) files.push(info);
  }
  return files;
}

/** Data files that say nothing of suspended ones are not read, nor are, to see what came later, those without such names. */
async function suspendedNames(books: Books): Promise<readonly string[]> {
  const keysOf = async (predicate: Predicate, statement: Statement): Promise<readonly string[]> => {
    await using _ledger = await openSome(books, [predicate]);
    return (await books.session.rows(statement)).map((row) => String(row['key']));
  };
  const ever = await keysOf({ column: 'status', op: '=', value: 'suspended' }, selectEverSuspended());
  if (ever.length === 0) return [];
  return keysOf({ column: 'key', op: 'in', values: ever }, selectStillSuspended(ever));
}

/** The names that the ledger is asked about, in the order of their bytes. */
function namesIn({ name: pipeline, sources }: Sources, asked: readonly ObjectInfo[]): readonly string[] {
  const seeds = sources.filter(({ seed }) => seed !== undefined).map((source) => seedKey(pipeline, source));
  return [...new Set([...asked.map(({ key }) => key), ...seeds])].sort(compareBytes);
}

/** By name; contents of one name stay as they came. */
function inOrder(files: readonly ObjectInfo[]): readonly ObjectInfo[] {
  return [...files].sort((a, b) => compareBytes(a.key, b.key));
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
