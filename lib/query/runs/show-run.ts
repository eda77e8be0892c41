import { InvalidInput } from '../../core/errors.ts';
import { type OpsTable, opsTable } from '../../core/ops.ts';
import { sayAwaiting } from '../../core/promote.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { fileInProject, findPlace, type SqlPlace } from '../../core/sql-place.ts';
import type { Sql } from '../../core/sql-text.ts';
import { nearest } from '../../core/suggest.ts';
import type { Clock, Row } from '../../ports.ts';
import { selectOfRun, selectRefusedFiles } from '../../sql/facts/of-run.ts';
import { loadTable } from '../../table/read.ts';
import type { QueryDeps } from '../deps.ts';
import { awaitingRun } from '../gate/awaiting-runs.ts';
import { latestOf, listRuns } from '../list-runs.ts';
import { queryRows } from '../select.ts';

/** What went wrong in a run: `model` is null where it was not one model; `place` where it is in the user's SQL, if that is known. */
export type RunError = {
  readonly model: string | null;
  readonly error: string;
  readonly place: SqlPlace | null;
};

/** All that the books have of one run. */
export type RunDetails = {
  /** As OPS_TABLES.runs, with `pipeline` first. */
  readonly run: Row;
  readonly models: readonly Row[];
  readonly accounts: readonly Row[];
  readonly lineage: readonly Row[];
  readonly quality: readonly Row[];
  /** Files that the run rejected or suspended: `source`, `key`, `status`, `code`, `reason`. */
  readonly refused_files: readonly Row[];
  readonly errors: readonly RunError[];
};

/** Finds a run by its id. `specOf`: a pipeline as it is now, by which its SQL is known; undefined for one that is not there. */
export async function showRun(
  deps: QueryDeps & { readonly clock: Clock },
  runId: string,
  specOf: (pipeline: string) => Promise<PipelineSpec | undefined>,
): Promise<RunDetails> {
  const runs = await listRuns(deps);
  const run = latestOf(runs, runId);
  if (run === undefined) {
    await requireNotAwaiting(deps, runId);
    throw noRun(runId, runs);
  }
  const pipeline = String(run['pipeline']);
  const ask = async (book: OpsTable, query: Sql): Promise<readonly Row[]> => {
    const table = await loadTable(deps.catalog, opsTable(pipeline, book));
    return table === undefined ? [] : queryRows(deps, query);
  };
  const rows = (book: OpsTable, ...by: readonly string[]): Promise<readonly Row[]> =>
    ask(book, selectOfRun(pipeline, book, runId, by));
  const models = await rows('model_runs', 'level', 'started_at', 'model');
  return {
    run,
    models,
    accounts: await rows('accounting', 'source', 'table_name'),
    lineage: await rows('lineage', 'at', 'model', 'action', 'table_or_source'),
    quality: await rows('quality', 'table', 'column'),
    refused_files: await ask('files', selectRefusedFiles(pipeline, runId)),
    errors: errorsOf(run, models, await specOf(pipeline)),
  };
}

function errorsOf(run: Row, models: readonly Row[], spec: PipelineSpec | undefined): readonly RunError[] {
  const failed = models.filter((row) => typeof row['error'] === 'string');
  const found = failed.map((row) => {
    const [id, error] = [String(row['model']), String(row['error'])];
    const model = spec?.models.find((one) => one.id === id);
    const place = model && findPlace(model, error);
    const file = place && fileInProject(String(run['pipeline']), place.file);
    return { model: id, error, place: place === undefined || file === undefined ? null : { ...place, file } };
  });
  const own = run['error'];
  return found.length > 0 || typeof own !== 'string' ? found : [{ model: null, error: own, place: null }];
}

/** One that awaits approval is listed as others are, and in no book. */
async function requireNotAwaiting(
  { store, clock }: Pick<QueryDeps, 'store'> & { readonly clock: Clock },
  runId: string,
): Promise<void> {
  for (const pipeline of await store.folders('ops/')) {
    const found = await awaitingRun({ store }, pipeline, clock.now());
    if (found?.awaiting.run_id !== runId) continue;
    const said = sayAwaiting(pipeline, found.awaiting);
    throw new InvalidInput(`nothing is told of a run before it has ended: ${said}`);
  }
}

function noRun(runId: string, runs: readonly Row[]): InvalidInput {
  const ids = runs.map((row) => String(row['run_id']));
  const begun = ids.filter((id) => id.startsWith(runId) && runId !== '');
  const near = begun.length === 1 ? begun[0] : nearest(runId, ids);
  const expected = near === undefined ? 'one of those that strata runs lists' : `did you mean ${near}?`;
  return new InvalidInput(
    `no run ${JSON.stringify(runId)}: got an id that no table of runs has; expected the whole id of a run that published or failed; ${expected}`,
  );
}
