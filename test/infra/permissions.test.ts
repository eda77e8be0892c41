import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { App, Lazy } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { functionsOfRole, ROLE_NAMES } from '../../lib/core/roles.ts';
import { FUNCTIONS, type FunctionName, STATES, stateRow } from '../../lib/core/states.ts';
import { type LakeOptions, LakeStack } from '../../lib/infra/lake-stack.ts';
import { checkApplication } from '../../lib/infra/spark.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { ownStack } from './constructs.ts';
import { APPLICATION, deploy, FOLLOWER, LEADER, SPARK_ROLE } from './deployment.ts';
import { allows, type Request, statementOf, statementsOf, statementsOfFunction } from './policies.ts';
import { ACCOUNT, at, type Fields, list, REGION, resourceOf, resourcesOf } from './resources.ts';
import { missingOf, trustedIn } from './trusted.ts';

const { lake, pipelines } = await deploy();
const shop = pipelines['web_shop'] ?? assert.fail('no stack for web_shop');
const { pipelines: related } = await deploy({ pipelines: [FOLLOWER, LEADER] });
const [follower, leader] = [related['web_shop'] ?? assert.fail(), related['leader'] ?? assert.fail()];
const TEMPLATES = [lake, shop, follower, leader];

const arn = (service: string, rest: string): string => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
const MACHINE = arn('states', 'stateMachine:strata-web-shop');
const bucket = (zone: string): string => `arn:aws:s3:::strata-${zone}-${ACCOUNT}-${REGION}`;
const object = (key: string): string => `${bucket(key.split('/')[0] ?? '')}/${key}`;
const TO_SPARK = { 'iam:PassedToService': 'emr-serverless.amazonaws.com' };
const TABLE = arn('glue', 'table/web_shop_silver/orders');

/** Names of the functions that may do something. */
function mayDo(request: Request): readonly FunctionName[] {
  return FUNCTIONS.filter((name) => allows(statementsOfFunction(shop, name), request));
}

/** A version that a deployment has replaced, which a run may have begun with. */
function call(file: string): Request {
  return { action: 'lambda:InvokeFunction', resource: arn('lambda', `function:strata-web-shop-${file}:7`) };
}

function useKey(service: string, of: string): Request {
  const context = {
    'kms:ViaService': `${service}.${REGION}.amazonaws.com`,
    'kms:EncryptionContext:aws:s3:arn': of,
  };
  return { action: 'kms:Decrypt', resource: arn('kms', 'key/any'), context };
}

const s3 = (action: string, key: string): Request => ({ action: `s3:${action}`, resource: object(key) });
const [OPEN, WORK, PUBLISH, SERVE, RUN] = ROLE_NAMES.map(functionsOfRole) as [Names, Names, Names, Names, Names];
type Names = readonly FunctionName[];
const STEPS = [...OPEN, ...WORK, ...PUBLISH, ...SERVE];

/** A lake in a stack of its own. */
function stackOf(options: LakeOptions): Template {
  const app = new App({ outdir: temporaryFolder('cdk'), analyticsReporting: false });
  return Template.fromStack(new LakeStack(app, 'strata-lake', { encryption: 'kms', ...options }));
}

test('only where a model has a text for an engine, what works on data hands models on, over tables made known for that alone', () => {
  const workgroup = arn('athena', 'workgroup/strata');
  const own = arn('glue', 'table/web_shop_gold/total__strata_0a_0_1_out');
  const requests: readonly (readonly [Request, boolean])[] = [
    [{ action: 'athena:StartQueryExecution', resource: workgroup }, true],
    [{ action: 'athena:GetQueryExecution', resource: workgroup }, true],
    [{ action: 'glue:CreateTable', resource: own }, true],
    [{ action: 'glue:DeleteTable', resource: own }, true],
    [{ action: 'glue:UpdateTable', resource: arn('glue', 'table/web_shop_gold/total') }, false],
    [{ action: 'glue:CreateTable', resource: arn('glue', 'table/web_shop_silver/total__strata_0a_0_1_out') }, false],
    [{ action: 's3:PutObject', resource: `${bucket('ops')}/athena-results/1.csv` }, true],
    [{ action: 's3:GetBucketLocation', resource: bucket('gold') }, true],
    [{ action: 'emr-serverless:StartJobRun', resource: arn('emr-serverless', `/applications/${APPLICATION}`) }, true],
    [{ action: 'emr-serverless:StartJobRun', resource: arn('emr-serverless', '/applications/00fother') }, false],
    [
      {
        action: 'emr-serverless:CancelJobRun',
        resource: arn('emr-serverless', `/applications/${APPLICATION}/jobruns/1`),
      },
      true,
    ],
    [{ action: 'iam:PassRole', resource: SPARK_ROLE, context: TO_SPARK }, true],
    [
      { action: 'iam:PassRole', resource: SPARK_ROLE, context: { 'iam:PassedToService': 'lambda.amazonaws.com' } },
      false,
    ],
    [{ action: 'iam:PassRole', resource: `${SPARK_ROLE}-other`, context: TO_SPARK }, false],
  ];
  for (const [request, allowed] of requests) {
    assert.equal(allows(statementsOfFunction(follower, 'Stage'), request), allowed, JSON.stringify(request));
    assert.equal(allows(statementsOfFunction(shop, 'Stage'), request), false);
  }
  const mayStop = { action: 'athena:StopQueryExecution', resource: workgroup };
  const mayForget = { action: 'glue:DeleteTable', resource: own };
  const may = (template: Template, name: FunctionName): readonly boolean[] =>
    [...requests.map(([request]) => request), mayStop].map((request) =>
      allows(statementsOfFunction(template, name), request),
    );
  const only = (...allowed: readonly object[]): readonly boolean[] =>
    [...requests.map(([request]) => request), mayStop].map(({ action, resource }) =>
      allowed.some((one) => JSON.stringify(one) === JSON.stringify({ action, resource })),
    );
  const mayCancel = requests.map(([request]) => request).filter(({ action }) => action.endsWith(':CancelJobRun'));
  assert.deepEqual(may(follower, 'Fail'), only(mayStop, ...mayCancel), 'what undoes a run may stop its statements');
  const tending = requests.filter(([{ action, resource }]) =>
    allows(statementsOfFunction(shop, 'Sweep'), { action, resource }),
  );
  assert.deepEqual(may(follower, 'Sweep'), only(mayForget, ...tending.map(([request]) => request)));
  assert.ok(!allows(statementsOfFunction(shop, 'Sweep'), mayForget));
  assert.ok(!allows(statementsOfFunction(shop, 'Fail'), mayStop));
  const told = (template: Template, name: FunctionName): boolean =>
    JSON.stringify(resourceOf(template, 'AWS::Lambda::Function', name).properties).includes(
      '"STRATA_ATHENA_WORKGROUP":"strata"',
    );
  const names = ['Stage', 'Fail', 'Sweep', 'Merge', 'Open'] as const;
  assert.deepEqual(
    names.map((name) => told(follower, name)),
    [true, true, true, false, false],
  );
  assert.ok(!names.some((name) => told(shop, name)));
});

test('a job of Spark reads what a model reads, and writes what is staged and what it says', () => {
  const role = statementsOf(follower, SPARK_ROLE.replace(/^.*\//, ''));
  const gold = `${bucket('gold')}/gold/web_shop`;
  const run = `${bucket('ops')}/ops/web_shop/_runs/r1`;
  const table = (name: string): string => arn('glue', `table/web_shop_gold/${name}`);
  const requests: readonly (readonly [Request, boolean])[] = [
    [{ action: 's3:GetObject', resource: `${bucket('silver')}/silver/web_shop/orders/data/a.parquet` }, true],
    [{ action: 's3:GetObject', resource: `${bucket('gold')}/gold/leader/counts/data/a.parquet` }, true],
    [{ action: 's3:GetObject', resource: `${bucket('bronze')}/bronze/web_shop/rows/a.csv` }, false],
    [{ action: 's3:PutObject', resource: `${gold}/total/staged/r1/0a/gold.total-00000-1/data/a.parquet` }, true],
    [{ action: 's3:PutObject', resource: `${gold}/total/data/a.parquet` }, false],
    [{ action: 's3:DeleteObject', resource: `${gold}/total/staged/r1/0a/gold.total-00000-1/data/a.parquet` }, false],
    [{ action: 's3:PutObject', resource: `${run}/level-1/engines/u/1-insert-0-statement.json.ended` }, true],
    [{ action: 's3:PutObject', resource: `${run}/plan.json` }, false],
    [{ action: 'glue:UpdateTable', resource: table('total__strata_0a_0_1_out') }, true],
    [{ action: 'glue:UpdateTable', resource: table('total') }, false],
    [{ action: 'glue:DeleteTable', resource: table('total__strata_0a_0_1_out') }, false],
  ];
  for (const [request, allowed] of requests) assert.equal(allows(role, request), allowed, JSON.stringify(request));
  const { Environment } = resourceOf(follower, 'AWS::Lambda::Function', 'Stage').properties;
  const told = at(Environment as Fields, 'Variables') as Fields;
  assert.deepEqual(
    [told['STRATA_SPARK_APPLICATION'], told['STRATA_SPARK_ROLE'], told['STRATA_SPARK_SUBMIT']],
    [APPLICATION, SPARK_ROLE, '--conf spark.executor.memory=8g'],
  );
  assert.match(JSON.stringify(told['STRATA_SPARK_SCRIPT']), /s3:\/\/cdk-[^"]*-assets-[^"]*\/[0-9a-f]{64}\.py/);
  for (const id of ['arn:aws:emr-serverless:eu-west-1:111122223333:/applications/00f', 'Spark', ''])
    assert.throws(() => checkApplication('shop', id), /pipeline shop: spark\.applicationId: got .*; expected the id/);
  checkApplication('shop', Lazy.string({ produce: () => 'x' }));
  const [own, ...others] = resourcesOf(follower, 'AWS::IAM::Policy').filter(({ id }) => id.startsWith('SparkJobs'));
  assert.deepEqual([own?.properties['PolicyName'], others], [`strata-web-shop-spark-${REGION}`, []]);
  const program = role.find(({ resources }) => /cdk-/.test(resources.join()));
  assert.deepEqual(program?.actions, ['s3:GetObject']);
});

test('a run that exports is not refused by a deploy that takes the last export of its pipeline away', () => {
  const write = (pipeline: string): Request => ({
    action: 's3:PutObject',
    resource: `${bucket('gold')}/exports/${pipeline}/a.csv`,
  });
  // It exports nothing.
  const commit = statementsOfFunction(leader, 'Commit');
  assert.deepEqual([allows(commit, write('leader')), allows(commit, write('web_shop'))], [true, false]);
});

/** Who may do what; anybody who is not named may not. */
const ALLOWED: readonly (readonly [string, Request, readonly FunctionName[]])[] = [
  ['start an execution', { action: 'states:StartExecution', resource: MACHINE }, RUN],
  ['start maintenance', { action: 'states:StartExecution', resource: `${MACHINE}_maintenance` }, RUN],
  [
    'start one of another pipeline',
    { action: 'states:StartExecution', resource: arn('states', 'stateMachine:strata-plain') },
    [],
  ],
  ['read an upload', s3('GetObject', 'bronze/web_shop/orders/a.csv'), [...OPEN, ...WORK]],
  ['read an overwritten upload', s3('GetObjectVersion', 'bronze/web_shop/orders/a.csv'), [...OPEN, ...WORK]],
  ['change an upload', s3('PutObject', 'bronze/web_shop/orders/a.csv'), []],
  ['remove an upload', s3('DeleteObject', 'bronze/web_shop/orders/a.csv'), []],
  ['read a table', s3('GetObject', 'silver/web_shop/orders/data/f.parquet'), STEPS],
  ['read an older version of it', s3('GetObjectVersion', 'silver/web_shop/orders/data/f.parquet'), []],
  ['write files of silver', s3('PutObject', 'silver/web_shop/orders/data/f.parquet'), [...WORK, ...PUBLISH]],
  ['write files of gold', s3('PutObject', 'gold/web_shop/total/data/f.parquet'), [...WORK, ...PUBLISH]],
  ['remove files of silver', s3('DeleteObject', 'silver/web_shop/orders/data/f.parquet'), [...OPEN, ...PUBLISH]],
  ['renew the lock', s3('PutObject', 'ops/web_shop/lock.json'), STEPS],
  ['read the quarantine', s3('GetObject', 'ops/web_shop/quarantine/data/f.parquet'), STEPS],
  ['mark an event', s3('PutObject', 'ops/web_shop/_events/e.json'), [...STEPS, ...RUN]],
  ['mark what landed', s3('PutObject', 'ops/web_shop/_landed/e.json'), [...STEPS, ...RUN]],
  ['remove what was marked', s3('DeleteObject', 'ops/web_shop/_landed/e.json'), [...OPEN, ...WORK, ...PUBLISH]],
  [
    'read the secret of where tables are served',
    { action: 'secretsmanager:GetSecretValue', resource: arn('secretsmanager', 'secret:REPORTS_URL-a1B2c3') },
    SERVE,
  ],
  [
    'read another secret',
    { action: 'secretsmanager:GetSecretValue', resource: arn('secretsmanager', 'secret:REPORTS_URL_2-a1B2c3') },
    [],
  ],
  [
    'see whether an execution has ended',
    { action: 'states:DescribeExecution', resource: arn('states', 'execution:strata-web-shop:upload-1') },
    [...OPEN, ...RUN],
  ],
  [
    'see whether one of another pipeline has',
    { action: 'states:DescribeExecution', resource: arn('states', 'execution:strata-plain:upload-1') },
    [],
  ],
  ['mark an alert', s3('PutObject', 'ops/web_shop/_alerts/a.json'), [...STEPS, ...RUN]],
  ['write audit rows', s3('PutObject', 'ops/web_shop/audit_log/x/r.parquet'), [...STEPS, ...RUN]],
  ['read what another pipeline has', s3('GetObject', 'silver/plain/rows/data/f.parquet'), []],
  ['read what a run of another builds on', s3('GetObject', 'ops/plain/_runs/r/plan.json'), PUBLISH],
  ['read what another has rejected', s3('GetObject', 'ops/plain/quarantine/data/f.parquet'), []],
  ['list pipelines', { action: 's3:ListBucket', resource: bucket('ops'), prefix: 'ops/' }, PUBLISH],
  ['read what a pipeline of a longer name has', s3('GetObject', 'silver/web_shop_2/rows/data/f.parquet'), []],
  [
    'read what another stage has',
    { action: 's3:GetObject', resource: `${bucket('dev-silver')}/silver/web_shop/f` },
    [],
  ],
  ['look up a table', { action: 'glue:GetTable', resource: TABLE }, [...OPEN, ...PUBLISH, ...SERVE]],
  ['list tables', { action: 'glue:GetTables', resource: TABLE }, [...OPEN, ...PUBLISH]],
  ['create a table', { action: 'glue:CreateTable', resource: TABLE }, PUBLISH],
  ['change a table', { action: 'glue:UpdateTable', resource: TABLE }, PUBLISH],
  ['delete a table', { action: 'glue:DeleteTable', resource: TABLE }, []],
  [
    'change a table of another pipeline',
    { action: 'glue:UpdateTable', resource: arn('glue', 'table/plain_silver/r') },
    [],
  ],
  [
    'list uploads',
    { action: 's3:ListBucketVersions', resource: bucket('bronze'), prefix: 'bronze/web_shop/orders/' },
    [...OPEN, ...WORK],
  ],
  ['list uploads of another', { action: 's3:ListBucket', resource: bucket('bronze'), prefix: 'bronze/plain/' }, []],
  ['list names in ops', { action: 's3:ListBucket', resource: bucket('ops'), prefix: 'ops/web_shop/_runs/' }, STEPS],
  ['list all names in ops', { action: 's3:ListBucket', resource: bucket('ops'), prefix: '' }, []],
  ['tell people', { action: 'sns:Publish', resource: resourceOf(shop, 'AWS::SNS::Topic').id }, RUN],
  ['call a function', call('stage'), RUN],
  ['call one of another pipeline', { ...call('stage'), resource: arn('lambda', 'function:strata-plain-stage:1') }, []],
  ['call the starter', call('starter'), []],
  ['take a role', { action: 'sts:AssumeRole', resource: arn('iam', 'role/x') }, []],
  ['use the key of its own objects', useKey('s3', bucket('silver')), FUNCTIONS],
  ['use that of others', useKey('s3', 'arn:aws:s3:::theirs'), []],
  ['use it but for objects', useKey('dynamodb', bucket('silver')), []],
];

describe('what functions may do', () => {
  for (const [what, request, names] of ALLOWED) {
    test(`${what}: ${names.length === 0 ? 'nobody' : names.join(', ')}`, () => {
      assert.deepEqual([...mayDo(request)].sort(), [...names].sort());
    });
  }

  test('no two statements of a policy have one name, which IAM refuses', () => {
    for (const { id, properties } of resourcesOf(shop, 'AWS::IAM::Policy')) {
      const sids = (list(at(properties, 'PolicyDocument', 'Statement')) as readonly Fields[]).flatMap(
        (one) => one['Sid'] ?? [],
      );
      assert.deepEqual(sids, [...new Set(sids)], id);
    }
  });

  test('each is in one of four roles, but that which serves', () => {
    const roles = resourcesOf(shop, 'AWS::Lambda::Function').map(({ properties }) => properties['Role']);
    assert.equal(new Set(roles).size, 5);
    assert.deepEqual([...STEPS, ...RUN].sort(), [...FUNCTIONS].sort());
  });
});

/** Actions that AWS offers no resources for. Source: docs.aws.amazon.com/service-authorization/latest/reference */
const WITHOUT_RESOURCES = [
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
];

test('no statement names all resources, except for actions that know none; none names all actions', () => {
  const roles = resourcesOf(shop, 'AWS::IAM::Role').map(({ id }) => id);
  assert.equal(roles.length, 5);
  for (const { actions, resources } of roles.flatMap((role) => statementsOf(shop, role))) {
    for (const action of actions) assert.match(action, /^[a-z0-9]+:[A-Za-z]+$/);
    if (!resources.includes('*')) continue;
    assert.deepEqual(
      actions.filter((action) => !WITHOUT_RESOURCES.includes(action)),
      [],
    );
  }
  // What ends in a wildcard says first whose it is.
  const open = roles
    .flatMap((role) => statementsOf(shop, role))
    .flatMap(({ resources }) => resources)
    .filter((resource) => resource !== '*' && resource.includes('*') && !/web[_-]shop/.test(resource));
  // What unfinished runs of any pipeline need may not be removed, so that their plans are read.
  const plans = /\/ops\/\*\/((_runs|_compactions)\/\*\/(plan|result)\.json|_specs\/|open-(run|maintenance)\.json)\*$/;
  const keys = arn('kms', 'key/*');
  assert.deepEqual(
    open.filter((resource) => !plans.test(resource) && resource !== keys),
    [],
  );
});

test('no role may be taken by anybody but the service that it is for', () => {
  const services = resourcesOf(shop, 'AWS::IAM::Role').flatMap(({ properties }) =>
    list(at(properties, 'AssumeRolePolicyDocument', 'Statement')).map((one) => at(one, 'Principal', 'Service')),
  );
  assert.deepEqual([...new Set(services)].sort(), [
    'lambda.amazonaws.com',
    'scheduler.amazonaws.com',
    'states.amazonaws.com',
  ]);
  assert.deepEqual(
    resourcesOf(shop, 'AWS::IAM::Role').filter(({ properties }) => properties['ManagedPolicyArns'] !== undefined),
    [],
  );
});

describe('a service of AWS works for this account only', () => {
  test('wherever one is let in: by roles, topics, queues, keys, buckets and functions', () => {
    const all = TEMPLATES.flatMap(trustedIn);
    assert.deepEqual(all.flatMap(missingOf), []);
    const services = new Set(all.map(({ service }) => service));
    assert.deepEqual([...services].toSorted(), [
      'cloudwatch.amazonaws.com',
      'events.amazonaws.com',
      'lambda.amazonaws.com',
      'logging.s3.amazonaws.com',
      `logs.${REGION}.amazonaws.com`,
      'scheduler.amazonaws.com',
      'states.amazonaws.com',
    ]);
  });

  test('by conditions that name the account', () => {
    for (const { place, conditions } of TEMPLATES.flatMap(trustedIn)) {
      const account = conditions['aws:SourceAccount'] ?? ACCOUNT;
      assert.equal(account, ACCOUNT, place);
      const arn = conditions['aws:SourceArn'];
      const own = arn === undefined || String(arn).endsWith('.Arn') || String(arn).split(':')[4] === ACCOUNT;
      assert.ok(own, `${place}: ${arn}`);
    }
  });

  test('and the check finds who forgets it', () => {
    const { stack } = ownStack();
    new Role(stack, 'Careless', { assumedBy: new ServicePrincipal('states.amazonaws.com') });
    new Queue(stack, 'Open').grantSendMessages(new ServicePrincipal('sns.amazonaws.com'));
    const found = trustedIn(Template.fromStack(stack)).flatMap(missingOf);
    assert.deepEqual(
      found.map((one) => one.replace(/[0-9A-F]{8} /, ' ')),
      [
        'Careless lets in states.amazonaws.com without aws:SourceArn',
        'Careless lets in states.amazonaws.com without aws:SourceAccount',
        'OpenPolicy lets in sns.amazonaws.com without aws:SourceArn',
        'OpenPolicy lets in sns.amazonaws.com without aws:SourceAccount',
      ],
    );
  });
});

test('tables of other pipelines may be read by those who read them for gold, in the layers that it reads; no one may change them', () => {
  const who = (template: typeof shop, request: Request): readonly FunctionName[] =>
    FUNCTIONS.filter(
      // The pipeline that is read serves nothing, and nobody decides about its runs.
      (name) =>
        (template === follower || stateRow(name).only === undefined) &&
        allows(statementsOfFunction(template, name), request),
    );
  const readers = FUNCTIONS.filter((name) => OPEN.includes(name) || WORK.includes(name));
  for (const layer of ['silver', 'gold']) {
    const key = `${layer}/leader/rows/data/f.parquet`;
    assert.deepEqual(who(follower, s3('GetObject', key)), readers, layer);
    for (const action of ['PutObject', 'DeleteObject']) assert.deepEqual(who(follower, s3(action, key)), [], layer);
    const listed = { action: 's3:ListBucket', resource: bucket(layer), prefix: `${layer}/leader/rows/` };
    assert.deepEqual(who(follower, listed), readers);
    const table = arn('glue', `table/leader_${layer}/rows`);
    assert.deepEqual(who(follower, { action: 'glue:GetTable', resource: table }).toSorted(), OPEN.toSorted());
    assert.deepEqual(who(follower, { action: 'glue:UpdateTable', resource: table }), []);
    assert.deepEqual(who(follower, s3('GetObject', `${layer}/leader_2/rows/f`)), []);
    assert.deepEqual(who(leader, s3('GetObject', `${layer}/web_shop/orders/f`)), []);
  }
  const needed = [
    ['open-run.json', [...OPEN, ...PUBLISH]],
    ['_runs/r/plan.json', [...OPEN, ...PUBLISH]],
    ['_runs/r/commit.json', [...OPEN]],
  ] as const;
  for (const [name, names] of needed) {
    assert.deepEqual(who(follower, s3('GetObject', `ops/leader/${name}`)).toSorted(), names.toSorted());
  }
  assert.deepEqual(who(follower, s3('GetObject', 'ops/leader/quarantine/data/f.parquet')), []);
  assert.deepEqual(who(follower, s3('PutObject', 'ops/leader/open-run.json')), []);
});

describe('what the state machine may do', () => {
  const machine = statementsOf(
    shop,
    resourcesOf(shop, 'AWS::IAM::Role').find(({ id }) => id.startsWith('RunRole'))?.id ?? '',
  );
  const allowed: readonly (readonly [string, Request, boolean])[] = [
    ...FUNCTIONS.map((name): readonly [string, Request, boolean] => [
      `call ${name}`,
      call(STATES[name].file),
      name !== 'Starter',
    ]),
    ['start the children of its maps', { action: 'states:StartExecution', resource: MACHINE }, true],
    [
      'start another machine',
      { action: 'states:StartExecution', resource: arn('states', 'stateMachine:strata-p') },
      false,
    ],
    ...['DescribeExecution', 'StopExecution', 'RedriveExecution'].map((what): readonly [string, Request, boolean] => [
      `${what} of a child`,
      { action: `states:${what}`, resource: arn('states', 'execution:strata-web-shop/Stage:run-1') },
      true,
    ]),
    ['read a list of units', s3('GetObject', 'ops/web_shop/_runs/r/level-0/stage-units.json'), true],
    ['write the results of a map', s3('PutObject', 'ops/web_shop/_runs/r/map-results/x/manifest.json'), true],
    ['read those of a dry run', s3('GetObject', 'ops/web_shop/_dry_runs/r/level-0/stage-units.json'), true],
    ['read data', s3('GetObject', 'silver/web_shop/orders/data/f.parquet'), false],
    ['change the lock', s3('PutObject', 'ops/web_shop/lock.json'), false],
    ['trace', { action: 'xray:GetSamplingTargets', resource: '*' }, true],
    ['log', { action: 'logs:CreateLogDelivery', resource: '*' }, true],
  ];
  for (const [what, request, expected] of allowed) {
    test(`${expected ? 'may' : 'may not'} ${what}`, () => assert.equal(allows(machine, request), expected));
  }
});

test('the schedules have the role of the machines, which may tell of their failure', () => {
  const { id } = resourceOf(shop, 'AWS::IAM::Role', 'RunRole');
  const schedules = resourcesOf(shop, 'AWS::Scheduler::Schedule').map(({ properties }) =>
    at(properties, 'Target', 'RoleArn'),
  );
  assert.deepEqual([...new Set(schedules)], [`${id}.Arn`]);
  const letters = resourcesOf(shop, 'AWS::SQS::Queue').find((one) => one.id.startsWith('DeadLetters'))?.id ?? '';
  assert.ok(allows(statementsOf(shop, id), { action: 'sqs:SendMessage', resource: `${letters}.Arn` }));
});

test('the stack of the lake makes no roles', () => {
  assert.deepEqual(resourcesOf(lake, 'AWS::IAM::Role'), []);
});

const CHOSEN = ['web_shop', 'orders_of_europe', 'staff'];
const LONG = Array.from({ length: 9 }, (_, at) => `a_pipeline_of_a_long_name_${at}`);

describe('what the policies of the lake let people do', () => {
  const may: readonly (readonly [Request, readonly string[]])[] = [
    [{ action: 'athena:StartQueryExecution', resource: arn('athena', 'workgroup/strata') }, ['reader']],
    [{ action: 'athena:StartQueryExecution', resource: arn('athena', 'workgroup/primary') }, []],
    [{ action: 'glue:GetTable', resource: TABLE }, ['reader']],
    [{ action: 'glue:UpdateTable', resource: TABLE }, []],
    [{ action: 'glue:DeleteTable', resource: TABLE }, []],
    [s3('GetObject', 'gold/web_shop/total/data/f.parquet'), ['reader']],
    [s3('PutObject', 'gold/web_shop/total/data/f.parquet'), []],
    [s3('GetObject', 'ops/web_shop/_runs/r/result.json'), ['operator', 'reader']],
    [s3('PutObject', 'ops/web_shop/lock.json'), []],
    [{ action: 's3:PutObject', resource: `${bucket('ops')}/athena-results/q.csv` }, ['reader']],
    [s3('PutObject', 'bronze/web_shop/orders/a.csv'), ['uploader']],
    [s3('GetObject', 'bronze/web_shop/orders/a.csv'), []],
    [s3('DeleteObject', 'bronze/web_shop/orders/a.csv'), []],
    [{ action: 'states:StartExecution', resource: MACHINE }, ['operator']],
    [{ action: 'states:StartExecution', resource: `${MACHINE}_maintenance` }, ['operator']],
    [{ action: 'states:StopExecution', resource: arn('states', 'execution:strata-web-shop:r') }, ['operator']],
    [
      { action: 'lambda:InvokeFunction', resource: arn('lambda', 'function:strata-web-shop_origin_said') },
      ['operator'],
    ],
    [{ action: 'sqs:DeleteMessage', resource: arn('sqs', 'strata-web-shop-DeadLetters1-2') }, ['operator']],
    [{ action: 'states:StartExecution', resource: arn('states', 'stateMachine:theirs') }, []],
    [{ action: 'states:UpdateStateMachine', resource: MACHINE }, []],
    [
      { action: 'cloudformation:DescribeStacks', resource: arn('cloudformation', 'stack/strata-lake/x') },
      ['operator', 'reader', 'uploader'],
    ],
    [{ action: 'lambda:InvokeFunction', resource: arn('lambda', 'function:strata-web-shop-commit') }, []],
  ];
  const policies = resourcesOf(lake, 'AWS::IAM::ManagedPolicy').map(({ properties }) => ({
    name: String(properties['ManagedPolicyName']).replace('strata-', ''),
    statements: list(at(properties, 'PolicyDocument', 'Statement')).map((one) => statementOf(one as Fields)),
    characters: JSON.stringify(properties['PolicyDocument']).length,
  }));

  for (const [request, names] of may) {
    test(`${request.action} of ${request.resource}: ${names.length === 0 ? 'nobody' : names.join(', ')}`, () => {
      const allowed = policies.filter(({ statements }) => allows(statements, request)).map(({ name }) => name);
      assert.deepEqual(allowed.toSorted(), names);
    });
  }

  test('is for chosen pipelines where some are chosen, and there may be none of them', () => {
    const chosen = stackOf({
      policies: { reader: CHOSEN, operator: CHOSEN },
    });
    const byName = new Map(
      resourcesOf(chosen, 'AWS::IAM::ManagedPolicy').map((one) => [one.properties['ManagedPolicyName'], one]),
    );
    const statements = list(at(byName.get('strata-reader')?.properties, 'PolicyDocument', 'Statement'));
    const read = statements.map((one) => statementOf(one as Fields));
    assert.ok(allows(read, { action: 'glue:GetTable', resource: TABLE }));
    assert.ok(!allows(read, { action: 'glue:GetTable', resource: arn('glue', 'table/plain_silver/rows') }));
    assert.ok(!allows(read, s3('GetObject', 'silver/plain/rows/data/f.parquet')));
    // What IAM takes in one policy.
    for (const { properties } of byName.values()) {
      const { length } = JSON.stringify(properties['PolicyDocument']);
      assert.ok(length <= 6_144, `${properties['ManagedPolicyName']}: ${length}`);
    }
    assert.deepEqual(resourcesOf(stackOf({ policies: false }), 'AWS::IAM::ManagedPolicy'), []);
    assert.throws(
      () => stackOf({ policies: { reader: LONG } }),
      /policies.reader: got pipelines that make \d+ characters; expected at most 6144/,
    );
  });
});
