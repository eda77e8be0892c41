import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import * as define from '@strata-lake/strata';
import * as cdk from '@strata-lake/strata/cdk';
import { blocksOf } from '../docs/blocks.ts';

/** `npm run test:package`: the tarball as a stranger gets it, in an empty folder and with an empty cache of npm. */

const ROOT = resolve(import.meta.dirname, '..', '..');
/** The oldest release that what we depend on takes; it reads TypeScript only when it is asked to. */
const OLDEST = '22.12.0';

const home = await mkdtemp(join(tmpdir(), 'strata-package-'));
const source = join(home, 'source');
const project = join(home, 'project');
const lake = join(project, 'lake');
const cloud = join(project, 'cloud');
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
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  };
  return new Promise((ended, failed) => {
    execFile(command, args, { cwd: folder, env, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      if (error === null) ended({ stdout, stderr });
      else failed(new Error(`${command} ${args.join(' ')} ended with ${error.code}:\n${stdout}\n${stderr}`));
    });
  });
}

const npm = (folder: string, ...args: readonly string[]): Promise<Ended> => run(folder, 'npm', args);
const npx = (folder: string, ...args: readonly string[]): Promise<Ended> =>
  run(folder, 'npx', ['--no-install', ...args]);
const installed = (folder: string, name: string): boolean => existsSync(join(folder, 'node_modules', name));

/** The list is short on purpose: what is packed is read by everyone who installs it. */
const PACKED =
  /^(package\.json|README\.md|LICENSE|dist\/bin\/[\w.-]+\.js(\.map)?|dist\/lib\/.*\.(js|d\.ts)|dist\/functions\/(bindings\.json|.*\.mjs(\.map)?)|dist\/pipelines\/retail\/.*\.(js|sql|yml)|spark\/statement\.py|statemachines\/\w+\.asl\.json|templates\/.*)$/;

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

/** While npm packs, the manifest is that of the package: of a copy, so that others may work here meanwhile. */
async function copySource(): Promise<void> {
  const left = /^(\..*|node_modules|dist|cdk\.out)$/;
  const isLeft = (file: string): boolean => dirname(file) === ROOT && left.test(basename(file));
  await cp(ROOT, source, { recursive: true, filter: (file) => !isLeft(file) });
  await symlink(join(ROOT, 'node_modules'), join(source, 'node_modules'));
}

test('npm pack', async () => {
  await copySource();
  const manifest = await readFile(join(source, 'package.json'), 'utf8');
  const { stdout } = await npm(source, 'pack', '--json', '--pack-destination', home);
  const [packed] = JSON.parse(stdout) as readonly Packed[];
  assert.ok(packed);
  tarball = join(home, packed.filename);
  assert.deepEqual(
    packed.files.map((file) => file.path).filter((file) => !PACKED.test(file)),
    [],
  );
  assert.ok(packed.files.some((file) => file.path === 'dist/lib/infra/index.d.ts'));
  assert.ok(packed.size < 6_000_000, `${packed.size} bytes`);
  assert.equal(await readFile(join(source, 'package.json'), 'utf8'), manifest);
});

/** Fetched meanwhile. */
const oldest = installNode(join(home, 'node'));
oldest.catch(() => 'told by the test that needs it');

/** With a folder `node_modules`, or npm would install into the nearest folder above that has one. */
async function emptyFolder(folder: string): Promise<void> {
  await mkdir(join(folder, 'node_modules'), { recursive: true });
}

async function installNode(folder: string): Promise<string> {
  await emptyFolder(folder);
  await npm(folder, 'install', `node@${OLDEST}`);
  return join(folder, 'node_modules', 'node', 'bin');
}

/** The block of a page that says that this script runs it. */
function blockOf(page: string): string {
  const block = blocksOf(page).find(({ options }) => options['by'] === 'test:package');
  assert.ok(block, page);
  return block.text;
}

const GOLD = /│ 2026-01-01 {2}│ AT {6}│ {2}164\.80 │ {6}3 │\n/;

describe('in an empty folder', () => {
  test('what the README says leads to gold', async () => {
    await emptyFolder(project);
    const text = blockOf('README.md');
    assert.match(
      text,
      /^npm install @strata-lake\/strata .*\nnpx strata init lake .*\ncd lake && npm install && npm start\n$/,
    );
    const { stdout } = await run(project, 'bash', ['-e', '-c', text.replace('@strata-lake/strata', tarball)]);
    assert.match(stdout, GOLD);
  });

  test('neither the CDK nor a bundler was installed', async () => {
    for (const name of ['aws-cdk', 'aws-cdk-lib', 'constructs', 'cdk-nag', 'esbuild']) {
      assert.deepEqual([installed(project, name), installed(lake, name)], [false, false], name);
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
});

describe('in the project', () => {
  test('its README holds, and a second start finds nothing new', async () => {
    const { stdout } = await run(lake, 'bash', ['-e', '-c', blockOf('templates/project/README.md')]);
    assert.match(stdout, /nothing to do for shop/);
    assert.match(stdout, GOLD);
    assert.match(stdout, /2 tests passed/);
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
    const { stderr } = await run(lake, strata, ['test', 'shop'], bin);
    assert.doesNotMatch(stderr, /Warning/);
  });
});

describe('in a project that can be deployed', () => {
  test('the CDK installs', async () => {
    await npx(project, 'strata', 'init', 'cloud', '--aws');
    await npm(cloud, 'install', '--prefer-offline');
    assert.ok(installed(cloud, 'aws-cdk-lib'));
  });

  test('the types are clean, also those of the package itself', async () => {
    await npx(cloud, 'tsc', '--skipLibCheck', 'false', '--lib', 'es2024,esnext.disposable');
    const wrong = join(cloud, 'pipelines', 'wrong.ts');
    await writeFile(wrong, WRONG);
    await assert.rejects(npx(cloud, 'tsc'), /'"ordres"' is not assignable to type '"orders"'/);
    await rm(wrong);
  });

  test('cdk synth makes the stacks, with the functions that the package brings', async () => {
    await npx(cloud, 'cdk', 'synth', '--quiet');
    for (const stack of ['strata-lake', 'strata-shop']) {
      assert.ok(existsSync(join(cloud, 'cdk.out', `${stack}.template.json`)), stack);
    }
  });

  test('it exports the names that it exports here', async () => {
    const names = async (name: string): Promise<unknown> => {
      const script = `console.log(JSON.stringify(Object.keys(await import('${name}')).sort()))`;
      return JSON.parse((await run(cloud, 'node', ['--input-type=module', '--eval', script])).stdout);
    };
    assert.deepEqual(await names('@strata-lake/strata'), Object.keys(define).sort());
    assert.deepEqual(await names('@strata-lake/strata/cdk'), Object.keys(cdk).sort());
  });
});
