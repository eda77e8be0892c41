#!/usr/bin/env node
import { join } from 'node:path';
import { buildLambdas } from '../lib/bundle/build.ts';
import { ARCHITECTURES } from '../lib/bundle/functions.ts';
import { InvalidInput } from '../lib/core/errors.ts';

const root = join(import.meta.dirname, '..');
const wanted = process.argv.slice(2).map((argument) => argument.replace(/^--arch=/, ''));
const unknown = wanted.filter((name) => !ARCHITECTURES.some((known) => known === name));

try {
  if (unknown.length > 0) {
    throw new InvalidInput(
      `unknown argument ${unknown.join(', ')}: expected --arch=${ARCHITECTURES.join(' or --arch=')}`,
    );
  }
  const architectures = ARCHITECTURES.filter((one) => wanted.length === 0 || wanted.includes(one));
  const request = { root, pipelines: join(root, 'pipelines'), folder: join(root, 'dist', 'lambdas'), architectures };
  const { pipelines, missing } = await buildLambdas(request);
  console.error(`built the functions of ${pipelines.join(', ')} in dist/lambdas`);
  for (const architecture of missing) {
    console.error(
      `DuckDB for linux-${architecture} is not at hand and npm could not fetch it: ` +
        'the templates can be looked at, but not deployed. Build again with a network that reaches npm',
    );
  }
} catch (cause) {
  if (!(cause instanceof InvalidInput)) throw cause;
  console.error(cause.message);
  process.exitCode = 1;
}
