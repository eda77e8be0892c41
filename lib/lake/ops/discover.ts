import { createHash } from 'node:crypto';
import type { Asked } from '../../core/asked.ts';
import { mapConcurrent } from '../../core/concurrency.ts';
import { InvalidInput } from '../../core/errors.ts';
import { objectName } from '../../core/objects.ts';
import type { OpenInput, RunRef } from '../../core/run.ts';
import { DEFAULT_RECONCILE_MS, type PipelineSpec } from '../../core/spec.ts';
import type { Upload } from '../../core/trigger.ts';
import type { ObjectInfo, ObjectStore } from '../../ports.ts';
import type { StepDeps } from '../deps.ts';
import { readJsonIfAny, runFolder, writeJson } from '../run/run-folder.ts';
import { isPlain } from './due.ts';
import { readMarks, removeMarks } from './marks.ts';

/** By what a run looks for new files, and what is to be noted once it has dealt with them. */
export type Discovery = {
  /** Marks that were there before the run looked into bronze. */
  readonly marks: readonly string[];
  /** To be noted: bronze is compared with what is known. Left out where no events start runs that would ask. */
  readonly compared?: Compared;
  /** Present: the run takes of these, which events named, and looks for no others. */
  readonly named?: readonly ObjectInfo[];
};

/** When all of bronze was compared with what is known, and a hash of the sources as they were then. */
type Compared = { readonly at: string; readonly sources: string };

type Looking = Asked & Pick<OpenInput, 'dry_run' | 'started_by' | 'execution'>;

function comparedKey(pipeline: string): string {
  return `ops/${pipeline}/compared.json`;
}

/**
 * How a run looks for new files. One that events have started takes what they named, unless the last comparison of bronze
 * with what is known is older than the pipeline allows, its sources have changed since, or a mark asks for it; any other run
 * compares. A run that is not about all models and what waits for them leaves the marks to others, which is undefined.
 */
export async function discover(deps: StepDeps, spec: PipelineSpec, looking: Looking): Promise<Discovery | undefined> {
  const { dry_run, started_by, execution, select, exclude } = looking;
  if (dry_run || !isPlain(looking) || (select ?? exclude) !== undefined) return undefined;
  const { keys: marks, files } = await readMarks(deps.store, spec.name);
  const compared = { at: deps.clock.now().toISOString(), sources: hashOf(spec) };
  if (started_by !== 'events' || files === undefined || (await isDue(deps, spec, compared))) {
    return { marks, ...(execution === undefined ? {} : { compared }) };
  }
  return { marks, named: await findNamed(deps, files) };
}

async function isDue({ store }: StepDeps, spec: PipelineSpec, now: Compared): Promise<boolean> {
  const last = await readJsonIfAny<Compared>(store, comparedKey(spec.name));
  if (last === undefined || last.sources !== now.sources) return true;
  const { reconcileMs } = spec.discover ?? { reconcileMs: DEFAULT_RECONCILE_MS };
  // A last one that is still to come is of a clock that was put back since.
  const age = Date.parse(now.at) - Date.parse(last.at);
  return !(age >= 0 && age < reconcileMs);
}

/** A source or a table that is new may have files whose events nobody took then. */
function hashOf({ sources, models }: PipelineSpec): string {
  const readers = models.flatMap((model) => (model.layer === 'silver' ? [[model.id, model.from]] : []));
  return createHash('sha256')
    .update(JSON.stringify([sources, readers]))
    .digest('hex');
}

/** What events have named, as it is: nothing of what has been withdrawn. */
async function findNamed(deps: StepDeps, files: readonly Upload[]): Promise<readonly ObjectInfo[]> {
  // The end of a run that this pipeline follows is marked like a file.
  const uploads = files.filter(({ key }) => key.startsWith('bronze/'));
  const found = (await mapConcurrent(uploads, (file) => lookAt(deps, file))).flat();
  const each = new Map(found.map((info) => [`${info.etag} ${objectName(info)}`, info]));
  return [...each.values()].sort((a, b) => a.modified - b.modified);
}

async function lookAt({ store, log }: StepDeps, { key, version }: Upload): Promise<readonly ObjectInfo[]> {
  try {
    const now = await store.head(key);
    if (now === undefined) return [];
    if (version === undefined || now.version === undefined || now.version === version) return [now];
    // It was overwritten since, or what it was has been withdrawn: of that a listing tells.
    const all: ObjectInfo[] = [];
    for await (const info of store.list(key)) if (info.key === key) all.push(info);
    return all;
  } catch (cause) {
    if (!(cause instanceof InvalidInput)) throw cause;
    log.warn('not a file of a source', { name: key, reason: cause.message });
    return [];
  }
}

/** Writes down what a run is to settle, if there is anything. */
export async function keepDiscovery(store: ObjectStore, run: RunRef, { named, ...rest }: Discovery): Promise<void> {
  if (rest.marks.length > 0 || rest.compared !== undefined) await writeJson(store, runFolder.discovery(run), rest);
}

/** Settles what a run that has published had looked for new files by; nothing where it had none. May be repeated. */
export async function settleRun(store: ObjectStore, run: RunRef): Promise<void> {
  const found = await readJsonIfAny<Omit<Discovery, 'named'>>(store, runFolder.discovery(run));
  if (found !== undefined) await settle(store, run.pipeline, found);
}

/** Removes marks whose files are dealt with, and notes the comparison. */
export async function settle(store: ObjectStore, pipeline: string, found: Omit<Discovery, 'named'>): Promise<void> {
  await removeMarks(store, found.marks);
  if (found.compared !== undefined) await writeJson(store, comparedKey(pipeline), found.compared);
}
