import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { InvalidInput } from '../lib/core/errors.ts';
import type { PipelineSpec } from '../lib/core/spec.ts';
import { visibleText } from '../lib/core/visible.ts';
import { createDeployment } from '../lib/infra/app.ts';

const root = join(import.meta.dirname, '..');
const built = join(root, 'dist', 'lambdas');

try {
  const folder = join(built, 'specs');
  if (!existsSync(folder)) {
    throw new InvalidInput(`no bundles in ${built}: run npx strata build first (cdk does so by itself)`);
  }
  const specs = readdirSync(folder)
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as PipelineSpec);
  createDeployment(new App(), {
    specs,
    bundles: join(built, 'arm64'),
    // With the context flag destroyData, removing the lake removes its data; see docs/aws.md.
    destroyData: false,
    definition: readFileSync(join(root, 'statemachines', 'medallion.asl.json'), 'utf8'),
  });
} catch (cause) {
  if (!(cause instanceof InvalidInput)) throw cause;
  console.error(visibleText(cause.message));
  process.exitCode = 1;
}
