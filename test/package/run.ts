import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import * as define from '@strata-lake/strata';
import * as cdk from '@strata-lake/strata/cdk';

/** `npm run test:package`: the tarball as a stranger gets it, in an empty folder and with an empty cache of npm. */

const ROOT = resolve(import.meta.dirname, '..', '..');
/** The oldest release that what we depend on takes; it reads TypeScript only when it is asked to. */
const OLDEST = '22.12.0';

const home = await mkdtemp(join(tmpdir(), 'strata-package-'));
const project = join(home, 'project');
const lake = join(project, 'lake');
after(() => rm(home, { recursive: true, force: true }));

type Ended = { readonly stdout: string; readonly stderr: string };

/** What this process was started with says where it is, which a stranger's shell does not; certificates, proxies and registries stay. */
const STRANGE = /^(npm_(?!config_registry$)|INIT_CWD$|AWS_(?!CA_)|NODE_(OPTIONS|TEST_CONTEXT|V8_COVERAGE)$)/i;
const given = Object.entries(process.env).filter(([name]) => !STRANGE.test(name));
const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));

function run(
  folder: string,
  command: string,
  args: readonly string[],
  node = dirname(process.execPath),
): Promise<Ended> {
  const env = {
    ...Object.fromEntries(given),
    PATH: [node, ...path].join(delimiter),
    npm_config_cache: join(home, 'cache'),
  };
  return new Promise((ended, failed) => {
    execFile(command, args, { cwd: folder, env, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      if (error === null) ended({ stdout, stderr });
      else failed(new Error(`${command} ${args.join(' ')} ended with ${error.code}:\n${stdout}\n${stderr}`));
    });
  });
}

const npm = (folder: string, ...args: readonly string[]): Promise<Ended> =>
  run(folder, 'npm', [...args, '--no-audit', '--no-fund']);
const npx = (folder: string, ...args: readonly string[]): Promise<Ended> =>
  run(folder, 'npx', ['--no-install', ...args]);
const installed = (folder: string, name: string): boolean => existsSync(join(folder, 'node_modules', name));

/** The list is short on purpose: what is packed is read by everyone who installs it. */
const PACKED =
  /^(package\.json|README\.md|LICENSE|dist\/bin\/strata\.js|dist\/lib\/.*\.(js|d\.ts)|dist\/functions\/(bindings\.json|.*\.mjs(\.map)?)|dist\/pipelines\/retail\/.*\.(js|sql)|statemachines\/\w+\.asl\.json|templates\/.*)$/;

/** A silver table of a source that is not declared. */
const WRONG = `import { csv, definePipeline } from '@strata-lake/strata';
export default definePipeline({
  name: 'wrong',
  sources: { orders: csv({ columns: { order_id: 'bigint' } }) },
  silver: { orders: { from: 'ordres' } },
});
`;

type Packed = {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
};
let tarball = '';

test('npm pack', async () => {
  const manifest = await readFile(join(ROOT, 'package.json'), 'utf8');
  const { stdout } = await npm(ROOT, 'pack', '--json', '--pack-destination', home);
  const [packed] = JSON.parse(stdout) as readonly Packed[];
  assert.ok(packed);
  tarball = join(home, packed.filename);
  assert.deepEqual(
    packed.files.map((file) => file.path).filter((file) => !PACKED.test(file)),
    [],
  );
  assert.ok(packed.files.some((file) => file.path === 'dist/lib/infra/index.d.ts'));
  assert.ok(packed.size < 6_000_000, `${packed.size} bytes`);
  assert.equal(await readFile(join(ROOT, 'package.json'), 'utf8'), manifest);
});

/** Fetched meanwhile. */
const oldest = installNode(join(home, 'node'));
oldest.catch(() => 'told by the test that needs it');

async function installNode(folder: string): Promise<string> {
  await mkdir(folder);
  await npm(folder, 'install', `node@${OLDEST}`);
  return join(folder, 'node_modules', 'node', 'bin');
}

describe('in an empty folder', () => {
  test('it installs without the CDK, without a bundler and without a compiler', async () => {
    await mkdir(project);
    await npm(project, 'install', tarball);
    const { stdout } = await npx(project, 'strata', '--version');
    assert.equal(
      stdout,
      `${(JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version}\n`,
    );
    for (const name of ['aws-cdk', 'aws-cdk-lib', 'constructs', 'cdk-nag', 'esbuild', 'typescript']) {
      assert.equal(installed(project, name), false, name);
    }
  });

  test('the demo runs, and hints are for this folder', async () => {
    const { stdout } = await npx(project, 'strata', 'demo');
    assert.match(stdout, /retail_gold\.category_share/);
    assert.match(
      stdout,
      /^ {2}npx strata run retail --pipelines node_modules\/@strata-lake\/strata\/dist\/pipelines$/m,
    );
  });

  test('init makes a project, which installs', async () => {
    await npx(project, 'strata', 'init', 'lake', '--aws');
    await npm(lake, 'install', '--prefer-offline');
    assert.ok(installed(lake, 'aws-cdk-lib'));
  });
});

describe('in the project', () => {
  test('npm start ends with gold', async () => {
    const { stdout } = await npm(lake, 'start');
    assert.match(stdout, /│ 2026-01-01 {2}│ AT {6}│ {2}164\.80 │ {6}3 │\n/);
    assert.match((await npm(lake, 'start')).stdout, /nothing to do for shop/);
  });

  test('npm test checks types and models', async () => {
    assert.match((await npm(lake, 'test')).stdout, /2 tests passed|2 passed/);
  });

  test('the types are clean, also those of the package itself', async () => {
    await npx(lake, 'tsc', '--skipLibCheck', 'false', '--lib', 'es2024,esnext.disposable');
    const wrong = join(lake, 'pipelines', 'wrong.ts');
    await writeFile(wrong, WRONG);
    await assert.rejects(npx(lake, 'tsc'), /'"ordres"' is not assignable to type '"orders"'/);
    await rm(wrong);
  });

  test('cdk synth makes the stacks, with the functions that the package brings', async () => {
    await npx(lake, 'cdk', 'synth', '--quiet');
    for (const stack of ['strata-lake', 'strata-shop']) {
      assert.ok(existsSync(join(lake, 'cdk.out', `${stack}.template.json`)), stack);
    }
  });

  test('it exports the names that it exports here', async () => {
    const names = async (name: string): Promise<unknown> => {
      const script = `console.log(JSON.stringify(Object.keys(await import('${name}')).sort()))`;
      return JSON.parse((await run(lake, 'node', ['--input-type=module', '--eval', script])).stdout);
    };
    assert.deepEqual(await names('@strata-lake/strata'), Object.keys(define).sort());
    assert.deepEqual(await names('@strata-lake/strata/cdk'), Object.keys(cdk).sort());
  });

  test('pipelines and models are begun in it', async () => {
    await npx(lake, 'strata', 'init', 'pipeline', 'web_shop');
    await npx(lake, 'strata', 'init', 'model', 'shop_gold.top_customers');
    await npx(lake, 'strata', 'test');
    await npx(lake, 'tsc');
  });

  test(`Node ${OLDEST} runs it`, async () => {
    const bin = await oldest;
    assert.equal((await run(lake, 'node', ['--version'], bin)).stdout, `v${OLDEST}\n`);
    const strata = join('node_modules', '.bin', 'strata');
    const { stdout, stderr } = await run(lake, strata, ['test', 'shop'], bin);
    assert.match(stdout, /passed/);
    assert.doesNotMatch(stderr, /Warning/);
  });
});
