import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { matchesGlob } from '../../core/glob.ts';
import type { SkippedName } from '../../core/objects.ts';
import type { LandedFile } from '../../core/run.ts';
import { SEEDS_FOLDER, sourcePrefix } from '../../core/seeds.ts';
import type { PipelineSpec, SourceSpec } from '../../core/spec.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { ObjectInfo, Session } from '../../ports.ts';
import { packListed, renderListed, renderPacked } from '../../sql/ledger.ts';
import type { StepDeps } from '../deps.ts';

/** Hears of what is no file of a source. */
export type Skip = (name: SkippedName) => void;

/** A landed file, and the source that it is of. */
export type Listed = { readonly source: string; readonly info: ObjectInfo };

/** The files of a source, less those that it ignores. */
export function listSource(
  { store }: Pick<StepDeps, 'store'>,
  pipeline: string,
  source: Pick<SourceSpec, 'name' | 'ignore' | 'seed'>,
  skipped?: Skip,
): AsyncIterable<ObjectInfo> {
  const prefix = sourcePrefix(pipeline, source);
  const ignore = (key: string): boolean => isIgnored(prefix, source, key);
  return store.list(prefix, { ignore, ...(skipped === undefined ? {} : { skipped }) });
}

function isIgnored(prefix: string, { ignore }: Pick<SourceSpec, 'ignore'>, key: string): boolean {
  return ignore.some((pattern) => matchesGlob(pattern, key.slice(prefix.length)));
}

/** All files of a pipeline's sources, source by source and each in key order; of a seed the one that is its own. */
export async function* listSources(
  deps: Pick<StepDeps, 'store'>,
  { name: pipeline, sources }: Pick<PipelineSpec, 'name' | 'sources'>,
  skip: Skip,
): AsyncGenerator<Listed> {
  for (const source of sources) {
    if (source.seed === undefined) {
      for await (const info of listSource(deps, pipeline, source, skip)) yield { source: source.name, info };
    } else {
      const info = await deps.store.head(seedKey(pipeline, source));
      if (info !== undefined) yield { source: source.name, info };
    }
  }
}

/** Those of some files that are of the pipeline's sources, as `listSources` has them, and its seeds. */
export async function* listNamed(
  deps: Pick<StepDeps, 'store'>,
  { name: pipeline, sources }: Pick<PipelineSpec, 'name' | 'sources'>,
  named: readonly ObjectInfo[],
): AsyncGenerator<Listed> {
  const ofSource = (source: SourceSpec, { key }: ObjectInfo): boolean => {
    const prefix = sourcePrefix(pipeline, source);
    return source.seed === undefined && key.startsWith(prefix) && !isIgnored(prefix, source, key);
  };
  for (const source of sources) {
    for (const info of named) if (ofSource(source, info)) yield { source: source.name, info };
  }
  yield* listSources(deps, { name: pipeline, sources: sources.filter(({ seed }) => seed !== undefined) }, () => {});
}

/** Where the file of a seed lies once a run has landed it. */
export function seedKey(pipeline: string, source: Pick<SourceSpec, 'name' | 'seed'>): string {
  return `${sourcePrefix(pipeline, source)}${source.seed?.name ?? ''}`;
}

/** What lies beside the folders of a pipeline's sources, where no run looks for files. */
export async function findStrays(
  { store }: Pick<StepDeps, 'store'>,
  pipeline: string,
  sources: readonly SourceSpec[],
  skip: Skip,
): Promise<void> {
  const folders = new Set([...sources.map((source) => `${source.name}/`), `${SEEDS_FOLDER}/`]);
  for (const name of await store.names(`bronze/${pipeline}/`, skip)) {
    if (folders.has(name)) continue;
    const reason = name.endsWith('/') ? `${pipeline} has no source of that name` : 'it lies in no folder of a source';
    skip({ name: `bronze/${pipeline}/${name}`, reason });
  }
}

export function landedFile({
  key,
  size,
  etag,
  version,
}: Pick<ObjectInfo, 'key' | 'size' | 'etag' | 'version'>): LandedFile {
  return { key, size, etag, ...(version === undefined ? {} : { version }) };
}

/** Files that are in memory at once. */
const PAGE_FILES = 50_000;

/** A listing as a relation of a session, and how many files it has. */
export type KeptListing = { readonly listed: Sql; readonly files: number };

/** Writes a listing down, page by page, as a relation of a session; `undefined` for an empty one. */
export async function keepListed(
  session: Session,
  listed: AsyncIterable<Listed>,
  folder: string,
): Promise<KeptListing | undefined> {
  const packed: string[] = [];
  let lines: string[] = [];
  let n = 0;
  const write = async (): Promise<string> => {
    const path = join(folder, `listed-${packed.length}.json`);
    await writeFile(path, `${lines.join('\n')}\n`);
    lines = [];
    return path;
  };
  const pack = async (): Promise<void> => {
    const to = join(folder, `listed-${packed.length}.parquet`);
    await session.run(packListed(await write(), to));
    packed.push(to);
  };
  for await (const { source, info } of listed) {
    const { key, size, etag, former, version } = info;
    lines.push(JSON.stringify({ n, source, key, size, etag, former, version }));
    n += 1;
    if (lines.length === PAGE_FILES) await pack();
  }
  if (packed.length === 0) return n === 0 ? undefined : { listed: renderListed(await write()), files: n };
  if (lines.length > 0) await pack();
  return { listed: renderPacked(packed), files: n };
}
