import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import { createDeployment } from '../../lib/infra/app.ts';
import type { PipelineOptions } from '../../lib/infra/pipeline-props.ts';
import { bundlesFor } from '../../lib/infra/project.ts';
import { type Assembly, readAssembly } from './assembly.ts';
import { BY_API } from './by-api.ts';
import type { MadeStack } from './provision.ts';
import { resolve, resourcesOf, type World } from './template.ts';

/** Pipelines that are there for the rehearsal alone. */
export const FIXTURES = join(import.meta.dirname, 'pipelines');

/** What a deploy of a lake with that pipeline would be, of the functions that are built. */
export async function synthesizeFixture(
  spec: PipelineSpec,
  folder: string,
  pipeline?: (stack: Stack) => PipelineOptions,
): Promise<Assembly> {
  // What the CDK finds of templates by itself, it says when those of all pipelines are synthesized; it takes seconds.
  const app = new App({ outdir: folder, analyticsReporting: false, builtinCloudFormationValidation: false });
  const bundles = bundlesFor('arm64', join(import.meta.dirname, '..', '..'));
  createDeployment(app, { specs: [spec], bundles, ...(pipeline === undefined ? {} : { pipeline }) });
  app.synth();
  return readAssembly(folder, spec.name);
}

const IN_THE_CATALOG = ['AWS::Glue::Database', 'AWS::Glue::Table'] as const;

/** What a lake that is there gets when it is deployed with one more pipeline: databases, and tables that are there from the start. */
export async function addToLake(endpoint: string, lake: MadeStack, { lake: { template } }: Assembly): Promise<void> {
  const made = new Map<string, string>();
  const world: World = { ...lake.world, ref: (id) => made.get(id) ?? lake.world.ref(id) };
  for (const type of IN_THE_CATALOG) {
    for (const [id, properties] of resourcesOf(template, type)) {
      const resolved = resolve(properties, world) as Record<string, unknown>;
      made.set(id, (await BY_API[type]?.(endpoint, resolved)) ?? id);
    }
  }
}
