import type { ServeSpec } from './serve.ts';
import { FUNCTIONS, type FunctionName, stateRow } from './states.ts';

/** What says whether a pipeline serves tables outside the lake. */
export type Serving = { readonly serve?: ServeSpec | undefined };

/** The functions that a pipeline has: that which serves only where there is something to serve. */
export function functionsFor({ serve }: Serving): readonly FunctionName[] {
  return FUNCTIONS.filter((name) => serve !== undefined || stateRow(name).serving !== true);
}

type Machine = { readonly States: Readonly<Record<string, object>> };

/** The state machine of runs for a pipeline: without the states that only pipelines need which serve. */
export function machineFor<M extends Machine>(machine: M, { serve }: Serving): M {
  if (serve !== undefined || !('IsServed' in machine.States)) return machine;
  const { IsServed, Serve: _serve, ...others } = machine.States;
  const after: unknown = IsServed !== undefined && 'Default' in IsServed ? IsServed.Default : undefined;
  const States = Object.fromEntries(
    Object.entries(others).map(([name, state]) => [
      name,
      'Next' in state && state.Next === 'IsServed' ? { ...state, Next: after } : state,
    ]),
  );
  return { ...machine, States };
}
