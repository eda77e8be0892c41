import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import type { LambdaFunction } from './function.ts';

/** The function with another compiled spec beside the same code. Open writes the spec into the run's plan, which all other functions go by. */
export async function withSpec(
  fn: LambdaFunction,
  pipeline: string,
  folder: string,
  change: (spec: PipelineSpec) => PipelineSpec,
): Promise<LambdaFunction> {
  await mkdir(folder, { recursive: true });
  const name = `${pipeline}.json`;
  const spec = JSON.parse(await readFile(join(fn.variables['STRATA_SPECS'] ?? '', name), 'utf8')) as PipelineSpec;
  await writeFile(join(folder, name), JSON.stringify(change(spec)));
  return { ...fn, variables: { ...fn.variables, STRATA_SPECS: folder } };
}

/** Bytes of a unit beyond which a file is cut, in place of the pipeline's own; none smaller is taken. */
export const SMALL_UNIT = 64 * 1024;

/** As it would be were its units so small that a file of a day is cut. */
export function inSmallUnits(spec: PipelineSpec): PipelineSpec {
  return { ...spec, settings: { ...spec.settings, unitBytes: SMALL_UNIT } };
}

/** As it would be had its pipeline declared an expectation that no data meets. */
export function refusing(spec: PipelineSpec): PipelineSpec {
  const refused = {
    kind: 'rowCount',
    name: 'rehearsed_failure',
    policy: 'fail',
    min: 1_000_000_000,
    max: null,
  } as const;
  return { ...spec, models: spec.models.map((model) => ({ ...model, expect: [...model.expect, refused] })) };
}

/** As it would be were a worker too small for all that a gold model reads. */
export function withSmallWorker(
  fn: LambdaFunction,
  pipeline: string,
  folder: string,
  bytes: number,
): Promise<LambdaFunction> {
  return withSpec(fn, pipeline, folder, (spec) => {
    const { steps } = spec.compute;
    const Stage = { ...steps.Stage, tmpMb: bytes / 2 ** 20 };
    return { ...spec, compute: { ...spec.compute, steps: { ...steps, Stage } } };
  });
}
