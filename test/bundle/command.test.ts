import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { bundleCommand } from '../../lib/bundle/code.ts';
import { MANIFEST } from '../package/reached.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');

const LOADABLE = [...Object.keys(MANIFEST.dependencies), ...builtinModules];

let folder = '';
let bin = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-command-'));
  bin = join(folder, 'dist', 'bin');
  await bundleCommand(ROOT, bin);
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
  await cp(join(ROOT, 'statemachines'), join(folder, 'statemachines'), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
});
after(() => rm(folder, { recursive: true, force: true }));

type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

function strata(...args: readonly string[]): Ended {
  return spawnSync(process.execPath, [join(bin, 'strata.js'), ...args], { cwd: folder, encoding: 'utf8' });
}

const PIPELINE = `export default {
  name: 'shop',
  sources: { orders: { format: 'csv', columns: { id: 'bigint' } } },
  silver: { orders: { from: 'orders' } },
};
`;

/** Packages that are loaded with a file of the bundle, apart from what is imported only when it is used. */
async function packagesOf(file: string, seen: Set<string> = new Set()): Promise<ReadonlySet<string>> {
  if (seen.has(file)) return new Set();
  seen.add(file);
  const packages = new Set<string>();
  for (const [, from = ''] of (await readFile(join(bin, file), 'utf8')).matchAll(/\b(?:from|import)"([.@\w/:-]+)";/g)) {
    const found = from.startsWith('.') ? await packagesOf(from, seen) : [from];
    for (const one of found) if (!one.startsWith('node:')) packages.add(one);
  }
  return packages;
}

describe('the command as a package brings it', () => {
  test('answers a query', () => {
    const { status, stdout } = strata('query', 'SELECT 1 AS one', '--format', 'csv', '--root', 'nowhere');
    assert.deepEqual({ status, stdout }, { status: 0, stdout: 'one\r\n1\r\n' });
  });

  test('runs a pipeline, with a runner that has nothing of AWS', async () => {
    await mkdir(join(folder, 'pipelines', 'shop'), { recursive: true });
    await writeFile(join(folder, 'pipelines', 'shop', 'pipeline.js'), PIPELINE);
    await writeFile(join(folder, 'orders.csv'), 'id\n1\n2\n');
    assert.equal(strata('land', 'shop', 'orders', 'orders.csv').status, 0);
    const { status, stdout, stderr } = strata('run', 'shop', '--json');
    assert.equal(status, 0, stderr);
    assert.equal(JSON.parse(stdout).tables['shop_silver.orders'].rows_added, 2, stdout);
    const loaded = new Set<string>();
    for (const file of await readdir(bin)) {
      if (file.endsWith('.js')) for (const one of await packagesOf(file)) loaded.add(one);
    }
    assert.deepEqual(
      [...loaded].filter((name) => !LOADABLE.some((one) => name === one || name.startsWith(`${one}/`))),
      [],
    );
  });

  test('shows under --debug where in the sources it happened, and else nothing of it', async () => {
    await mkdir(join(folder, 'pipelines', 'broken'), { recursive: true });
    await writeFile(join(folder, 'pipelines', 'broken', 'pipeline.js'), 'throw new TypeError("of the pipeline");\n');
    const { stderr } = strata('--debug', 'compile', 'broken');
    assert.match(stderr, /lib\/runtime\/load-pipeline\.ts:\d+:\d+/);
    assert.doesNotMatch(strata('compile', 'broken').stderr, /load-pipeline|dist/);
  });

  test('has all of ours but what has no use without sources, and the runner of what others wrote', async () => {
    const sources = new Set<string>();
    for (const map of (await readdir(bin)).filter((name) => name.endsWith('.map'))) {
      const { sources: named } = JSON.parse(await readFile(join(bin, map), 'utf8')) as { readonly sources: string[] };
      for (const source of named) if (!source.startsWith('unused:')) sources.add(relative(ROOT, resolve(bin, source)));
    }
    assert.deepEqual(
      [...sources].filter(
        (source) =>
          !/^(lib|bin|node_modules\/(aws-local-stepfunctions|jsonpath-plus|p-limit|yocto-queue|wildcard-match))\//.test(
            source,
          ),
      ),
      [],
    );
    assert.ok(sources.has('lib/cli/main.ts') && sources.has('lib/runtime/local.ts'));
    assert.ok(!sources.has('lib/bundle/code.ts'));
  });

  test('loads for its help what reads the arguments, and no engine', async () => {
    const main = (await readdir(bin)).find((name) => /^main-.*\.js$/.test(name));
    assert.deepEqual([...(await packagesOf(main ?? 'none'))].sort(), ['commander', 'lossless-json']);
  });
});
