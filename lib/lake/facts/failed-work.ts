import { mapConcurrent } from '../../core/concurrency.ts';
import type { RunFacts } from '../../core/facts.ts';
import { addByTable, addInputs, NO_INPUTS } from '../../core/input-bytes.ts';
import type { MergeUnit } from '../../core/merge-unit.ts';
import type { Measured } from '../../core/requests.ts';
import { addCounts, NO_ROWS } from '../../core/row-counts.ts';
import type { LevelPlan, ModelPlan, RunPlan, UnitItem } from '../../core/run.ts';
import { fullName } from '../../core/tables.ts';
import type { Rate } from '../../plan/model-cost.ts';
import type { ObjectStore } from '../../ports.ts';
import { addMeasured } from '../run/measure.ts';
import { readJson, readJsonIfAny, runFolder } from '../run/run-folder.ts';
import type { LevelAudit } from '../run/run-records.ts';
import type { UnitResult } from '../run/unit-record.ts';
import { findModel, tableIdOf } from '../tables/table-state.ts';
import { auditedWork, factRows, type ModelWork } from './fact-rows.ts';
import { type FileOf, filesRead } from './model-facts.ts';

/** What is kept of a run that failed, by what is in its folder until it is undone. `error`: as people are told of it. */
export async function factsOfFailed(
  store: ObjectStore,
  plan: RunPlan,
  error: string,
  rate: Rate,
): Promise<Omit<RunFacts, 'runs'>> {
  const work: ModelWork[] = [];
  for (let level = 0; level < plan.spec.levels.length; level += 1) {
    const audit = await readJsonIfAny<LevelAudit>(store, runFolder.audit(plan.run, level));
    const planned = audit ?? (await readJsonIfAny<LevelPlan>(store, runFolder.levelPlan(plan.run, level)));
    if (planned === undefined) break;
    if (audit !== undefined) {
      work.push(...auditedWork(plan, audit).map((one) => ({ ...one, status: 'UNDONE' as const })));
      continue;
    }
    work.push(...(await begunWork(store, plan, planned as LevelPlan, error)));
    break;
  }
  return factRows(plan, work, { published: undefined, rate });
}

/** Of a unit's result what counts here: what it wrote may be much, and what ends a run has little memory. */
type Ended = Measured & Pick<UnitResult, 'counts' | 'inputs' | 'reads'> & { readonly files: readonly FileOf[] };

type Begun = {
  readonly planned: ModelPlan;
  readonly staged: readonly Ended[];
  readonly merged: readonly Ended[];
  readonly whole: boolean;
};

/** Models of the level at which the run failed, as far as their units have ended. */
async function begunWork(
  store: ObjectStore,
  plan: RunPlan,
  level: LevelPlan,
  error: string,
): Promise<readonly ModelWork[]> {
  const begun: Begun[] = [];
  const merges = await readMerges(store, plan, level.level);
  for (const planned of level.models) {
    begun.push(await readBegun(store, plan, level.level, { planned, merges: merges.get(planned.model) ?? [] }));
  }
  const faulty = findFaulty(plan, begun, error);
  const within = level.span ?? { from: plan.created_at, to: plan.created_at };
  return begun.flatMap(({ planned, staged, merged }) => {
    const results = [...staged, ...merged];
    const failed = planned.model === faulty;
    if (results.length === 0 && !failed) return [];
    const source = planned.contract === null ? null : filesRead(staged.flatMap(({ files }) => files));
    const facts = {
      staging: addMeasured(staged),
      merging: addMeasured(merged),
      units: staged.length,
      merge_units: merged.length,
      source,
      columns: [],
      reads: addByTable(results.map(({ reads = {} }) => reads)),
    };
    const work: ModelWork = {
      level: level.level,
      model: planned.model,
      counts: staged.map(({ counts }) => counts).reduce(addCounts, NO_ROWS),
      facts,
      inputs: results.map(({ inputs = NO_INPUTS }) => inputs).reduce(addInputs, NO_INPUTS),
      tables: [],
      within,
      status: failed ? 'FAILED' : 'UNDONE',
      error: failed ? error : null,
    };
    return [work];
  });
}

/** By model: its merge units. */
async function readMerges(
  store: ObjectStore,
  { run }: RunPlan,
  level: number,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const items = (await readJsonIfAny<readonly UnitItem[]>(store, runFolder.mergeUnits(run, level))) ?? [];
  const merges = await mapConcurrent(items, async ({ unit }) => {
    const { model } = await readJson<MergeUnit>(store, runFolder.unit(run, level, unit));
    return { model, unit };
  });
  const byModel = Map.groupBy(merges, ({ model }) => model);
  return new Map([...byModel].map(([model, own]) => [model, own.map(({ unit }) => unit)]));
}

async function readBegun(
  store: ObjectStore,
  { run }: RunPlan,
  level: number,
  { planned, merges }: { readonly planned: ModelPlan; readonly merges: readonly string[] },
): Promise<Begun> {
  const endedOf = async (unit: string): Promise<readonly Ended[]> => {
    const result = await readJsonIfAny<UnitResult>(store, runFolder.unitResult(run, level, unit));
    return result === undefined ? [] : [endedUnit(result)];
  };
  const staged = (await mapConcurrent(planned.units, endedOf)).flat();
  const merged = (await mapConcurrent(merges, endedOf)).flat();
  return { planned, staged, merged, whole: staged.length + merged.length === planned.units.length + merges.length };
}

function endedUnit({
  ms,
  spent,
  within,
  span,
  peak_bytes,
  spilled_bytes,
  counts,
  inputs,
  reads,
  files,
}: UnitResult): Ended {
  return {
    ms,
    ...(spent && { spent }),
    ...(within && { within }),
    ...(span && { span }),
    ...(peak_bytes !== undefined && { peak_bytes }),
    ...(spilled_bytes !== undefined && { spilled_bytes }),
    counts,
    ...(inputs && { inputs }),
    ...(reads && { reads }),
    files: files.map(({ key, etag, size }) => ({ key, etag, size })),
  };
}

/** The model that the error names, or the only one whose units have not all ended. */
function findFaulty({ spec }: RunPlan, begun: readonly Begun[], error: string): string | undefined {
  const named = begun.filter(({ planned: { model } }) =>
    [model, fullName(tableIdOf(spec, findModel(spec, model)))].some((name) => names(error, name)),
  );
  const unfinished = begun.filter(({ whole }) => !whole);
  const found = named.length > 0 ? named : unfinished;
  return found.length === 1 ? found[0]?.planned.model : undefined;
}

/** A name in a text, and not a part of a longer one; a keyed table's log is its own. */
function names(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const before = text[at - 1] ?? ' ';
    const after = text.slice(at + name.length);
    if (!/[\w.]/.test(before) && /^(__log\b|\W|$)/.test(after)) return true;
  }
  return false;
}
