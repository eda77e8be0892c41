import type { Expected, ModelTest, TestRun } from '../core/model-test.ts';
import { readableColumns } from '../core/readable-columns.ts';
import type { RunResult } from '../core/run.ts';
import { type ModelSpec, modelId, type PipelineSpec, type TableRef } from '../core/spec.ts';
import { fullName } from '../core/tables.ts';
import type { Column } from '../core/types.ts';
import type { VarValues } from '../core/vars.ts';
import { columnsOf, currentSchema } from '../iceberg/schema.ts';
import type { StepDeps } from '../lake/deps.ts';
import { findModel, openTable, tableIdOf } from '../lake/tables/table-state.ts';
import type { Row } from '../ports.ts';
import { selectGivenTexts, selectTableTexts } from '../sql/given-rows.ts';
import { createSchemas } from '../sql/scan.ts';
import { loadTable } from '../table/read.ts';
import { cutSpec } from './cut-spec.ts';
import { diffRows, type RowDiff, type TextRow } from './diff.ts';
import { give } from './give.ts';
import { giveTable } from './given-table.ts';
import { diffRejected, type LinesOfFiles } from './rejected.ts';

/** What differs from what a test expects. */
export type Difference =
  | { readonly kind: 'rows'; readonly table: string; readonly run: string; readonly diff: RowDiff }
  | { readonly kind: 'rejected'; readonly run: string; readonly diff: RowDiff }
  /** The run should have failed with this, and did not, or with another message; or it failed and should not have. */
  | { readonly kind: 'error'; readonly run: string; readonly expected: string | null; readonly got: string | null };

/** An empty lake for one test, in which a run goes from plan to commit at a given time. */
export type TestLake = {
  readonly deps: StepDeps;
  /** Runs what has landed; `undefined` when there was nothing to do. */
  run(runId: string, vars: VarValues): Promise<RunResult | undefined>;
};

/** The lake of a pipeline, at the time that `now` says. */
export type OpenTestLake = (spec: PipelineSpec, now: () => Date) => TestLake;

/** Runs a test on a lake of its own. Answers what is not as expected. */
export async function runModelTest(
  test: ModelTest,
  spec: PipelineSpec,
  open: OpenTestLake,
): Promise<readonly Difference[]> {
  const model = findModel(spec, modelId(test.model));
  const tables = new Map<string, TableRef>();
  for (const given of test.runs.flatMap((run) => run.given)) {
    if (given.kind === 'table') tables.set(modelId(given.table), given.table);
  }
  const cut = cutSpec(spec, model, [...tables.values()]);
  let now = new Date(0);
  const lake = open(cut, () => now);
  for (const table of tables.values()) {
    await giveTable(lake.deps, cut, table, { log: false, rows: [] });
  }
  const found: Difference[] = [];
  for (const run of test.runs) {
    now = new Date(run.at);
    const lines = await give(lake.deps, cut, run.given);
    const result = await lake.run(run.runId, run.vars);
    found.push(...(await differences(lake.deps, { spec: cut, model, run, lines }, result)));
    if (found.length > 0) break;
  }
  return found;
}

type Ran = {
  readonly spec: PipelineSpec;
  readonly model: ModelSpec;
  readonly run: TestRun;
  readonly lines: LinesOfFiles;
};

async function differences(deps: StepDeps, ran: Ran, result: RunResult | undefined): Promise<readonly Difference[]> {
  const { run } = ran;
  const failure = result?.error ?? null;
  const got = failure === null ? null : `${failure.name}: ${failure.message}`;
  const wanted = run.expected?.error ?? null;
  const failed = { kind: 'error', run: run.runId, expected: wanted, got } as const;
  if (wanted === null ? got !== null : got?.includes(wanted) !== true) return [failed];
  if (run.expected === null || got !== null) return [];
  const rejected =
    run.expected.rejected === null || result === undefined
      ? undefined
      : await diffRejected(deps, run.expected.rejected, result, ran.lines);
  const rows = await diffTable(deps, ran, run.expected);
  return [
    ...(rows === undefined ? [] : [rows]),
    ...(rejected === undefined ? [] : [{ kind: 'rejected', run: run.runId, diff: rejected } as const]),
  ];
}

async function diffTable(
  deps: StepDeps,
  { spec, model, run }: Ran,
  { rows, columns, ordered }: Expected,
): Promise<Difference | undefined> {
  if (rows === null) return undefined;
  const id = tableIdOf(spec, model);
  const metadata = (await loadTable(deps.catalog, id))?.metadata;
  const typed = new Map(readableColumns(model).map((column) => [column.name, column]));
  for (const column of metadata === undefined ? [] : columnsOf(currentSchema(metadata))) typed.set(column.name, column);
  const compared = columns.map((name): Column => typed.get(name) ?? { name, type: { kind: 'string' } });
  await using session = await deps.engine.open(deps.settings);
  for (const statement of createSchemas([model.layer])) await session.run(statement);
  const table = { schema: model.layer, table: model.name };
  const strange = compared.filter(({ name }) => !typed.has(name));
  await using _files = await openTable(deps.store, session, table, metadata, [...typed.values(), ...strange]);
  const texts = (found: readonly Row[]): readonly TextRow[] =>
    found.map((row) => columns.map((column) => (row[column] ?? null) as string | null));
  const expected = texts(await session.rows(selectGivenTexts(compared, rows)));
  const got = texts(await session.rows(selectTableTexts(model.layer, model.name, compared)));
  const diff = diffRows(columns, expected, got, ordered);
  return diff === undefined ? undefined : { kind: 'rows', table: fullName(id), run: run.runId, diff };
}
