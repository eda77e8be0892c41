import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import type { Finding } from '../../lib/core/finding.ts';
import type { StackList } from '../../lib/remote/list-stacks.ts';
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
after(() => {
  lake.close();
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
        'roles ok',
        'rules ok',
        'alarms ok',
        'lake stack ok',
        'names ok',
        'lake formation ok',
      ],
    );
    const found = Object.fromEntries(findings.map((finding) => [finding.check, finding.found]));
    assert.match(found['credentials'] ?? '', /user\/deployer, account 111122223333$/);
    assert.match(found['rules'] ?? '', /^230 of 300 /);
    assert.match(found['alarms'] ?? '', /^120 of 5000/);
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
    assert.match(old ?? '', /^aws cloudformation delete-stack --stack-name strata-old-till; its tables stay$/);
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

  test('names the right that is missing', async () => {
    aws = fakeAws({ denied: ['cloudformation:DescribeStacks'] });
    const { code, stderr } = await lake.run('stacks');
    assert.equal(code, 1);
    assert.match(stderr, /Grant cloudformation:DescribeStacks on all stacks to the caller/);
  });
});
