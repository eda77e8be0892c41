import type { PromoteSpec } from './promote.ts';
import type { ServeSpec } from './serve.ts';
import { FUNCTIONS, type FunctionName, stateRow } from './states.ts';

/** What says which states a pipeline has that others do without. */
export type Optional = {
  /** It serves tables outside the lake. */
  readonly serve?: ServeSpec | undefined;
  /** Its runs are decided about. */
  readonly promote?: PromoteSpec | undefined;
};

/** The functions that a pipeline has. */
export function functionsFor(spec: Optional): readonly FunctionName[] {
  return FUNCTIONS.filter((name) => {
    const { only } = stateRow(name);
    return only === undefined || spec[only] !== undefined;
  });
}

type Machine = { readonly States: Readonly<Record<string, object>> };

/** States that follow each other, of which pipelines without that know nothing: what led to the first leads to what comes after them. */
const PARTS = [
  { only: 'promote', states: ['Gate', 'IsApproved', 'AwaitDecision'], chooses: 'IsApproved' },
  { only: 'serve', states: ['IsServed', 'Serve'], chooses: 'IsServed' },
] as const;

/** The state machine of runs for a pipeline: it makes no transition for what the pipeline does not do. */
export function machineFor<M extends Machine>(machine: M, spec: Optional): M {
  return PARTS.reduce((whole, part) => (spec[part.only] === undefined ? without(whole, part) : whole), machine);
}

function without<M extends Machine>(machine: M, { states, chooses }: (typeof PARTS)[number]): M {
  const [first] = states;
  const choice = machine.States[chooses];
  const after: unknown = choice !== undefined && 'Default' in choice ? choice.Default : undefined;
  const led = (state: object, field: 'Next' | 'Default'): object =>
    field in state && Reflect.get(state, field) === first ? { ...state, [field]: after } : state;
  const others = Object.entries(machine.States).filter(([name]) => !states.some((one) => one === name));
  const States = Object.fromEntries(others.map(([name, state]) => [name, led(led(state, 'Next'), 'Default')]));
  return { ...machine, States };
}
