import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import type { LambdaFunction } from './function.ts';

/**
 * The function as it would be had its pipeline declared an expectation that no data meets: the same code, with another
 * compiled spec beside it. Open writes the spec into the run's plan, which all other functions go by.
 */
export async function withRefusingSpec(fn: LambdaFunction, pipeline: string, folder: string): Promise<LambdaFunction> {
  await mkdir(folder, { recursive: true });
  const name = `${pipeline}.json`;
  const spec = JSON.parse(await readFile(join(fn.variables['STRATA_SPECS'] ?? '', name), 'utf8')) as PipelineSpec;
  const refused = {
    kind: 'rowCount',
    name: 'rehearsed_failure',
    policy: 'fail',
    min: 1_000_000_000,
    max: null,
  } as const;
  const models = spec.models.map((model) => ({ ...model, expect: [...model.expect, refused] }));
  await writeFile(join(folder, name), JSON.stringify({ ...spec, models }));
  return { ...fn, variables: { ...fn.variables, STRATA_SPECS: folder } };
}
