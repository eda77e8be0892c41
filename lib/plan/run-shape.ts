import type { Gated } from '../core/promote.ts';
import type { RunStepName } from '../core/states.ts';

/** The steps of a level, in their order. */
const LEVEL_STEPS = ['PlanStage', 'Stage', 'PlanMerge', 'Merge', 'Audit'] as const satisfies readonly RunStepName[];
type LevelStep = (typeof LEVEL_STEPS)[number];

/** A level by its units, and the steps of it that a call of Level does; the others have functions of their own. */
export type LevelShape = { readonly within: readonly string[]; readonly stage: number; readonly merge: number };

/** All that a level has, done by Level; planned by Level and left to the others; staged by it, with a merge that is left. */
export const WHOLE: readonly string[] = LEVEL_STEPS;
export const PLANNED: readonly string[] = ['PlanStage'];
export const STAGED: readonly string[] = ['PlanStage', 'Stage', 'PlanMerge'];

/** How often each step is called, or done. */
export type Calls = Readonly<Record<RunStepName, number>>;

export type RunShape = {
  /** Calls of functions. */
  readonly calls: Calls;
  /** Steps that calls of Level do. */
  readonly within: Calls;
  readonly transitions: number;
  /** Maps that are entered, and lists of units that Level reads. */
  readonly maps: number;
  readonly lists: number;
};

/** States of a run that is no part of a level: Open, IsThereWork, Commit, Finish, IsOwnRun, Done. */
const AROUND = 6;
/** Level, WhatIsLeft. */
const PER_CALL = 2;
/** PlanStage, IsThereToStage; PlanMerge, IsThereToMerge; Audit, MoreLevels. A map is one for itself. */
const STATES_OF: Readonly<Record<LevelStep, number>> = { PlanStage: 2, Stage: 1, PlanMerge: 2, Merge: 1, Audit: 2 };
/** The child execution that a distributed map starts, and the one state in it. Source: docs.aws.amazon.com/step-functions/latest/dg/concepts-transitions.html */
export const PER_UNIT = 2;

/**
 * Gate, IsApproved. Of a run that has waited also AwaitDecision and OpenRequested, and then Open, IsThereWork, Level, WhatIsLeft and
 * MoreLevels once more, which find all of it done, and both again.
 */
const GATE_STATES: Readonly<Record<Gated, number>> = { passed: 2, waited: 11 };

/** IsServed, Serve: of a pipeline that serves tables. */
const SERVING = 2;

/** What comes after the levels. `gate`: of a run that has to be approved. */
export type Ending = { readonly serves?: boolean; readonly gate?: Gated | undefined };

/** What a run of such levels goes through. A call of Level goes on with the next level where it has left nothing. */
export function shapeOf(levels: readonly LevelShape[], { serves = false, gate }: Ending = {}): RunShape {
  const does = (step: LevelStep) => (level: LevelShape) => level.within.includes(step);
  const leaves = (level: LevelShape): boolean => !level.within.includes('Audit');
  // A run of an earlier release knew no Level.
  const begun = levels.length === 0 || levels.some(does('PlanStage')) ? 1 : 0;
  const ofLevel = begun + (begun > 0 ? levels.slice(0, -1).filter(leaves).length : 0);
  const endsWithin = begun > 0 && !levels.slice(-1).some(leaves) ? 1 : 0;
  const apart = levels.map((level) =>
    LEVEL_STEPS.filter((step) => !does(step)(level)).filter((step) => isDone(step, level)),
  );
  const inside = levels.map((level) =>
    LEVEL_STEPS.filter((step) => does(step)(level)).filter((step) => isDone(step, level)),
  );
  const count = (steps: readonly (readonly LevelStep[])[], step: LevelStep): number =>
    levels.reduce((sum, level, at) => sum + (steps[at]?.includes(step) ? timesOf(step, level) : 0), 0);
  const again = gate === 'waited' ? 1 : 0;
  const ends = { Gate: gate === undefined ? 0 : 1 + again, Commit: 1, Serve: serves ? 1 : 0, Finish: 1 };
  const begins = { Open: 1 + again, Level: ofLevel + again };
  const calls = { ...NONE, ...begins, ...ends, ...counts((step) => count(apart, step)) };
  const maps = apart.flat().filter(isMapped).length;
  const states = apart.flat().reduce((sum, step) => sum + STATES_OF[step], 0);
  return {
    calls,
    within: { ...NONE, ...counts((step) => count(inside, step)) },
    transitions:
      AROUND +
      (serves ? SERVING : 0) +
      (gate === undefined ? 0 : GATE_STATES[gate]) +
      PER_CALL * ofLevel +
      endsWithin +
      states +
      PER_UNIT * (calls.Stage + calls.Merge),
    maps,
    lists: inside.flat().filter(isMapped).length,
  };
}

function isMapped(step: LevelStep): step is 'Stage' | 'Merge' {
  return step === 'Stage' || step === 'Merge';
}

/** A list of no units is not looked at. */
function isDone(step: LevelStep, level: LevelShape): boolean {
  return timesOf(step, level) > 0;
}

function timesOf(step: LevelStep, { stage, merge }: LevelShape): number {
  return step === 'Stage' ? stage : step === 'Merge' ? merge : 1;
}

function counts(of: (step: LevelStep) => number): Readonly<Record<LevelStep, number>> {
  return {
    PlanStage: of('PlanStage'),
    Stage: of('Stage'),
    PlanMerge: of('PlanMerge'),
    Merge: of('Merge'),
    Audit: of('Audit'),
  };
}

const NONE: Calls = {
  Open: 0,
  Level: 0,
  PlanStage: 0,
  Stage: 0,
  PlanMerge: 0,
  Merge: 0,
  Audit: 0,
  Gate: 0,
  Commit: 0,
  Serve: 0,
  Finish: 0,
};
