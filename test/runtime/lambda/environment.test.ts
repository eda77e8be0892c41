import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GlueClient } from '@aws-sdk/client-glue';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { InvalidInput } from '../../../lib/core/errors.ts';
import { type LineageReceiver, parseReceiver, renderReceiver } from '../../../lib/core/lineage-receiver.ts';
import { renderWebhook, type Webhook } from '../../../lib/core/webhook.ts';
import { lambdaEngines } from '../../../lib/runtime/lambda/engines.ts';
import { parseEnvironment } from '../../../lib/runtime/lambda/environment.ts';

const WEBHOOK: Webhook = { secret: 'ALERTS_URL', format: 'slack' };
const LINEAGE: LineageReceiver = { to: 'https://lineage.example.com', namespace: 'lake', secret: 'LINEAGE_KEY' };
const FULL = {
  STRATA_PIPELINE: 'shop',
  STRATA_BRONZE_BUCKET: 'bronze-1',
  STRATA_SILVER_BUCKET: 'silver-1',
  STRATA_GOLD_BUCKET: 'gold-1',
  STRATA_OPS_BUCKET: 'ops-1',
  STRATA_DATABASE_PREFIX: 'dev_',
  STRATA_TOPIC_ARN: 'arn:topic',
  STRATA_PAGE_FUNCTION: 'strata-shop-finish',
  STRATA_STATE_MACHINE_ARN: 'arn:machine',
  STRATA_ATHENA_WORKGROUP: 'lake',
  STRATA_SPARK_APPLICATION: '00fabc',
  STRATA_SPARK_ROLE: 'arn:role',
  STRATA_SPARK_SCRIPT: 's3://assets/a.py',
  STRATA_SPARK_SUBMIT: '--conf a=b',
  STRATA_TMP_MB: '4096',
  STRATA_WEBHOOK: renderWebhook(WEBHOOK),
  STRATA_OPENLINEAGE: renderReceiver(LINEAGE),
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '3008',
  STRATA_SPECS: '/opt/specs',
  TMPDIR: '/scratch',
};

test('everything that a stack sets is read, and nothing else', () => {
  assert.deepEqual(parseEnvironment({ ...FULL, AWS_SECRET_ACCESS_KEY: 'x', STRATA_OTHER: 'y' }), {
    pipeline: 'shop',
    buckets: { bronze: 'bronze-1', silver: 'silver-1', gold: 'gold-1', ops: 'ops-1' },
    databasePrefix: 'dev_',
    topicArn: 'arn:topic',
    pageFunction: 'strata-shop-finish',
    stateMachineArn: 'arn:machine',
    athenaWorkgroup: 'lake',
    spark: { applicationId: '00fabc', roleArn: 'arn:role', script: 's3://assets/a.py', more: '--conf a=b' },
    memoryMb: 3_008,
    tmpMb: 4_096,
    specs: '/opt/specs',
    webhook: WEBHOOK,
    lineage: LINEAGE,
    tmp: '/scratch',
  });
});

test('a function has only the buckets that it may use, and defaults for the rest', () => {
  assert.deepEqual(parseEnvironment({ STRATA_PIPELINE: 'shop', STRATA_OPS_BUCKET: 'ops-1' }), {
    pipeline: 'shop',
    buckets: { ops: 'ops-1' },
    databasePrefix: '',
    topicArn: undefined,
    pageFunction: undefined,
    stateMachineArn: undefined,
    athenaWorkgroup: undefined,
    spark: undefined,
    memoryMb: 1_769,
    tmpMb: 512,
    specs: undefined,
    webhook: undefined,
    lineage: undefined,
    tmp: '/tmp',
  });
});

const WRONG: readonly (readonly [string, Readonly<Record<string, string | undefined>>, RegExp])[] = [
  ['no pipeline', { STRATA_PIPELINE: undefined }, /environment: STRATA_PIPELINE: got nothing/],
  ['a pipeline without a name', { STRATA_PIPELINE: '' }, /STRATA_PIPELINE: got ""/],
  ['a bucket without a name', { STRATA_OPS_BUCKET: '' }, /STRATA_OPS_BUCKET: got ""/],
  ['a /tmp of no number', { STRATA_TMP_MB: 'much' }, /STRATA_TMP_MB: got "much"/],
  ['a /tmp of nothing', { STRATA_TMP_MB: '0' }, /STRATA_TMP_MB: got "0"/],
  ['a memory with a fraction', { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1.5' }, /MEMORY_SIZE: got "1.5"/],
];

for (const [what, change, message] of WRONG) {
  test(`${what} is refused by name, with what to do`, () => {
    assert.throws(() => parseEnvironment({ ...FULL, ...change }), { name: 'InvalidInput', message });
    assert.throws(() => parseEnvironment({ ...FULL, ...change }), /deploy it again/);
  });
}

test('everything that is wrong is named at once', () => {
  assert.throws(
    () => parseEnvironment({ ...FULL, STRATA_PIPELINE: '', STRATA_TMP_MB: 'x', STRATA_GOLD_BUCKET: 'g' }),
    (error: unknown) => {
      assert.ok(error instanceof InvalidInput);
      assert.deepEqual(error.problems.map(({ place }) => place).sort(), [
        'STRATA_GOLD_BUCKET',
        'STRATA_PIPELINE',
        'STRATA_TMP_MB',
      ]);
      return true;
    },
  );
});

test('a collector of lineage is an address without a password, or a bus by its name or its ARN', () => {
  const bus = 'eventbridge:arn:aws:events:eu-west-1:111122223333:event-bus/lineage';
  for (const to of ['http://x:5000', 'https://x.example.com/in', 'eventbridge:lineage', bus]) {
    assert.deepEqual(parseReceiver(renderReceiver({ to })), { to });
  }
  for (const to of [
    'events.jsonl',
    'https://',
    'https://me:hidden@x',
    'https://x/in?api_key=hidden',
    'ftp://x',
    'eventbridge:',
    'eventbridge:a b',
    'eventbridge:arn:aws:events:x',
  ]) {
    assert.equal(parseReceiver(renderReceiver({ to })), undefined, to);
  }
  for (const text of ['', '{', '1', 'null', '{"to":1}']) assert.equal(parseReceiver(text), undefined, text);
  const odd = { to: 'http://x', namespace: 1, secret: 'not a name' };
  assert.deepEqual(parseReceiver(JSON.stringify(odd)), { to: 'http://x' });
});

test('models are handed to the engines that the stack names, and to no others', () => {
  const environment = parseEnvironment(FULL);
  const glue = new GlueClient({ region: 'eu-west-1' });
  const titles = (place: Partial<typeof environment>): readonly (string | undefined)[] => {
    const { sqlEngine } = lambdaEngines({ ...environment, ...place }, glue, createMemoryStore());
    return (['athena', 'spark'] as const).map((name) => sqlEngine?.(name)?.title);
  };
  assert.deepEqual(titles({}), ['Athena (workgroup lake)', 'Spark (application 00fabc)']);
  assert.deepEqual(titles({ spark: undefined }), ['Athena (workgroup lake)', undefined]);
  assert.deepEqual(titles({ athenaWorkgroup: undefined }), [undefined, 'Spark (application 00fabc)']);
  assert.deepEqual(
    lambdaEngines({ ...environment, athenaWorkgroup: undefined, spark: undefined }, glue, createMemoryStore()),
    {},
  );
});
