import type { Vacuumed } from '../../core/maintenance.ts';
import type { ObjectInfo, ObjectStore } from '../../ports.ts';
import { readOpenRun } from '../run/open-run.ts';
import { type RecordOf, recordFolder } from './removals.ts';
import { counting, createCount, oldObjects, removeAll } from './vacuum-table.ts';

/** What stays of a run that has ended: by it, its id is known, and the pipeline that it ran. */
const KEPT = new Set(['plan.json', 'result.json', 'commit.json']);

/**
 * Removes what ended runs, dry runs and records of maintenance have left in the books of a pipeline, and the marks of uploads,
 * as far as it is older than `before`. Of a run stay its plan and its result, so that its id is not used again.
 */
export async function vacuumRuns(
  store: ObjectStore,
  pipeline: string,
  before: number,
  record: RecordOf | undefined,
): Promise<Vacuumed> {
  const counted = createCount();
  await removeAll(store, record, `${pipeline}_ops`, counting(leftByRuns(store, pipeline, before, record), counted));
  return { table: `ops/${pipeline}`, kind: 'runs', ...counted };
}

async function* leftByRuns(
  store: ObjectStore,
  pipeline: string,
  before: number,
  record: RecordOf | undefined,
): AsyncIterable<readonly ObjectInfo[]> {
  const root = `ops/${pipeline}`;
  for (const folder of ['_runs', '_compactions', '_maintenance']) {
    for (const id of await store.folders(`${root}/${folder}/`)) {
      const at = `${root}/${folder}/${id}/`;
      if (record !== undefined && at === `${recordFolder(record)}/`) continue;
      const ended = (await store.head(`${at}result.json`))?.modified;
      if (ended === undefined || ended >= before) continue;
      for await (const batch of oldObjects(store, at, before)) {
        yield batch.filter(({ key }) => !KEPT.has(key.slice(at.length)));
      }
    }
  }
  const { run } = await readOpenRun(store, { pipeline });
  for (const id of await store.folders(`${root}/_dry_runs/`)) {
    if (run?.dry_run === true && run.run_id === id) continue;
    yield* oldObjects(store, `${root}/_dry_runs/${id}/`, before);
  }
  yield* oldObjects(store, `${root}/_events/`, before);
}
