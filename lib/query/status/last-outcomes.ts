import { opsTable } from '../../core/ops.ts';
import type { RunResult } from '../../core/run.ts';
import type { Expectation, ModelSpec, PipelineSpec } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import { expectsOf, type TestFact } from '../../core/test-fact.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { readJsonIfAny, runFolder } from '../../lake/run/run-folder.ts';
import { uncheckedIn } from '../../lake/tables/made-by.ts';
import { tableIdOf } from '../../lake/tables/table-state.ts';
import type { Row } from '../../ports.ts';
import { latestEnds } from '../../sql/status/page.ts';
import { loadTable } from '../../table/read.ts';
import { queryRows } from '../select.ts';

/** How a model's latest run of a kind ended. */
type End = { readonly run_id: string; readonly at: string; readonly error: string | null };

type Ends = { readonly good: End | undefined; readonly bad: End | undefined };

/**
 * Every expectation of a pipeline's tables with what became of it the last time that a run worked on its table: broken where the latest run
 * failed by it or warned of it. Asks no table; `strata check` does.
 */
export async function lastOutcomes(
  deps: StepDeps,
  spec: PipelineSpec,
  tables: ReadonlyMap<string, TableMetadata>,
): Promise<readonly TestFact[]> {
  const ends = await endsOf(deps, spec);
  const warnings = new Map<string, readonly string[] | undefined>();
  const facts: TestFact[] = [];
  for (const model of spec.models) {
    const own = ends.get(model.id) ?? { good: undefined, bad: undefined };
    const run = own.good?.run_id;
    if (model.expect.length > 0 && run !== undefined && !warnings.has(run))
      warnings.set(run, await warningsOf(deps, spec.name, run));
    const unasked = new Set(uncheckedIn(spec, model, tables.get(model.id)).map(({ name }) => name));
    for (const expectation of model.expect) {
      const found = unasked.has(expectation.name)
        ? (brokenBy(model, expectation, own) ?? UNKNOWN)
        : outcomeOf(model, expectation, own, run === undefined ? undefined : warnings.get(run));
      facts.push({ ...declared(spec, model, expectation), ...found });
    }
  }
  return facts;
}

function declared(
  spec: PipelineSpec,
  model: ModelSpec,
  expectation: Expectation,
): Pick<TestFact, 'table' | 'name' | 'kind' | 'policy' | 'expects'> {
  const { name, kind, policy } = expectation;
  return { table: fullName(tableIdOf(spec, model)), name, kind, policy, expects: expectsOf(expectation) };
}

type Found = Pick<TestFact, 'outcome' | 'said' | 'run_id' | 'at'>;

const UNKNOWN: Found = { outcome: 'unknown', said: null, run_id: null, at: null };

/** `warnings`: of the latest run that succeeded; undefined where nothing is kept of it but that. */
function outcomeOf(
  model: ModelSpec,
  expectation: Expectation,
  ends: Ends,
  warnings: readonly string[] | undefined,
): Found {
  const failed = brokenBy(model, expectation, ends);
  if (failed !== undefined) return failed;
  const { good } = ends;
  // What publishes has held to all that it must.
  if (good === undefined || (warnings === undefined && expectation.policy !== 'fail')) return UNKNOWN;
  const said = warnings?.find((warning) => isOf(model, expectation, warning));
  return { outcome: said === undefined ? 'held' : 'broken', said: said ?? null, run_id: good.run_id, at: good.at };
}

/** A run that failed by it, and after which none has succeeded. */
function brokenBy(model: ModelSpec, expectation: Expectation, { bad, good }: Ends): Found | undefined {
  if (bad === undefined || bad.error === null || (good !== undefined && good.at >= bad.at)) return undefined;
  if (!isOf(model, expectation, bad.error)) return undefined;
  return { outcome: 'broken', said: bad.error, run_id: bad.run_id, at: bad.at };
}

/** Errors and warnings name the model and the expectation, and go on behind a space or a comma. */
function isOf({ id }: ModelSpec, { name }: Expectation, said: string): boolean {
  const words = `${id}: expectation ${name}`;
  const from = said.indexOf(words);
  return from >= 0 && [' ', ','].includes(said.charAt(from + words.length));
}

async function endsOf(deps: StepDeps, { name }: PipelineSpec): Promise<ReadonlyMap<string, Ends>> {
  if ((await loadTable(deps.catalog, opsTable(name, 'model_runs'))) === undefined) return new Map();
  const rows = await queryRows(deps, latestEnds(name));
  const ends = new Map<string, Ends>();
  for (const row of rows) {
    const before = ends.get(String(row['model'])) ?? { good: undefined, bad: undefined };
    ends.set(
      String(row['model']),
      row['status'] === 'FAILED' ? { ...before, bad: endOf(row) } : { ...before, good: endOf(row) },
    );
  }
  return ends;
}

function endOf(row: Row): End {
  const error = row['error'];
  return {
    run_id: String(row['run_id']),
    at: String(row['ended']),
    error: typeof error === 'string' ? error : null,
  };
}

/** Undefined where the folder of the run is gone. */
async function warningsOf(
  { store }: StepDeps,
  pipeline: string,
  run_id: string,
): Promise<readonly string[] | undefined> {
  const run = { pipeline, run_id, dry_run: false };
  return (await readJsonIfAny<RunResult>(store, runFolder.result(run)))?.warnings;
}
