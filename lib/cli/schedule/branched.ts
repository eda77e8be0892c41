import { InvalidInput } from '../../core/errors.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import type { LocalLake } from '../../runtime/local.ts';
import { findSoundPlaces } from '../commands/pipelines.ts';

/**
 * The pipeline that was named, or all of the folder, as far as they have schedules; in the order in which pipelines run. Throws
 * InvalidInput for one that is named and has none.
 */
export async function branchedSpecs(
  deps: LocalLake['deps'],
  pipelines: string,
  named: string | undefined,
): Promise<readonly PipelineSpec[]> {
  if (named === undefined) {
    const { places, broken } = await findSoundPlaces({ deps, pipelines });
    const [wrong] = broken;
    if (wrong !== undefined) throw wrong.cause;
    const specs = await Promise.all(places.map(({ name }) => deps.specs(name)));
    return specs.filter(({ schedules }) => schedules !== undefined);
  }
  const spec = await deps.specs(named);
  if (spec.schedules !== undefined) return [spec];
  throw new InvalidInput(
    `${named} has no schedules: expected a pipeline with \`schedules: { daily: cron('0 7 * * *') }\``,
  );
}
