import { InvalidInput } from '../core/errors.ts';
import { type BookRow, type RecordedRun, recordedRunOf } from '../core/facts.ts';
import { FACT_TABLES, opsTable } from '../core/ops.ts';
import { didYouMean } from '../core/suggest.ts';
import { selectRecorded } from '../sql/facts/recorded.ts';
import { loadTable } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';
import { latestOf, listRuns } from './list-runs.ts';
import { queryRows } from './select.ts';

/** Runs by their ids, or the last ones. */
export type RunsAsked = { readonly ids: readonly string[] } | { readonly last: number };

/**
 * What the books have of runs that have ended, the oldest first. A run from before there were such books has no models in them. Throws
 * InvalidInput for a run that is not there.
 */
export async function recordedRuns(
  deps: QueryDeps,
  pipeline: string,
  asked: RunsAsked,
): Promise<readonly RecordedRun[]> {
  const all = eachOnce((await listRuns(deps, pipeline)).filter((row) => row['finished_at'] !== null));
  const chosen = 'ids' in asked ? asked.ids.map((id) => findRun(all, pipeline, id)) : all.slice(0, asked.last);
  const ids = chosen.map((row) => String(row['run_id']));
  const books = new Map<string, readonly BookRow[]>();
  for (const book of FACT_TABLES) {
    const there = ids.length > 0 && (await loadTable(deps.catalog, opsTable(pipeline, book))) !== undefined;
    books.set(book, there ? await queryRows(deps, selectRecorded(pipeline, book, ids)) : []);
  }
  return chosen.toReversed().map((run) => {
    const of = (book: (typeof FACT_TABLES)[number]) =>
      (books.get(book) ?? []).filter((row) => row['run_id'] === run['run_id']);
    return recordedRunOf(run, { model_runs: of('model_runs'), lineage: of('lineage'), quality: of('quality') });
  });
}

/** As what became of it: one that failed while it published has two rows. */
function eachOnce(rows: readonly BookRow[]): readonly BookRow[] {
  const byId = Map.groupBy(rows, (row) => String(row['run_id']));
  return [...byId].map(([id, own]) => latestOf(own, id)).filter((row) => row !== undefined);
}

function findRun(all: readonly BookRow[], pipeline: string, id: string): BookRow {
  const found = latestOf(all, id);
  if (found !== undefined) return found;
  const known = all.map((row) => String(row['run_id']));
  throw new InvalidInput(
    `no run ${JSON.stringify(id)} of ${pipeline} has ended: expected one that \`strata runs ${pipeline}\` lists${didYouMean(id, known)}`,
  );
}
