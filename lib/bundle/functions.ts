import { ORIGIN_FUNCTIONS } from '../core/origins.ts';
import { LIGHT_FUNCTIONS, STATES, STEP_NAMES } from '../core/states.ts';

/** What is bundled: `lambdas/<name>.ts`. Workers share one folder, and the code and DuckDB that they have in common. */
export const WORKERS: readonly string[] = STEP_NAMES.map((name) => STATES[name].file);

/** Functions without DuckDB, each in a folder of its own. */
export const LIGHT: readonly string[] = [...LIGHT_FUNCTIONS.map((name) => STATES[name].file), ...ORIGIN_FUNCTIONS];
