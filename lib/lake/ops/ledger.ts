import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { opsTable } from '../../core/ops.ts';
import type { LandedFile } from '../../core/run.ts';
import type { PipelineSpec, SourceSpec } from '../../core/spec.ts';
import type { Session } from '../../ports.ts';
import { renderRenamedEtags, selectTaken, type TakenFor } from '../../sql/ops-rows.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { openScratch } from '../files/scratch.ts';
import { stageFiles } from '../files/stage-files.ts';
import type { RenamedEtag } from './find-new.ts';
import { ledgerKey } from './known-files.ts';
import { landedFile, listSource } from './list-landed.ts';
import { openOps } from './open-ops.ts';
import { commitOps, OPS_FILE_BYTES, opsTarget } from './ops-tables.ts';

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

type Sources = Pick<PipelineSpec, 'name' | 'sources' | 'models'>;

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
