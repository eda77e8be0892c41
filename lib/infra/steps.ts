import { STEP_NAMES, type StepName } from '../core/compute.ts';

/** A function that is deployed for each pipeline. */
export type FunctionName = StepName | 'Fail' | 'Notify' | 'RunFailed' | 'Starter';

/** Functions without an engine, and the state machine that calls all but the Starter. */
export const LIGHT_FUNCTIONS = ['Fail', 'Notify', 'RunFailed', 'Starter'] as const;

export const FUNCTIONS: readonly FunctionName[] = [...STEP_NAMES, ...LIGHT_FUNCTIONS];

/** The words of a name as files write them: PlanStage -> plan-stage. */
export function kebab(name: FunctionName): string {
  return name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
}
