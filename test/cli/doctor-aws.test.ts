import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { deploymentNames } from '../../lib/core/deployment-names.ts';
import type { Finding } from '../../lib/core/finding.ts';
import { checkSize } from '../../lib/remote/check-account.ts';
import type { StackList } from '../../lib/remote/list-stacks.ts';
import type { Pruned } from '../../lib/remote/versions/prune.ts';
import { type FakeAccount, fakeAws } from './aws-account.ts';
import { strataHere } from './child.ts';
import { openCliLake } from './lake.ts';

const shop = (compute = ''): string => `{
  name: 'shop',${compute}
  sources: { rows: csv({ columns: { id: 'int' } }) },
  silver: { items: { from: 'rows', mode: append() } },
}`;
const lake = openCliLake('shop', shop());
const reserving = openCliLake('shop', shop('compute: { steps: { Stage: { reservedConcurrency: 50 } } },'));
const serving = openCliLake(
  'shop',
  shop("serve: { postgres: { url: secret('REPORTS'), schema: 'web', tables: { items: { from: 'silver.items' } } } },"),
);
after(() => {
  lake.close();
  serving.close();
  reserving.close();
});

let aws: ReturnType<typeof fakeAws> | undefined;
afterEach(() => {
  aws?.reset();
  aws = undefined;
});

type Answer = { readonly findings: readonly Finding[] };

/** The findings of `doctor --aws` about the account, and the exit code. */
async function look(account: Partial<FakeAccount>, from = lake): Promise<readonly [number | null, readonly Finding[]]> {
  aws = fakeAws(account);
  const { code, stdout } = await from.run('doctor', '--aws', '--json');
  const { findings } = JSON.parse(stdout) as Answer;
  return [code, findings.slice(findings.findIndex(({ check }) => check === 'region'))];
}

const LAYERS = ['silver', 'gold', 'ops'];
const databases = (pipeline: string, prefix = ''): Readonly<Record<string, string>> =>
  Object.fromEntries(
    LAYERS.map((layer) => [`${prefix}${pipeline}_${layer}`, `Tables of layer ${layer} of the pipeline ${pipeline}`]),
  );
const BUCKET = 'strata-gold-111122223333-eu-west-1';

describe('strata doctor --aws', () => {
  test('has a line for all that a deploy needs of account and region', async () => {
    const [code, findings] = await look({ rules: 230, alarms: 120 });
    assert.equal(code, 0);
    assert.deepEqual(
      findings.map(({ check, status }) => `${check} ${status}`),
      [
        'region ok',
        'credentials ok',
        'clock ok',
        'bootstrap ok',
        'concurrency ok',
        'code ok',
        'roles ok',
        'rules ok',
        'alarms ok',
        'lake stack ok',
        'names ok',
        'lake formation ok',
        'runs ok',
      ],
    );
    const found = Object.fromEntries(findings.map((finding) => [finding.check, finding.found]));
    assert.match(found['credentials'] ?? '', /user\/deployer, account 111122223333$/);
    assert.match(found['rules'] ?? '', /^230 of 300 /);
    assert.match(found['alarms'] ?? '', /^120 of 5000/);
    assert.match(found['code'] ?? '', /^1\.0 of 75\.0 GB of code in functions, up to 0\.4 to come$/);
    assert.equal(found['runs'], 'none works');
  });

  type Case = readonly [
    what: string,
    account: Partial<FakeAccount>,
    code: number,
    check: string,
    found: RegExp,
    advice: RegExp,
  ];
  const CASES: readonly Case[] = [
    [
      'no bootstrap',
      { bootstrap: null },
      2,
      'bootstrap',
      /eu-west-1 has none/,
      /cdk bootstrap aws:\/\/111122223333\/eu-west-1/,
    ],
    ['one that is too old', { bootstrap: 5 }, 2, 'bootstrap', /version 5; templates ask for 6/, /cdk bootstrap/],
    [
      "a new account's ten calls",
      { calls: { all: 10, unreserved: 10 } },
      0,
      'concurrency',
      /^10 calls .* up to 10 units at work/,
      /Concurrent executions .* slower/,
    ],
    [
      'code that does not fit',
      { code: { has: 74.7e9, most: 75e9 } },
      2,
      'code',
      /^74\.7 of 75\.0 GB .* 0\.4 to come/,
      /strata.* stacks prune, or ask for more/,
    ],
    ['roles that do not fit', { roles: 998 }, 2, 'roles', /^998 of 1000, up to \d+ to come/, /Roles per account/],
    ['rules that may not fit', { rules: 300 }, 0, 'rules', /^300 of 300 .*unless/, /Service Quotas/],
    ['alarms that may not fit', { alarms: 4_995 }, 0, 'alarms', /^4995 of 5000/, /Service Quotas/],
    ['Lake Formation', { lakeFormation: true }, 2, 'lake formation', /^enforced/, /IAMAllowedPrincipals/],
    ['a clock that is behind', { ahead: 600_000 }, 2, 'clock', /^\d+ s behind AWS/, /time server/],
    [
      "a bucket's name",
      { buckets: ['other', BUCKET] },
      2,
      'names',
      new RegExp(`already: ${BUCKET}$`),
      /cdk import strata-lake/,
    ],
    ["the workgroup's name", { workgroups: ['strata'] }, 2, 'names', /workgroup strata/, /delete-work-group/],
    [
      'databases that were left',
      { databases: databases('shop') },
      2,
      'names',
      /shop_silver, shop_gold, shop_ops/,
      /"adopt": "shop"/,
    ],
    [
      'a question that is denied',
      { denied: ['iam:GetAccountSummary'] },
      0,
      'roles',
      /Grant iam:GetAccountSummary/,
      /not checked/,
    ],
    [
      'stacks that may not be seen',
      { denied: ['cloudformation:DescribeStacks'] },
      0,
      'stacks',
      /Grant cloudformation:DescribeStacks/,
      /not checked/,
    ],
  ];
  for (const [what, account, code, check, found, advice] of CASES) {
    test(`tells of ${what}`, async () => {
      const [ended, findings] = await look(account);
      const finding = findings.find((one) => one.check === check);
      assert.deepEqual([ended, finding?.status], [code, code === 2 ? 'fail' : 'warn']);
      assert.match(finding?.found ?? '', found);
      assert.match(finding?.advice ?? '', advice);
      const others = findings.filter((one) => one.check !== check && one.status !== 'ok');
      assert.deepEqual(others, []);
    });
  }

  test('tells of reservations that Lambda would refuse', async () => {
    const [code, findings] = await look({ calls: { all: 140, unreserved: 140 } }, reserving);
    const finding = findings.find(({ check }) => check === 'concurrency');
    assert.deepEqual([code, finding?.status], [2, 'fail']);
    assert.match(finding?.found ?? '', /pipelines to come reserve 50, and Lambda keeps 100/);
  });

  test('counts a role more of a pipeline that serves', async () => {
    const [, findings] = await look({ roles: 10 }, serving);
    const [, plain] = await look({ roles: 10 });
    const toCome = (all: readonly Finding[]): number =>
      Number(/up to (\d+)/.exec(all.find(({ check }) => check === 'roles')?.found ?? '')?.[1]);
    assert.deepEqual([toCome(plain), toCome(findings)], [4, 5]);
  });

  test('takes what is deployed for what it is: its own names, roles and reservations are no obstacle', async () => {
    const [code, findings] = await look(
      {
        roles: 999,
        buckets: [BUCKET],
        workgroups: ['strata'],
        databases: databases('shop'),
        calls: { all: 140, unreserved: 100 },
        stacks: {
          other: {},
          'strata-lake': { databases: Object.keys(databases('shop')) },
          'strata-shop': { pipeline: 'shop' },
        },
      },
      reserving,
    );
    assert.deepEqual([code, findings.filter(({ status }) => status !== 'ok')], [0, []]);
  });

  test('tells of runs that work, and warns where a deploy takes roles from them', async () => {
    const account = {
      stacks: {
        'strata-lake': { databases: Object.keys(databases('shop')) },
        'strata-shop': {
          pipeline: 'shop',
          roles: ['OpenRole5B2BF9A5', 'WorkRoleC1CAFD41', 'MyRole12345678', 'Auditor'],
        },
        'strata-till': { pipeline: 'till', roles: ['StageRoleC5C08B5F'] },
      },
      databases: databases('shop'),
    } as const;
    const executions = { 'strata-shop': [{ name: 'r1', status: 'RUNNING' }], 'strata-till': [] } as const;
    const runsOf = async (given: Partial<FakeAccount>): Promise<Finding | undefined> =>
      (await look({ ...account, ...given }))[1].find(({ check }) => check === 'runs');
    const kept = await runsOf({ executions });
    assert.deepEqual([kept?.status, kept?.found], ['ok', 'at work: shop (r1); a deploy leaves them their versions']);
    aws?.reset();
    const both = { ...executions, 'strata-till_maintenance': [{ name: 'm1', status: 'RUNNING' }] } as const;
    const losing = await runsOf({ executions: both });
    assert.deepEqual([losing?.status, losing?.found], ['warn', 'at work: shop (r1); till (m1)']);
    assert.match(losing?.advice ?? '', /^wait until they have ended: .* functions of till work with/);
    aws?.reset();
    assert.match(
      (await runsOf({ executions, denied: ['states:ListExecutions'] }))?.found ?? '',
      /Grant states:ListExecutions/,
    );
  });

  test('counts the databases of a pipeline as one resource where they are nested', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'strata-cli-'));
    const before = process.cwd();
    try {
      process.chdir(folder);
      const sizes: (string | undefined)[] = [];
      for (const context of [{}, { nestDatabases: true }, { nestDatabases: 'true' }]) {
        writeFileSync(join(folder, 'cdk.json'), JSON.stringify({ context }));
        sizes.push((await look({}))[1].find(({ check }) => check === 'lake stack')?.found);
        aws?.reset();
      }
      const nested = 'strata-lake: 19 resources of 500';
      assert.deepEqual(sizes, ['strata-lake: 21 resources of 500', nested, nested]);
    } finally {
      process.chdir(before);
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('asks nothing without a region, and nothing more without credentials', async () => {
    aws = fakeAws({ denied: ['sts:GetCallerIdentity'] });
    const { stdout } = await lake.run('doctor', '--aws');
    assert.match(stdout, /^fail {2}credentials {4}sts:GetCallerIdentity .*\n +-> aws configure, /m);
    assert.doesNotMatch(stdout, /bootstrap/);
    delete process.env['AWS_REGION'];
    Object.assign(process.env, { AWS_CONFIG_FILE: '/nowhere', AWS_SHARED_CREDENTIALS_FILE: '/nowhere' });
    const { code, stdout: none } = await lake.run('doctor', '--aws');
    assert.equal(code, 2);
    assert.match(none, /^fail {2}region {9}none is set\n +-> set AWS_REGION/m);
    assert.doesNotMatch(none, /credentials/);
  });
});

test('a lake has room for 160 pipelines, or for 482 whose databases are nested', () => {
  const sized = (pipelines: number, nested: boolean, adopted: readonly string[] = []): Finding =>
    checkSize({
      names: deploymentNames('dev', '--stage'),
      specs: Array.from({ length: pipelines }, (_, at) => ({ name: `p${at}` })),
      adopted,
      nested,
    });
  const statuses = [
    sized(160, false),
    sized(161, false),
    sized(161, false, ['p7']),
    sized(482, true),
    sized(483, true),
  ];
  assert.deepEqual(
    statuses.map(({ status }) => status),
    ['ok', 'fail', 'ok', 'ok', 'fail'],
  );
  assert.equal(sized(161, false).found, 'strata-dev-lake: 501 resources of 500');
  assert.match(sized(161, false).advice ?? '', /^before the first deploy: put "nestDatabases": true .* several stages/);
  assert.match(sized(483, true).advice ?? '', /^divide the pipelines among several stages/);
});

describe('strata stacks prune', () => {
  const OLD = '2026-03-01T00:00:00.000+0000';
  const now = () => new Date(Date.now() - 60_000).toISOString();
  const account = (): Partial<FakeAccount> => ({
    stacks: {
      'strata-lake': {},
      'strata-shop': { pipeline: 'shop' },
      'strata-till': { pipeline: 'till', status: 'UPDATE_IN_PROGRESS' },
      'strata-dev-shop': { pipeline: 'shop', stage: 'dev' },
    },
    versions: {
      'strata-shop-stage': { 1: OLD, 2: OLD, 3: OLD, 4: OLD, 5: OLD, 6: OLD, 10: OLD },
      // What was replaced a minute ago may be called by what has just begun.
      'strata-shop-merge': { 1: OLD, 2: OLD, 3: now() },
      'strata-shop-sweep': { 66: OLD, 67: OLD },
      'strata-dev-shop-stage': { 1: OLD, 2: OLD },
      'strata-till-stage': { 1: OLD, 2: OLD },
    },
    machines: { 'strata-shop': ['strata-shop-stage:10', 'strata-shop-merge:3'], 'strata-shop_maintenance': [] },
    executions: {
      'strata-shop': [
        { name: 'working', status: 'RUNNING', calls: ['strata-shop-stage:5'] },
        { name: 'waiting', status: 'PENDING_REDRIVE', calls: ['strata-shop-stage:6'] },
        { name: 'new', status: 'FAILED', ended: now(), calls: ['strata-shop-stage:3'] },
        { name: 'old', status: 'FAILED', ended: OLD, calls: ['strata-shop-stage:2'] },
        { name: 'stopped', status: 'ABORTED', ended: now(), calls: ['strata-shop-stage:4'] },
        { name: 'done', status: 'SUCCEEDED', ended: now(), calls: ['strata-shop-stage:1'] },
      ],
      'strata-shop_maintenance': [{ name: 'm1', status: 'TIMED_OUT', ended: now(), calls: ['strata-shop-sweep:9'] }],
    },
  });

  test('removes what neither a machine nor an execution can call, and leaves what is being deployed', async () => {
    aws = fakeAws(account());
    const pruned = await lake.json<Pruned>(0, 'stacks', 'prune');
    assert.deepEqual(aws.removed, ['strata-shop-stage:1', 'strata-shop-stage:2', 'strata-shop-merge:1']);
    const version = (name: string, number: number) => ({ function: name, version: number, bytes: 24_000_000 });
    assert.deepEqual(pruned, {
      dry_run: false,
      bytes: 72_000_000,
      pipelines: [
        {
          pipeline: 'shop',
          removed: [version('strata-shop-stage', 1), version('strata-shop-stage', 2), version('strata-shop-merge', 1)],
          kept: 9,
          left: null,
        },
        { pipeline: 'till', removed: [], kept: 0, left: 'strata-till is UPDATE_IN_PROGRESS' },
      ],
    });
  });

  test('shows the same with --dry-run, and removes nothing', async () => {
    aws = fakeAws(account());
    const { code, stdout } = await lake.run('stacks', 'prune', '--dry-run');
    assert.deepEqual([code, aws.removed], [0, []]);
    assert.match(stdout, /^would remove 4 versions of functions, 96 MB of code\n/);
    assert.match(stdout, /till +│ +0 +│ - +│ strata-till is UPDATE_IN_PROGRESS/);
  });

  test('looks at one stage, and at one pipeline', async () => {
    aws = fakeAws(account());
    const dev = await lake.json<Pruned>(0, 'stacks', 'prune', 'shop', '--stage', 'dev');
    assert.deepEqual([aws.removed, dev.pipelines.length], [['strata-dev-shop-stage:1'], 1]);
    const { code, stderr } = await lake.run('stacks', 'prune', 'web');
    assert.equal(code, 1);
    assert.match(stderr, /pipeline web is not deployed: expected one of those that are \(shop, till\)/);
    aws.reset();
    aws = fakeAws({});
    assert.match((await lake.run('stacks', 'prune')).stdout, /^no pipelines are deployed\n$/);
  });

  test('removes nothing when it may not see what is called', async () => {
    for (const denied of ['states:ListExecutions', 'states:DescribeStateMachine']) {
      aws = fakeAws({ ...account(), denied: [denied] });
      const { code, stderr } = await lake.run('stacks', 'prune');
      assert.deepEqual([code, aws.removed], [1, []]);
      assert.ok(stderr.includes(`Grant ${denied} on arn:`), stderr);
      aws.reset();
    }
  });
});

describe('strata stacks', () => {
  const stacks = {
    'strata-lake': { databases: Object.keys(databases('shop')) },
    'strata-shop': { pipeline: 'shop' },
    'strata-old-till': { pipeline: 'old_till', status: 'UPDATE_ROLLBACK_COMPLETE' },
    'strata-never': { pipeline: 'never', status: 'ROLLBACK_COMPLETE' },
    'strata-dev-lake': { stage: 'dev' },
    'strata-dev-shop': { pipeline: 'shop', stage: 'dev' },
  } as const;

  test('holds the folder against the account: what is deployed, what is not yet, and what the folder has no more', async () => {
    const left = { ...databases('shop'), ...databases('old_till'), ...databases('gone'), ...databases('shop', 'dev_') };
    aws = fakeAws({ stacks, databases: left });
    lake.add('web', shop().replace("'shop'", "'web'"));
    const { lake: own, pipelines } = await lake.json<StackList>(0, 'stacks');
    assert.deepEqual(own, { stack: 'strata-lake', status: 'UPDATE_COMPLETE' });
    assert.deepEqual(
      pipelines.map(({ pipeline, stack, here, status, left: names }) => [pipeline, stack, here, status, names.length]),
      [
        ['gone', 'strata-gone', false, null, 3],
        ['old_till', 'strata-old-till', false, 'UPDATE_ROLLBACK_COMPLETE', 3],
        ['shop', 'strata-shop', true, 'UPDATE_COMPLETE', 0],
        ['web', 'strata-web', true, null, 0],
      ],
    );
    const [gone, old, kept, web] = pipelines.map(({ advice }) => advice);
    assert.match(gone ?? '', /still there; put its folder back/);
    assert.match(old ?? '', /^strata stacks delete old_till; its tables stay$/);
    assert.deepEqual([kept, web], [null, 'npx cdk deploy strata-web']);
    const { stdout } = await lake.run('stacks');
    assert.match(stdout, /^strata-lake: UPDATE_COMPLETE\n/);
    assert.match(stdout, /gone +│ no +│ strata-gone +│ no, but databases: gone_silver, gone_gold, gone_ops +│/);
    assert.match(stdout, /shop +│ yes +│ strata-shop +│ UPDATE_COMPLETE, 2026-03-01 +│ - +│/);
  });

  test('looks at one stage, and says how a pipeline that comes back takes on its databases', async () => {
    aws = fakeAws({ stacks, databases: databases('shop', 'dev_') });
    const { stdout } = await strataHere(['stacks', '--stage', 'test', '--json', '--pipelines', '/nowhere']);
    assert.deepEqual(JSON.parse(stdout), { lake: { stack: 'strata-test-lake', status: null }, pipelines: [] });
    const { pipelines } = await lake.json<StackList>(0, 'stacks', '--stage', 'dev');
    const [back] = pipelines;
    assert.deepEqual(
      [back?.stack, back?.left],
      ['strata-dev-shop', ['dev_shop_silver', 'dev_shop_gold', 'dev_shop_ops']],
    );
    assert.match(back?.advice ?? '', /put "adopt": "shop" into the context of cdk\.json/);
  });

  test('deletes the stack of a pipeline that the folder has no more, and of no other', async () => {
    const executions = { 'strata-never': [], 'strata-busy': [{ name: 'r1', status: 'RUNNING' }] } as const;
    aws = fakeAws({ stacks: { ...stacks, 'strata-busy': { pipeline: 'busy' } }, executions });
    const refused: readonly (readonly [string, RegExp])[] = [
      ['shop', /shop is in the folder, .*: remove its folder first, or run npx cdk destroy strata-shop$/m],
      ['gone', /gone is not deployed: expected one of those that are \(busy, old_till, shop\)/],
      ['busy', /busy works \(r1\): wait until it has ended, or run .*strata.* executions stop busy r1 --aws/],
    ];
    for (const [pipeline, message] of refused) {
      const { code, stderr } = await lake.run('stacks', 'delete', pipeline);
      assert.equal(code, 1);
      assert.match(stderr, message);
    }
    assert.deepEqual(aws.removed, []);
    const { code, stdout } = await lake.run('stacks', 'delete', 'old_till');
    assert.deepEqual([code, stdout], [0, 'deleted strata-old-till; the tables of old_till stay\n']);
    assert.deepEqual(aws.removed, ['strata-old-till']);
    const { pipelines } = await lake.json<StackList>(0, 'stacks', '--stage', 'dev');
    assert.equal(pipelines.find(({ here }) => !here)?.advice ?? null, null);
  });

  test('says so when CloudFormation could not delete it', async () => {
    aws = fakeAws({ stacks: { 'strata-old': { pipeline: 'old', stuck: true } } });
    const { code, stderr } = await lake.run('stacks', 'delete', 'old');
    assert.equal(code, 2);
    assert.match(stderr, /stack strata-old is not deleted: .*strata stacks shows how it stands/);
  });

  test('names the right that is missing', async () => {
    aws = fakeAws({ denied: ['cloudformation:DescribeStacks'] });
    const { code, stderr } = await lake.run('stacks');
    assert.equal(code, 1);
    assert.match(stderr, /Grant cloudformation:DescribeStacks on all stacks to the caller/);
  });
});
