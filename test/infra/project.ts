import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { fakeBundles } from './deployment.ts';

/** A project of a user's own, as `strata build` leaves it. */
export function builtProject(specs: readonly PipelineSpec[]): string {
  const folder = temporaryFolder('project');
  const built = join(folder, 'dist', 'lambdas');
  mkdirSync(join(built, 'specs'), { recursive: true });
  for (const spec of specs) writeFileSync(join(built, 'specs', `${spec.name}.json`), JSON.stringify(spec));
  cpSync(fakeBundles(), join(built, 'arm64'), { recursive: true });
  return folder;
}
