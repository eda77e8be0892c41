import { InvalidInput } from '../../core/errors.ts';
import { holdsPersonal } from '../../core/personal.ts';
import type { RunState } from '../../core/run.ts';
import {
  LONGEST_POSTGRES_NAME,
  type ServedTable,
  type ServedTableSpec,
  type ServeSpec,
  servedName,
} from '../../core/serve.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch, type Scratch } from '../../lake/files/scratch.ts';
import { requireHeld } from '../../lake/run/lock.ts';
import { startMeasuring } from '../../lake/run/measure.ts';
import { ofPipeline } from '../../lake/run/personal-errors.ts';
import { readPlan } from '../../lake/run/run-folder.ts';
import { writeServed } from '../../lake/serve/served.ts';
import { type ServedTableState, writeServedRows } from '../../lake/serve/served-rows.ts';
import { boundColumns, columnsOfRef, findModel, tableIdOf, visibleColumns } from '../../lake/tables/table-state.ts';
import type { SinkTable } from '../../ports.ts';
import { loadTable } from '../../table/read.ts';

/**
 * Serves the tables of a run that has published them, all at once, as they are now. The sink remembers the run, so that one that died
 * on the way is served by running this again. Whatever goes wrong here, the lake has what the run published.
 */
export async function runServe(state: RunState, given: StepDeps): Promise<RunState> {
  const { run } = state;
  const { spec } = await readPlan(given.store, run);
  const deps = ofPipeline(given, spec);
  const { serve } = spec;
  if (serve === undefined || run.dry_run) return state;
  if (deps.sink === undefined) throw new InvalidInput('nothing was served: this place has no way to serve tables');
  const measure = startMeasuring(deps);
  const states: ServedTableState[] = [];
  for (const table of serve.postgres.tables) states.push(await stateOf(deps, { spec, serve, table }));
  await using files = createFiles(deps);
  const outcomes = await deps.sink(serve.postgres.secret).publish({
    pipeline: run.pipeline,
    run_id: run.run_id,
    schema: serve.postgres.schema,
    tables: states.map((one) => sinkTable(deps, files, one)),
    ...(holdsPersonal(spec) ? { hidesValues: true } : {}),
    requireHeld: () => requireHeld(deps, run),
  });
  const served = outcomes.flatMap(({ name, ...outcome }): readonly ServedTable[] => {
    const table = serve.postgres.tables.find((one) => one.name === name);
    return table === undefined ? [] : [{ to: servedName(serve, table), from: table.from, ...outcome }];
  });
  const tables = served.map(({ to, from, snapshot_id }) => ({ to, from, snapshot_id, run_id: run.run_id }));
  await writeServed(deps.store, run.pipeline, { tables, error: null });
  return { ...state, served, serving: measure() };
}

type Asked = { readonly spec: PipelineSpec; readonly serve: ServeSpec; readonly table: ServedTableSpec };

/** A table as it is now: under the run's lock that is how the run left it, but for files that maintenance has rewritten. */
async function stateOf(deps: StepDeps, asked: Asked): Promise<ServedTableState> {
  const { spec, table } = asked;
  const model = findModel(spec, table.from);
  const ref = { layer: model.layer, name: model.name };
  const metadata = (await loadTable(deps.catalog, tableIdOf(spec, ref)))?.metadata;
  const own = columnsOfRef(spec, ref);
  const named = new Set(own.map(({ name }) => name));
  const also = metadata === undefined ? [] : visibleColumns(metadata).filter(({ name }) => !named.has(name));
  const columns = boundColumns(metadata, [...own, ...also]);
  for (const { name } of columns) {
    if (Buffer.byteLength(name) <= LONGEST_POSTGRES_NAME) continue;
    throw new InvalidInput(
      `${servedName(asked.serve, table)}: got a column ${name}; expected a name of at most ${LONGEST_POSTGRES_NAME} bytes, since PostgreSQL cuts longer ones`,
    );
  }
  return { ...asked, ref, metadata, columns, also };
}

function sinkTable(deps: StepDeps, files: Files, state: ServedTableState): SinkTable {
  const { metadata, columns, table } = state;
  const snapshot = metadata && currentSnapshot(metadata);
  const { name, mode, key, keep = 0, truncate = false } = table;
  return {
    ...{ name, mode, key, keep, truncate, columns },
    snapshot_id: snapshot === undefined ? null : snapshot['snapshot-id'].toString(),
    rows: async (served) => writeServedRows(deps, await files.next(), state, served),
  };
}

/** Folders for the rows of one table at a time: those of the one before are copied when the next are asked for. */
type Files = AsyncDisposable & { next(): Promise<string> };

function createFiles(deps: StepDeps): Files {
  let last: Scratch | undefined;
  const leave = async (): Promise<void> => {
    await last?.[Symbol.asyncDispose]();
    last = undefined;
  };
  return {
    async next() {
      await leave();
      last = await openScratch(deps, 'serve');
      return last.folder;
    },
    [Symbol.asyncDispose]: leave,
  };
}
