import { join } from 'node:path';
import { landFiles } from '../../lib/runtime/land-files.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import type { Batches } from './inputs.ts';

/** Lands and runs the same batches in a lake of this machine. Throws when a run does not succeed. */
export async function runOnLaptop(root: string, pipeline: string, batches: Batches): Promise<void> {
  const pipelines = join(import.meta.dirname, '..', '..', 'pipelines');
  const log = { info: () => {}, warn: () => {} };
  const lake = await openLocalLake({ root, pipelines, log });
  for (const uploads of batches) {
    for (const { source, path } of uploads) await landFiles(lake.deps, { pipeline, source, files: [path] });
    const answer = await lake.run({ pipeline });
    if (answer.kind !== 'ended' || answer.result.status !== 'SUCCEEDED') {
      throw new Error(`the run on the laptop did not succeed: ${JSON.stringify(answer)}`);
    }
  }
}
