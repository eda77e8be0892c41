import { mapConcurrent } from '../../core/concurrency.ts';
import type { LeftOfLevel } from '../../core/level-state.ts';
import type { RunState, UnitInput, UnitItem } from '../../core/run.ts';
import { createTurns } from '../../core/turns.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { readJson } from '../../lake/run/run-folder.ts';
import { LONGEST_BEGINNING_MS, MOST_UNITS } from '../../plan/one-call.ts';
import type { JsonValue } from '../../ports.ts';
import { runAudit } from '../audit/audit.ts';
import { runMerge } from '../merge/merge.ts';
import { runPlanMerge } from '../merge/plan-merge.ts';
import { runPlanStage } from '../stage/plan-stage.ts';
import { runStage } from '../stage/stage.ts';

const ALONE = createTurns(1);

/** One call: what it works with, and whether it has worked for so long that it begins nothing more. */
type Call = { readonly deps: StepDeps; readonly isLate: () => boolean };

/**
 * Does levels as far as one call can, by the steps that have functions of their own, one after the other: what they write is
 * the same, and a call that ends on the way is made up for by whoever comes next, as theirs is. What is too much is left to those
 * functions, from the step that `left` names.
 */
export async function runLevel(given: RunState, deps: StepDeps): Promise<RunState> {
  const until = deps.clock.now().getTime() + LONGEST_BEGINNING_MS;
  const call: Call = { deps, isLate: () => deps.clock.now().getTime() >= until };
  let state = leaving(given, 'nothing');
  while (state.level < state.levels && !call.isLate()) {
    state = await workLevel(state, call);
    if (state.left !== 'nothing') return state;
  }
  return state;
}

async function workLevel(state: RunState, call: Call): Promise<RunState> {
  const staging = await part(call, 'PlanStage', (deps) => runPlanStage(state, deps));
  if (staging.stage?.alone !== true) return leaving(staging, 'stage');
  if (!(await workUnits(call, staging, 'Stage', runStage))) return leaving(staging, 'stage');
  if (call.isLate()) return leaving(staging, 'plan_merge');
  const merging = await part(call, 'PlanMerge', (deps) => runPlanMerge(staging, deps));
  if ((merging.merge?.count ?? 0) > MOST_UNITS) return leaving(merging, 'merge');
  if (!(await workUnits(call, merging, 'Merge', runMerge))) return leaving(merging, 'merge');
  if (call.isLate()) return leaving(merging, 'audit');
  return leaving(await part(call, 'Audit', (deps) => runAudit(merging, deps)), 'nothing');
}

function leaving(state: RunState, left: LeftOfLevel): RunState {
  return { ...state, left };
}

/** Whether all units are done. */
async function workUnits(
  call: Call,
  { run, stage, merge }: RunState,
  step: 'Stage' | 'Merge',
  work: (input: UnitInput, deps: StepDeps) => Promise<JsonValue>,
): Promise<boolean> {
  const ref = step === 'Stage' ? stage : merge;
  if (ref === undefined || ref.count === 0) return true;
  const state = `${step}Map`;
  const { store, onStep } = call.deps;
  const units = await readJson<readonly UnitItem[]>(store, ref.units_key);
  onStep?.({ kind: 'items', state, within: 'Level', count: units.length });
  const since = elapsing(call.deps);
  const { turns = ALONE } = call.deps;
  const done = await mapConcurrent(
    units,
    async (unit) => {
      if (call.isLate()) return false;
      await part(call, step, (deps) => turns.take(() => work({ run, unit }, deps)));
      return true;
    },
    turns.atOnce,
  );
  if (done.includes(false)) return false;
  onStep?.({ kind: 'succeeded', state, within: 'Level', durationMs: since() });
  return true;
}

/** One step, which counts and tells what is its own. */
async function part<T>({ deps }: Call, state: string, act: (deps: StepDeps) => Promise<T>): Promise<T> {
  deps.interrupted?.throwIfAborted();
  const since = elapsing(deps);
  const within = 'Level';
  deps.onStep?.({ kind: 'started', state, within });
  try {
    const answer = await act({ ...deps, ...deps.counting?.(), within });
    deps.onStep?.({ kind: 'succeeded', state, within, durationMs: since() });
    return answer;
  } catch (thrown) {
    const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
    deps.onStep?.({ kind: 'failed', state, within, durationMs: since(), error: name, cause: message });
    throw thrown;
  }
}

/** Milliseconds from now on, where somebody follows. */
function elapsing({ clock, onStep }: StepDeps): () => number {
  if (onStep === undefined) return () => 0;
  const started = clock.now().getTime();
  return () => clock.now().getTime() - started;
}
