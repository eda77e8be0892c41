#!/usr/bin/env node
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildLambdas } from '../lib/bundle/build.ts';
import { ARCHITECTURES } from '../lib/bundle/functions.ts';
import { InvalidInput } from '../lib/core/errors.ts';
import { visibleText } from '../lib/core/visible.ts';

const root = join(import.meta.dirname, '..');
try {
  const arch = readArch(process.argv.slice(2));
  const architectures = ARCHITECTURES.filter((one) => arch === 'all' || arch === one);
  const request = { root, pipelines: join(root, 'pipelines'), folder: join(root, 'dist', 'lambdas'), architectures };
  const { pipelines, missing } = await buildLambdas(request);
  console.error(visibleText(`built the functions of ${pipelines.join(', ')} in dist/lambdas`));
  for (const architecture of missing) {
    const missingText =
      `DuckDB for linux-${architecture} is not at hand and npm could not fetch it: ` +
      'the templates can be looked at, but not deployed. Build again with a network that reaches npm';
    console.error(visibleText(missingText));
  }
} catch (cause) {
  if (!(cause instanceof InvalidInput)) throw cause;
  console.error(visibleText(cause.message));
  process.exitCode = 1;
}

/** `--arch arm64|x64|all`, by default all. */
function readArch(args: string[]): string {
  const known = [...ARCHITECTURES, 'all'];
  const expected = `expected --arch with one of ${known.join(', ')}`;
  try {
    const { arch } = parseArgs({ args, options: { arch: { type: 'string', default: 'all' } } }).values;
    if (known.includes(arch)) return arch;
    throw new InvalidInput(`--arch: got ${JSON.stringify(arch)}; ${expected}`);
  } catch (cause) {
    if (cause instanceof InvalidInput) throw cause;
    throw new InvalidInput(`${cause instanceof Error ? cause.message : String(cause)}; ${expected}`);
  }
}
