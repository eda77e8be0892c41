import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { findBinding } from '../../lib/bundle/binding.ts';
import { type Built, buildLambdas } from '../../lib/bundle/build.ts';
import { APART, entriesApart, entriesBeside, LIGHT, WORKERS } from '../../lib/bundle/functions.ts';
import { sourcesOf } from '../../lib/bundle/source.ts';
import { ARCHITECTURES, BINDING_MISSING } from '../../lib/core/bundle-folder.ts';
import { PROJECT, withoutRegistry } from './binding-root.ts';

const MB = 1_000_000;
const run = promisify(execFile);

const source = await sourcesOf(PROJECT);
/** What npm has installed or an earlier build has fetched: the tests reach no registry. */
const found = await Promise.all(ARCHITECTURES.map((architecture) => findBinding(source.bindings, architecture)));
const atHand = ARCHITECTURES.filter((_, at) => found[at] !== undefined);
/** Only this machine's can be loaded. */
const host = ARCHITECTURES.find((architecture) => architecture === process.arch && process.platform === 'linux');
const loadable = host !== undefined && atHand.includes(host) ? host : undefined;
const whyNot = loadable === undefined ? 'DuckDB for Linux cannot be loaded on this machine' : false;

let folder = '';
let built: Built;
const build = async (name: string): Promise<Built> =>
  buildLambdas({
    pipelines: join(PROJECT, 'pipelines'),
    folder: join(folder, name),
    architectures: atHand.length === 0 ? ['x64'] : atHand,
    source,
  });
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-bundle-'));
  const restore = withoutRegistry(folder);
  built = await build('first');
  restore();
});
after(() => rm(folder, { recursive: true, force: true }));

const anyArchitecture = atHand[0] ?? 'x64';
const placeOf = (...path: readonly string[]): string => join(folder, 'first', ...path);
const filesOf = (place: string): readonly string[] =>
  globSync('**/*', { cwd: place, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

async function sizeOf(place: string): Promise<number> {
  const sizes = await Promise.all(filesOf(place).map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Paths of the sources that a bundle was made of, as its maps name them. */
async function sourceNamesOf(place: string): Promise<readonly string[]> {
  const maps = filesOf(place).filter((file) => file.endsWith('.mjs.map') && !file.includes('node_modules'));
  const texts = await Promise.all(maps.map((file) => readFile(file, 'utf8')));
  return [...new Set(texts.flatMap((text) => (JSON.parse(text) as { sources: readonly string[] }).sources))];
}

/** Paths of the sources that a function loads when it starts: of its file, and of those that it imports at once. */
async function loadedBy(place: string, file: string): Promise<readonly string[]> {
  const files = [file];
  for (const name of files) {
    const text = await readFile(join(place, name), 'utf8');
    for (const [, path = ''] of text.matchAll(/(?:^|[;}\s])(?:import|export)\b[^;"'()]*["'](\.[^"']+\.mjs)["']/g)) {
      const found = join(dirname(name), path);
      if (!files.includes(found)) files.push(found);
    }
  }
  const maps = await Promise.all(files.map((name) => readFile(join(place, `${name}.map`), 'utf8')));
  return maps.flatMap((text) => (JSON.parse(text) as { sources: readonly string[] }).sources);
}

/** The functions of contract: handler and file. */
const HANDLERS = [
  ...WORKERS.map((name) => ({ name, file: join('worker', `${name}.mjs`) })),
  ...APART.flatMap((folder) => entriesApart(folder).map((name) => ({ name, file: join(folder, `${name}.mjs`) }))),
  ...LIGHT.flatMap((folder) => [
    { name: folder, file: join(folder, 'index.mjs') },
    ...entriesBeside(folder).map((name) => ({ name, file: join(folder, `${name}.mjs`) })),
  ]),
];

/** The functions without DuckDB: folder and file. */
const LIGHT_ENTRIES = LIGHT.flatMap((folder) => [
  { name: folder, folder, file: 'index.mjs' },
  ...entriesBeside(folder).map((name) => ({ name, folder, file: `${name}.mjs` })),
]);

describe('the folder', () => {
  test('has the compiled pipelines, and each function, in which there is nothing of them', async () => {
    const specs = (await readdir(placeOf('specs'))).sort();
    assert.deepEqual(specs, built.pipelines.map((name) => `${name}.json`).sort());
    assert.ok(specs.length > 0);
    for (const architecture of atHand) {
      assert.deepEqual((await readdir(placeOf(architecture))).sort(), [...APART, ...LIGHT, 'worker'].sort());
      assert.ok(!(await readdir(placeOf(architecture, 'worker'))).includes('specs'));
    }
    const spec = JSON.parse(await readFile(placeOf('specs', specs[0] ?? ''), 'utf8')) as { readonly name: string };
    assert.equal(`${spec.name}.json`, specs[0]);
  });

  test('of workers has DuckDB, and says nothing is missing', { skip: atHand.length === 0 && whyNot }, async () => {
    assert.deepEqual(built.missing, []);
    for (const architecture of atHand) {
      const files = filesOf(placeOf(architecture, 'worker')).map((file) => relative(placeOf(architecture), file));
      assert.ok(files.includes(`worker/node_modules/@duckdb/node-bindings-linux-${architecture}/libduckdb.so`));
      assert.ok(!files.includes(`worker/${BINDING_MISSING}`));
    }
  });

  test('takes the place of what was there, and nothing is left beside it', async () => {
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('first')),
      ['first'],
    );
  });
});

describe('sizes', () => {
  for (const architecture of ARCHITECTURES) {
    const skip = !atHand.includes(architecture) && `DuckDB for linux-${architecture} was neither installed nor fetched`;
    test(`a worker for ${architecture} has less than 120 MB`, { skip }, async () => {
      const size = await sizeOf(placeOf(architecture, 'worker'));
      assert.ok(size < 120 * MB, `${size} bytes`);
      assert.ok(size > 20 * MB, `${size} bytes are too few to hold DuckDB`);
    });
  }

  for (const name of LIGHT) {
    // One of them has the client of Kafka.
    const most = name === 'consume' ? 7 : 5;
    test(`${name} has less than ${most} MB`, async () => {
      const size = await sizeOf(placeOf(anyArchitecture, name));
      assert.ok(size > 0 && size < most * MB, `${size} bytes`);
    });
  }
});

describe('what a bundle is made of', () => {
  const NEVER =
    /\/(aws-cdk-lib|constructs|cdk-nag|commander|aws-local-stepfunctions|esbuild|fast-check|typescript|@faker-js)\//;
  // Of lib/report they have what judges promises and tells of runs.
  const OURS = /(^|\/)(bin|test|bench|lib\/(cli|infra|bundle|generate|query|compile|define|asl))\//;

  test('workers: no CDK, no command line, no tests', async () => {
    const sources = await sourceNamesOf(placeOf(anyArchitecture, 'worker'));
    assert.ok(sources.some((path) => path.endsWith('lib/steps/stage/stage.ts')));
    assert.deepEqual(
      sources.filter((path) => NEVER.test(path) || path.includes('/@platformatic/')),
      [],
    );
    for (const name of WORKERS) {
      const loaded = await loadedBy(placeOf(anyArchitecture, 'worker'), `${name}.mjs`);
      assert.ok(loaded.some((path) => path.endsWith(`lambdas/${name}.ts`)));
      assert.deepEqual(
        loaded.filter((path) => !path.includes('node_modules') && OURS.test(path)),
        [],
        name,
      );
    }
    const later = sources.filter((path) => !path.includes('node_modules') && OURS.test(path));
    assert.deepEqual(
      later.filter((path) => !/(^|\/)lib\/(query|compile)\//.test(path)),
      [],
      'the page of a pipeline, and nothing else, is made of more',
    );
  });

  test('the client of PostgreSQL is in what serves, and in no other', async () => {
    const has = async (name: string): Promise<boolean> =>
      (await sourceNamesOf(placeOf(anyArchitecture, name))).some((path) =>
        /node_modules\/pg(-copy-streams)?\//.test(path),
      );
    for (const name of ['worker', ...LIGHT]) assert.equal(await has(name), false, name);
    for (const name of APART) assert.equal(await has(name), true, name);
    const files = filesOf(placeOf(anyArchitecture, 'serve')).map((file) => relative(placeOf(anyArchitecture), file));
    assert.equal(
      files.some((file) => file.endsWith('libduckdb.so')),
      atHand.length > 0,
    );
  });

  const CLIENTS: Readonly<Record<string, readonly string[]>> = {
    'await-decision': ['s3', 'sfn', 'sns'],
    consume: ['s3', 'sns'],
    fail: ['s3'],
    fetch: ['s3', 'sns'],
    'maintain-after': ['sfn'],
    notify: ['s3', 'sns'],
    'run-failed': [],
    starter: ['s3', 'sfn', 'sns'],
  };

  for (const { name, folder: own, file } of LIGHT_ENTRIES) {
    test(`${name}: the clients that it uses, no DuckDB, no CDK, no command line, no tests`, async () => {
      const place = placeOf(anyArchitecture, own);
      const sources = await loadedBy(place, file);
      assert.ok(sources.some((path) => path.endsWith(`lambdas/${name}.ts`)));
      const wrong = (path: string): boolean =>
        /duckdb/i.test(path) || NEVER.test(path) || (!path.includes('node_modules') && OURS.test(path));
      assert.deepEqual(sources.filter(wrong), []);
      assert.doesNotMatch(await readFile(join(place, file), 'utf8'), /@duckdb\//);
      const clients = sources.flatMap((path) => /\/@aws-sdk\/client-([\w-]+)\//.exec(path)?.[1] ?? []);
      assert.deepEqual([...new Set(clients)].sort(), CLIENTS[name], 'a start pays for what is loaded');
      assert.equal(
        sources.some((path) => path.includes('/@platformatic/kafka/')),
        name === 'consume',
      );
    });
  }

  test('equal inputs give equal bytes', async () => {
    const restore = withoutRegistry(folder);
    await build('second');
    restore();
    const digestsOf = async (name: string): Promise<readonly string[]> => {
      const place = join(folder, name);
      return Promise.all(
        filesOf(place).map(async (file) => {
          const hash = createHash('sha256').update(await readFile(file));
          return `${relative(place, file)} ${hash.digest('hex')}`;
        }),
      );
    };
    const [first = [], second = []] = await Promise.all(['first', 'second'].map(digestsOf));
    assert.deepEqual(
      second.filter((digest) => !first.includes(digest)),
      [],
    );
    assert.equal(second.length, first.length);
  });
});

/** Runs a module in a fresh process with a function's environment; gives the lines that begin with `= `. */
async function inProcess(code: string): Promise<readonly string[]> {
  const env = {
    PATH: process.env['PATH'],
    TMPDIR: folder,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'none',
    AWS_SECRET_ACCESS_KEY: 'none',
    STRATA_PIPELINE: 'shop',
    STRATA_OPS_BUCKET: 'ops-1',
    STRATA_TOPIC_ARN: 'arn:aws:sns:eu-west-1:1:shop',
    STRATA_STATE_MACHINE_ARN: 'arn:aws:states:eu-west-1:1:stateMachine:shop',
  };
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], { env });
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('= '))
    .map((line) => line.slice(2));
}

describe('in a process of its own', { skip: whyNot }, () => {
  const at = loadable ?? 'x64';
  const urlOf = (file: string): string => pathToFileURL(placeOf(at, file)).href;

  for (const { name, file } of HANDLERS) {
    test(`${name} has a handler, and what it throws keeps its name`, async () => {
      const lines = await inProcess(`
        const { handler } = await import(${JSON.stringify(urlOf(file))});
        console.log('= ' + typeof handler);
        const context = { memoryLimitInMB: '1769', awsRequestId: 'r', functionName: 'f', getRemainingTimeInMillis: () => 900_000 };
        const thrown = await handler({ nothing: 'of use' }, context).then(() => undefined, (error) => error);
        console.log('= ' + thrown?.name + ' ' + (thrown instanceof Error) + ' ' + thrown?.constructor.name);
        console.log('= ' + thrown?.message.split('\\n')[0]);
      `);
      assert.deepEqual(lines.slice(0, 2), ['function', 'InvalidInput true InvalidInput']);
      assert.match(lines[2] ?? '', /^(the event is not the input of |no STRATA_ORIGIN in the environment of)/);
    });
  }

  // The one timed test: a second is the stated limit, and a cold start pays for it. What is counted is the processor's
  // time, which is nearly all that an import takes, so that other work on this machine does not count.
  for (const name of WORKERS) {
    test(`importing ${name} takes less than a second (median of 3)`, async () => {
      const timed = `
        const begun = process.cpuUsage();
        await import(${JSON.stringify(urlOf(join('worker', `${name}.mjs`)))});
        const { user, system } = process.cpuUsage(begun);
        console.log('= ' + (user + system) / 1000);
      `;
      const answers = await Promise.all([1, 2, 3].map(() => inProcess(timed)));
      const times = answers.map(([ms]) => Number(ms));
      const median = times.toSorted((a, b) => a - b)[1] ?? Number.NaN;
      assert.ok(median < 1_000, `${times.map(Math.round).join(', ')} ms`);
    });
  }

  test('the native code beside a worker loads', async () => {
    const lines = await inProcess(`
      import { createRequire } from 'node:module';
      const require = createRequire(${JSON.stringify(urlOf(join('worker', 'stage.mjs')))});
      console.log('= ' + typeof require('@duckdb/node-bindings-linux-${at}/duckdb.node').library_version);
    `);
    assert.deepEqual(lines, ['function']);
  });
});
