import { ORIGIN_FUNCTIONS, originBundle } from '../core/origins.ts';
import { type FunctionName, LIGHT_FUNCTIONS, STATES, STEP_NAMES, stateRow } from '../core/states.ts';

/** What is bundled: `lambdas/<name>.ts`. Workers share one folder, and the code and DuckDB that they have in common. */
export const WORKERS: readonly string[] = STEP_NAMES.filter((name) => stateRow(name).serving !== true).map(fileOf);

/** Functions with DuckDB that have what the others do not need, each in a folder of its own; beside it those that need the same. */
export const APART: readonly string[] = STEP_NAMES.filter((name) => stateRow(name).serving === true).map(fileOf);
const ORIGINS_APART = ORIGIN_FUNCTIONS.filter((name) => originBundle(name) !== name);
/** The functions in the folder of one of these. */
export function entriesApart(folder: string): readonly string[] {
  return [folder, ...ORIGINS_APART.filter((name) => originBundle(name) === folder)];
}

/** Folders of functions without DuckDB, each with one, and with those beside it. */
export const LIGHT: readonly string[] = [
  ...LIGHT_FUNCTIONS.filter((name) => stateRow(name).beside === undefined).map(fileOf),
  ...ORIGIN_FUNCTIONS.filter((name) => !ORIGINS_APART.includes(name)),
];

/** The functions without DuckDB that share the folder of one, with the code that they have in common. */
export function entriesBeside(folder: string): readonly string[] {
  return LIGHT_FUNCTIONS.filter((name) => stateRow(name).beside === folder).map(fileOf);
}

function fileOf(name: FunctionName): string {
  return STATES[name].file;
}
