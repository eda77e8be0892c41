import { mapConcurrent } from '../../core/concurrency.ts';
import type { Vacuumed } from '../../core/maintenance.ts';
import type { ObjectInfo, ObjectStore } from '../../ports.ts';
import { rememberIds } from '../run/forgotten-ids.ts';
import { readOpenRun } from '../run/open-run.ts';
import { type RecordOf, recordFolder } from './removals.ts';
import { endedGates } from './vacuum-gates.ts';
import { unneededSpecs } from './vacuum-specs.ts';
import { counting, createCount, oldObjects, removeAll } from './vacuum-table.ts';

/** What stays of a run that has ended for some time more: what it was to do, and what it answered. */
const KEPT = new Set(['plan.json', 'result.json', 'commit.json']);

/** Milliseconds since the epoch, both. */
export type RunsAge = {
  /** What runs needed that ended before this goes. */
  readonly before: number;
  /** Of runs that ended before this goes all but their ids, and of functions their notes and alerts. */
  readonly forget: number;
  /** Runs whose plan and result stay: tables still have snapshots of them. */
  readonly keep: ReadonlySet<string>;
};

/**
 * Removes what ended runs, dry runs and records of maintenance have left in the books of a pipeline, the marks of uploads, alerts
 * and notes of functions, as far as they are old. The ids of runs of which nothing stays are noted before.
 */
export async function vacuumRuns(
  store: ObjectStore,
  pipeline: string,
  age: RunsAge,
  record: RecordOf | undefined,
): Promise<Vacuumed> {
  const counted = createCount();
  await removeAll(store, record, `${pipeline}_ops`, counting(leftByRuns(store, pipeline, age, record), counted));
  return { table: `ops/${pipeline}`, kind: 'runs', ...counted };
}

async function* leftByRuns(
  store: ObjectStore,
  pipeline: string,
  age: RunsAge,
  record: RecordOf | undefined,
): AsyncIterable<readonly ObjectInfo[]> {
  const root = `ops/${pipeline}`;
  // One of these may have ended a moment ago, and is looked at by whoever finds its name.
  const open = await openRuns(store, pipeline);
  const forgotten = new Set<string>();
  for (const folder of ['_runs', '_compactions', '_maintenance']) {
    const ended = await endedRuns(store, `${root}/${folder}/`, age);
    const gone = ended.filter(({ id, at }) => at < age.forget && !age.keep.has(id) && !open.has(id));
    if (record !== undefined)
      await rememberIds(
        store,
        pipeline,
        gone.map(({ id }) => id),
      );
    const whole = new Set(gone.map(({ id }) => id));
    if (folder === '_runs') for (const id of whole) forgotten.add(id);
    for (const { id } of ended) {
      const at = `${root}/${folder}/${id}/`;
      if (record !== undefined && at === `${recordFolder(record)}/`) continue;
      for await (const batch of oldObjects(store, at, age.before)) {
        yield whole.has(id) ? batch : batch.filter(({ key }) => !KEPT.has(key.slice(at.length)));
      }
    }
  }
  const { run } = await readOpenRun(store, { pipeline });
  for (const id of await store.folders(`${root}/_dry_runs/`)) {
    if (run?.dry_run === true && run.run_id === id) continue;
    yield* oldObjects(store, `${root}/_dry_runs/${id}/`, age.before);
  }
  yield* endedGates(store, pipeline, { forget: age.forget, stay: (id) => open.has(id) || age.keep.has(id) });
  yield* unneededSpecs(store, pipeline, age.forget, forgotten);
  yield* oldObjects(store, `${root}/_events/`, age.before);
  // Notes of functions of earlier releases are in `_audit`.
  for (const folder of ['_alerts', 'audit_log', '_audit']) yield* oldObjects(store, `${root}/${folder}/`, age.forget);
}

async function openRuns(store: ObjectStore, pipeline: string): Promise<ReadonlySet<string>> {
  const runs = [await readOpenRun(store, { pipeline }), await readOpenRun(store, { pipeline, kind: 'maintenance' })];
  return new Set(runs.flatMap(({ run }) => run?.run_id ?? []));
}

/** Runs below a folder that ended before, each with the time of its result. */
async function endedRuns(
  store: ObjectStore,
  folder: string,
  { before }: RunsAge,
): Promise<readonly { readonly id: string; readonly at: number }[]> {
  const found = await mapConcurrent(await store.folders(folder), async (id) => {
    const at = (await store.head(`${folder}${id}/result.json`))?.modified;
    return at !== undefined && at < before ? [{ id, at }] : [];
  });
  return found.flat();
}
