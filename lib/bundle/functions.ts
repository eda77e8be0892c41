import { ORIGIN_FUNCTIONS } from '../core/origins.ts';
import { type FunctionName, LIGHT_FUNCTIONS, STATES, STEP_NAMES, stateRow } from '../core/states.ts';

/** What is bundled: `lambdas/<name>.ts`. Workers share one folder, and the code and DuckDB that they have in common. */
export const WORKERS: readonly string[] = STEP_NAMES.filter((name) => stateRow(name).serving !== true).map(fileOf);

/** Functions with DuckDB that have what the others do not need, each in a folder of its own. */
export const APART: readonly string[] = STEP_NAMES.filter((name) => stateRow(name).serving === true).map(fileOf);

/** Functions without DuckDB, each in a folder of its own. */
export const LIGHT: readonly string[] = [...LIGHT_FUNCTIONS.map(fileOf), ...ORIGIN_FUNCTIONS];

function fileOf(name: FunctionName): string {
  return STATES[name].file;
}
