import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepDeps } from '../deps.ts';

/** A local folder that is there until it is disposed of. */
export type Scratch = AsyncDisposable & { readonly folder: string };

/** Makes a fresh local folder for one attempt of a unit. */
export async function openScratch(deps: Pick<StepDeps, 'ids' | 'settings'>, name: string): Promise<Scratch> {
  const folder = join(deps.settings.scratch, `${name}-${deps.ids.unique()}`);
  await mkdir(folder, { recursive: true });
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
