import { InvalidInput } from '../core/errors.ts';
import type { StepDeps } from '../lake/deps.ts';
import { type Asking, requireTwo } from '../lake/gate/four-eyes.ts';
import { releaseQuarantine } from '../lake/ops/release.ts';
import { keepLock } from '../lake/run/keep-lock.ts';
import { hasQuarantine, parseFilter, type QuarantineRequest } from '../query/quarantine.ts';

/**
 * Releases rejected rows, so that they are not held against what lands from now on; answers how many. Throws
 * InvalidInput for a request that names nothing or something unknown, and where two have to ask and one has; LockHeld while a run works.
 */
export async function releaseRows(
  deps: StepDeps,
  pipeline: string,
  request: QuarantineRequest,
  asking?: Asking,
): Promise<number> {
  if (Object.values(request).every((part) => part === undefined)) {
    throw new InvalidInput(`which rows of ${pipeline} are released: expected a source, a code, files or row hashes`);
  }
  if (!(await hasQuarantine(deps, pipeline))) return 0;
  const filter = await parseFilter(deps, pipeline, request);
  // Who approves what is published has a say in what was set aside for good.
  if ((await deps.specs(pipeline)).promote !== undefined) await requireTwo(deps, pipeline, filter, asking);
  const runId = `release-${deps.ids.unique()}`;
  return keepLock(deps, { pipeline, run_id: runId, epoch: () => undefined }, () =>
    releaseQuarantine(deps, pipeline, runId, filter),
  );
}
