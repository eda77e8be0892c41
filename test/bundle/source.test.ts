import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findBinding, lockedBindings } from '../../lib/bundle/binding.ts';
import { buildLambdas } from '../../lib/bundle/build.ts';
import { findFunctionSource, shipFunctions, shippedIn } from '../../lib/bundle/source.ts';
import { ARCHITECTURES } from '../../lib/core/bundle-folder.ts';
import { staticImports } from '../cli/static-imports.ts';
import { PROJECT, packageOf, withoutRegistry } from './binding-root.ts';

let folder = '';
let restore: () => void;
const shipped = (): string => join(folder, 'functions');
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-source-'));
  restore = withoutRegistry(folder);
  await shipFunctions(PROJECT, shipped());
});
after(async () => {
  restore();
  await rm(folder, { recursive: true, force: true });
});

/** Files below a folder and the hashes of what they hold. */
async function digestsOf(place: string): Promise<readonly string[]> {
  const files = globSync('**/*', { cwd: place, withFileTypes: true }).filter((entry) => entry.isFile());
  const digests = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    const hash = createHash('sha256').update(await readFile(path));
    return `${relative(place, path)} ${hash.digest('hex')}`;
  });
  return (await Promise.all(digests)).sort();
}

describe('functions that a package brings', () => {
  test('are taken as they are, and get the native code; the pipelines lie beside them', async () => {
    const source = await shippedIn(shipped(), folder);
    assert.deepEqual(source.code, { kind: 'bundles', folder: shipped() });
    const out = join(folder, 'out');
    const architecture = ARCHITECTURES.find((one) => one === process.arch) ?? 'arm64';
    const request = { pipelines: join(PROJECT, 'pipelines'), folder: out, architectures: [architecture], source };
    const { pipelines } = await buildLambdas(request);
    const made = await digestsOf(join(out, architecture));
    const added = made.filter((line) => /^(?:worker|serve)\/node_modules\//.test(line));
    assert.deepEqual(
      made.filter((line) => !added.includes(line)),
      (await digestsOf(shipped())).filter((line) => !line.startsWith('bindings.json ')),
    );
    assert.deepEqual(
      (await readdir(join(out, 'specs'))).sort(),
      pipelines.map((name) => `${name}.json`),
    );
    assert.ok(added.some((line) => line.includes('/duckdb.node ')));
  });

  test('name the native code that they were built for, which a project keeps once it was fetched', async () => {
    const { bindings } = await shippedIn(shipped(), folder);
    assert.deepEqual(bindings.locked, await lockedBindings(PROJECT));
    assert.equal(bindings.cache, join(folder, 'node_modules', '.cache', 'strata'));
    // Found where npm puts what a package depends on: in its own folder, or in one above it.
    assert.equal(bindings.installed[0], join(PROJECT, 'node_modules'));
    const above = join(folder, 'above', 'node_modules');
    const version = bindings.locked[packageOf('arm64')]?.version ?? '';
    await mkdir(join(above, packageOf('arm64')), { recursive: true });
    await writeFile(join(above, packageOf('arm64'), 'package.json'), JSON.stringify({ version }));
    await writeFile(join(above, packageOf('arm64'), 'duckdb.node'), '');
    const installed = [join(folder, 'none'), above];
    assert.equal(await findBinding({ ...bindings, installed }, 'arm64'), join(above, packageOf('arm64')));
  });

  test('need no bundler', () => {
    const command = fileURLToPath(new URL('../../lib/cli/commands/build.ts', import.meta.url));
    const loaded = staticImports(command);
    assert.ok(loaded.has('@duckdb/node-api'), 'imports are followed');
    assert.ok(!loaded.has('esbuild'));
  });

  test('that are not there are said to be missing', async () => {
    await assert.rejects(shippedIn(join(folder, 'nowhere'), folder), {
      name: 'InvalidInput',
      message: /^no functions in .*nowhere: the package is not whole, install it again$/,
    });
  });
});

test('in the repository functions come from its sources', async () => {
  const { code } = await findFunctionSource(folder);
  assert.deepEqual(code, { kind: 'sources', root: PROJECT });
});
