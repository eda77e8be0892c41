import assert from 'node:assert/strict';
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { stageBinding } from '../../lib/bundle/binding.ts';
import { buildLambdas } from '../../lib/bundle/build.ts';
import { sourcesOf } from '../../lib/bundle/source.ts';
import { BINDING_MISSING } from '../../lib/core/bundle-folder.ts';
import { makeRoot, packageOf, type Root, withNpmThatCopies, withoutRegistry } from './binding-root.ts';

let root: Root;
let restore: () => void;
beforeEach(async () => {
  root = await makeRoot();
  // No test reaches a registry, whatever the code does.
  restore = withoutRegistry(root.folder);
});
afterEach(async () => {
  restore();
  await root.remove();
});

const worker = (): string => join(root.folder, 'worker');
/** As a build in that folder does. */
const stage = async ({ folder }: Root): Promise<boolean> =>
  stageBinding((await sourcesOf(folder)).bindings, 'arm64', worker());

async function staged(): Promise<readonly string[]> {
  return (await readdir(join(worker(), 'node_modules', packageOf('arm64')))).sort();
}

const STAGED = ['LICENSE', 'duckdb.node', 'libduckdb.so', 'package.json'];

test('what npm has installed is put beside a worker', async () => {
  await root.install('arm64');
  assert.equal(await stage(root), true);
  assert.deepEqual(await staged(), STAGED);
  const native = await readFile(join(worker(), 'node_modules', packageOf('arm64'), 'duckdb.node'), 'utf8');
  assert.equal(native, 'duckdb.node of arm64');
});

test('what an earlier build has fetched is put beside a worker', async () => {
  await root.fetch('arm64', 'sha512-good');
  assert.equal(await stage(root), true);
  assert.deepEqual(await staged(), STAGED);
});

test('a lock that does not name it is no lock of this project', async () => {
  await writeFile(join(root.folder, 'package-lock.json'), '{"packages":{}}');
  await assert.rejects(stage(root), {
    name: 'InvalidInput',
    message: /package-lock\.json has no @duckdb\/node-bindings-linux-arm64: run npm install/,
  });
});

describe('code that is not what the lock names is refused', () => {
  const FETCHED: readonly (readonly [string, string | undefined, RegExp])[] = [
    ['with another integrity', 'sha512-bad', /got integrity sha512-bad; expected sha512-good/],
    ['without integrity', undefined, /got integrity none; expected sha512-good/],
  ];
  for (const [what, integrity, message] of FETCHED) {
    test(`when an earlier build has fetched it ${what}`, async () => {
      await root.fetch('arm64', integrity);
      await assert.rejects(stage(root), { name: 'InvalidInput', message });
      await assert.rejects(access(worker()));
    });
  }

  test('when npm fetches it now, and when it is built again', async () => {
    const aside = join(root.folder, 'aside');
    await rename(await root.fetch('arm64', 'sha512-bad'), aside);
    const restoreNpm = await withNpmThatCopies(root.folder, aside);
    try {
      for (const time of ['now', 'again']) {
        await assert.rejects(stage(root), /do not deploy/, time);
      }
    } finally {
      restoreNpm();
    }
  });

  test('when the lock says nothing of its integrity', async () => {
    const unlocked = await makeRoot(null);
    try {
      await unlocked.fetch('arm64', 'sha512-good');
      await assert.rejects(stage(unlocked), {
        name: 'InvalidInput',
        message: /expected one, and there is none/,
      });
    } finally {
      await unlocked.remove();
    }
  });
});

test('npm fetches once what is not at hand', async () => {
  const aside = join(root.folder, 'aside');
  await rename(await root.fetch('arm64', 'sha512-good'), aside);
  const restoreNpm = await withNpmThatCopies(root.folder, aside);
  try {
    assert.equal(await stage(root), true);
    await rm(aside, { recursive: true });
    assert.equal(await stage(root), true);
    assert.deepEqual(await staged(), STAGED);
  } finally {
    restoreNpm();
  }
});

test('another version than the lock names is not taken, and without a registry that is said', async () => {
  await root.install('arm64', '1.0.0');
  await root.install('x64');
  await mkdir(join(root.folder, 'pipelines'));
  const folder = join(root.folder, 'dist');
  const pipelines = join(root.folder, 'pipelines');
  const source = await sourcesOf(root.folder);
  const built = await buildLambdas({ pipelines, folder, architectures: ['arm64', 'x64'], source });
  assert.deepEqual(built, { pipelines: [], missing: ['arm64'] });
  const note = await readFile(join(folder, 'arm64', 'worker', BINDING_MISSING), 'utf8');
  assert.equal(note, 'DuckDB for linux-arm64 could not be fetched\n');
  await assert.rejects(access(join(folder, 'arm64', 'worker', 'node_modules')));
  await access(join(folder, 'x64', 'worker', 'node_modules', packageOf('x64'), 'duckdb.node'));
  await assert.rejects(access(join(folder, 'x64', 'worker', BINDING_MISSING)));
});
