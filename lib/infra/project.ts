import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Architecture, BUNDLES_FOLDER } from '../core/bundle-folder.ts';
import { InvalidInput } from '../core/errors.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { stateMachineFile } from '../package-files.ts';

/**
 * The compiled pipelines of a project, by their names, as `strata build` has left them in its folder; by default in the
 * folder where the CDK was called. Throws InvalidInput when nothing is built there.
 */
export function compiledPipelines(project: string = process.cwd()): readonly PipelineSpec[] {
  const folder = join(resolve(project, BUNDLES_FOLDER), 'specs');
  if (!existsSync(folder)) throw notBuilt(folder);
  return readdirSync(folder)
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as PipelineSpec);
}

/** One of them. Throws InvalidInput as `compiledPipelines` does, and when there is no such pipeline. */
export function compiledPipeline(name: string, project?: string): PipelineSpec {
  const specs = compiledPipelines(project);
  const found = specs.find((spec) => spec.name === name);
  if (found !== undefined) return found;
  const known = specs.map((spec) => spec.name).join(', ');
  throw new InvalidInput(
    `no compiled pipeline ${JSON.stringify(name)}: expected one of ${known}; run npx strata build`,
  );
}

/** The functions of a project for an architecture: `worker`, `starter`, `fail`, ... Throws InvalidInput when they are not built. */
export function bundlesFor(architecture: Architecture, project: string = process.cwd()): string {
  const folder = join(resolve(project, BUNDLES_FOLDER), architecture);
  if (!existsSync(folder)) throw notBuilt(folder, architecture);
  return folder;
}

/** The text of the state machine that the package brings. */
export function medallionDefinition(): string {
  return readFileSync(stateMachineFile('medallion'), 'utf8');
}

/** The text of the state machine of maintenance. */
export function maintenanceDefinition(): string {
  return readFileSync(stateMachineFile('maintenance'), 'utf8');
}

function notBuilt(folder: string, architecture?: Architecture): InvalidInput {
  const flag = architecture === undefined || architecture === 'arm64' ? '' : ` --arch ${architecture}`;
  return new InvalidInput(
    `nothing is built in ${folder}: run npx strata build${flag} first (cdk does so by itself, if cdk.json says it)`,
  );
}
