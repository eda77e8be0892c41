import assert from 'node:assert/strict';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { parse } from 'yaml';
import { strata, strataHere } from './child.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const home = mkdtempSync(join(tmpdir(), 'strata-init-'));
after(() => rmSync(home, { recursive: true }));
const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

const FILES = [
  '.github/workflows/ci.yml',
  '.gitignore',
  'README.md',
  'data/customers/customers.csv',
  'data/orders/2026-01.csv',
  'data/orders/2026-02.csv',
  'package.json',
  'pipelines/shop/gold/monthly_revenue.sql',
  'pipelines/shop/pipeline.ts',
  'pipelines/shop/silver/orders.sql',
  'pipelines/shop/test/monthly_revenue.test.ts',
  'pipelines/shop/test/orders.yml',
  'tsconfig.json',
];

/** A project whose pipelines find the package where npm would have put it. */
async function madeProject(name: string): Promise<string> {
  const folder = join(home, name);
  assert.equal((await strataHere(['init', folder])).code, 0);
  mkdirSync(join(folder, 'node_modules', '@strata-lake'), { recursive: true });
  symlinkSync(ROOT, join(folder, 'node_modules', '@strata-lake', 'strata'));
  return folder;
}

describe('a new project', () => {
  test('has these files, and is told how to go on', async () => {
    const folder = join(home, 'below', 'lake');
    const { code, stdout } = await strataHere(['init', folder]);
    assert.equal(code, 0);
    assert.deepEqual(filesIn(folder), FILES);
    for (const file of FILES) assert.ok(stdout.includes(`  ${folder}/${file}\n`), file);
    assert.match(stdout, /next:\n {2}cd .*lake\n {2}npm install\n {2}npm start .*\n {2}npm test/);
  });

  test('can be deployed when it is asked to', async () => {
    const folder = join(home, 'aws');
    const { stdout } = await strataHere(['init', folder, '--aws']);
    const added = ['.github/aws-roles.yml', '.github/workflows/deploy.yml', 'bin/app.ts', 'cdk.json'];
    assert.deepEqual(filesIn(folder), [...FILES, ...added].sort());
    assert.match(stdout, /npx strata doctor --aws .*\n {2}npx cdk deploy --all\n/);
    const text = (file: string): string => readFileSync(join(folder, '.github', file), 'utf8');
    const { on, permissions, jobs } = parse(text('workflows/deploy.yml'));
    assert.deepEqual(
      [on, permissions],
      [
        { pull_request: null, push: { branches: ['main'] } },
        { contents: 'read', 'id-token': 'write' },
      ],
    );
    const rolesOf = (job: string): readonly unknown[] =>
      jobs[job].steps.flatMap((step: { readonly with?: object; readonly run?: string }) => {
        const role = step.with !== undefined && 'role-to-assume' in step.with ? [step.with['role-to-assume']] : [];
        return [...role, ...(/^npx (cdk|strata)/.test(step.run ?? '') ? [step.run] : [])];
      });
    assert.deepEqual(rolesOf('diff'), [
      '${{ vars.AWS_DIFF_ROLE }}',
      'npx cdk diff --all --ci --method template > diff.txt',
    ]);
    assert.deepEqual(rolesOf('deploy'), [
      '${{ vars.AWS_DEPLOY_ROLE }}',
      'npx cdk deploy --all --ci --require-approval never',
      'npx strata stacks prune',
    ]);
    assert.match(jobs.diff.if, /head\.repo\.full_name == github\.repository/);
    const { DiffRole, DeployRole } = parse(text('aws-roles.yml')).Resources;
    const trusts = ({ Properties }: typeof DiffRole): unknown =>
      Properties.AssumeRolePolicyDocument.Statement[0].Condition.StringEquals;
    const aud = { 'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com' };
    const sub = 'token.actions.githubusercontent.com:sub';
    assert.deepEqual(trusts(DiffRole), { ...aud, [sub]: { 'Fn::Sub': 'repo:${Repository}:pull_request' } });
    assert.deepEqual(trusts(DeployRole), {
      ...aud,
      [sub]: { 'Fn::Sub': 'repo:${Repository}:ref:refs/heads/${Branch}' },
    });
    assert.deepEqual(
      [DiffRole, DeployRole].map((role) => JSON.stringify(role.Properties.Policies).match(/[a-z-]+-role/g)),
      [['-lookup-role'], ['-deploy-role', '-file-publishing-role', '-lookup-role']],
    );
    const pruning = DeployRole.Properties.Policies[1].PolicyDocument.Statement;
    assert.deepEqual(
      pruning.flatMap(({ Action }: { readonly Action: string | readonly string[] }) => Action),
      [
        ...['cloudformation:DescribeStacks', 'states:DescribeStateMachine', 'states:ListExecutions'],
        ...['states:DescribeStateMachineForExecution', 'lambda:ListVersionsByFunction', 'lambda:DeleteFunction'],
      ],
    );
  });

  test('is one document under --json', async () => {
    const folder = join(home, 'json');
    const { stdout } = await strataHere(['init', folder, '--json']);
    const document = JSON.parse(stdout) as { folder: string; files: readonly string[] };
    assert.equal(document.folder, folder);
    assert.deepEqual([...document.files].sort(), FILES.map((file) => join(folder, file)).sort());
  });

  test('passes the tests of its models', async () => {
    const pipelines = join(await madeProject('tests'), 'pipelines');
    const { code, stdout, stderr } = await strataHere(['test', '--json', '--pipelines', pipelines]);
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { passed: number }).passed, 2);
  });

  test('gives gold, and quarantines the two rows that break the contract', async () => {
    const folder = await madeProject('runs');
    const at = ['--root', join(folder, '.strata'), '--pipelines', join(folder, 'pipelines')];
    for (const source of ['orders', 'customers']) {
      const data = globSync(join(folder, 'data', source, '*.csv'));
      assert.equal((await strataHere(['land', 'shop', source, ...data, ...at])).code, 0);
    }
    const { stdout } = await strataHere(['run', 'shop', '--json', ...at]);
    const { accounting } = JSON.parse(stdout) as { accounting: Record<string, Record<string, number>> };
    const { read, accepted, quarantined } = accounting['orders'] ?? {};
    assert.deepEqual({ read, accepted, quarantined }, { read: 10, accepted: 7, quarantined: 2 });
    const gold = await strataHere(['query', 'FROM shop_gold.monthly_revenue', '--format', 'csv', ...at]);
    assert.equal(gold.stdout.trim().split(/\r?\n/)[1], '2026-01-01,AT,164.80,3');
  });
});

describe('nothing is overwritten:', () => {
  test('a project where a file of it stands', async () => {
    const folder = join(home, 'taken');
    mkdirSync(folder);
    writeFileSync(join(folder, 'tsconfig.json'), 'mine');
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    const { code, stderr } = await strataHere(['init', folder]);
    assert.equal(code, 1);
    assert.match(stderr, /^tsconfig\.json is in .*taken already, and nothing is overwritten: choose another name, or/);
    assert.deepEqual(filesIn(folder), ['notes.txt', 'tsconfig.json']);
  });

  test('a project where a link stands that leads nowhere', async () => {
    const folder = join(home, 'linked');
    mkdirSync(folder);
    symlinkSync('nowhere', join(folder, 'package.json'));
    assert.equal((await strataHere(['init', folder])).code, 1);
    assert.ok(!existsSync(join(folder, 'nowhere')));
  });

  test('a project where a file stands in place of the folder', async () => {
    const file = join(home, 'file');
    writeFileSync(file, 'mine');
    assert.equal((await strataHere(['init', file])).code, 1);
    assert.equal(readFileSync(file, 'utf8'), 'mine');
  });

  test('a pipeline, and a table', async () => {
    const pipelines = join(await madeProject('again'), 'pipelines');
    const pipeline = await strataHere(['init', 'pipeline', 'shop', '--pipelines', pipelines]);
    assert.deepEqual([pipeline.code, /shop\/pipeline\.ts is in .* already/.test(pipeline.stderr)], [1, true]);
    assert.ok(!existsSync(join(pipelines, 'shop', 'gold', 'events_by_day.sql')));
    const table = await strataHere(['init', 'model', 'shop_gold.monthly_revenue', '--pipelines', pipelines]);
    assert.deepEqual([table.code, table.stderr.includes('is a table of shop already')], [1, true]);
  });
});

describe('another pipeline', () => {
  test('passes its tests as it is', async () => {
    const pipelines = join(await madeProject('another'), 'pipelines');
    const { code, stdout } = await strataHere(['init', 'pipeline', 'web_shop', '--pipelines', pipelines]);
    assert.equal(code, 0);
    assert.match(stdout, /next:\n.* test web_shop --pipelines .*\n.* land web_shop events events\.csv/);
    const tests = await strataHere(['test', 'web_shop', '--json', '--pipelines', pipelines]);
    assert.equal(tests.code, 0, tests.stderr);
    assert.equal((JSON.parse(tests.stdout) as { passed: number }).passed, 1);
  });

  for (const name of ['Web', '1web', 'a__b', '../up', 'a-b', '']) {
    test(`cannot be called ${JSON.stringify(name)}`, async () => {
      const { code, stderr } = await strataHere(['init', 'pipeline', name, '--pipelines', join(home, 'none')]);
      assert.equal(code, 1);
      assert.match(stderr, /is no name of a pipeline: expected lower case letters/);
    });
  }
});

describe('another model', () => {
  for (const [table, sql, where, declared] of [
    ['shop_gold.top', 'gold/top.sql', 'gold: {', "top: { sql: 'gold/top.sql' },"],
    [
      'shop_silver.raw_orders',
      'silver/raw_orders.sql',
      'silver: {',
      "raw_orders: { from: 'orders', sql: 'silver/raw_orders.sql', mode: append({ dedupe: { key: 'order_id' } }) },",
    ],
  ] as const) {
    test(`${table} compiles once it is declared as was said`, async () => {
      const pipelines = join(await madeProject(table), 'pipelines');
      const { code, stdout } = await strataHere(['init', 'model', table, '--pipelines', pipelines]);
      assert.equal(code, 0);
      assert.ok(existsSync(join(pipelines, 'shop', sql)));
      assert.ok(stdout.includes(`#   ${declared}\n`), stdout);
      const file = join(pipelines, 'shop', 'pipeline.ts');
      writeFileSync(file, readFileSync(file, 'utf8').replace(where, `${where} ${declared}`));
      // A process of its own: this one has loaded the file as it was.
      const child = await strata(['compile', 'shop', '--json', '--pipelines', pipelines], home);
      assert.equal(child.code, 0, child.stderr);
      assert.ok(child.stdout.includes(sql.slice(sql.indexOf('/') + 1, -4)));
    });
  }

  test('needs a name with pipeline and layer', async () => {
    const { code, stderr } = await strataHere(['init', 'model', 'top']);
    assert.equal(code, 1);
    assert.match(stderr, /"top" is no name of a table: expected <pipeline>_gold\.<name>/);
  });
});
