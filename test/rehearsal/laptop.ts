import { join } from 'node:path';
import type { Asked } from '../../lib/core/asked.ts';
import { landFiles } from '../../lib/runtime/land-files.ts';
import { type LocalLake, openLocalLake } from '../../lib/runtime/local.ts';
import type { Landing } from './uploads.ts';

const PIPELINES = join(import.meta.dirname, '..', '..', 'pipelines');

/** A lake in a folder, as the CLI makes it. */
export function openLaptop(root: string, pipelines = PIPELINES): Promise<LocalLake> {
  return openLocalLake({ root, pipelines, log: { info: () => {}, warn: () => {} } });
}

/** Lands files and runs the pipeline. Throws an Error unless the run succeeds. */
export async function runLaptop(
  lake: LocalLake,
  pipeline: string,
  landings: readonly Landing[],
  asked: Asked = {},
): Promise<void> {
  for (const { source, path } of landings) await landFiles(lake.deps, { pipeline, source, files: [path] });
  const answer = await lake.run({ pipeline, ...asked });
  if (answer.kind === 'ended' && answer.result.status !== 'FAILED') return;
  throw new Error(`the laptop's run did not succeed: ${JSON.stringify(answer)}`);
}
