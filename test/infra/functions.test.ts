import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Template } from 'aws-cdk-lib/assertions';
import { DEFAULT_COMPUTE } from '../../lib/core/compute.ts';
import { FUNCTIONS, type FunctionName, STATES, STEP_NAMES } from '../../lib/core/states.ts';
import { deploy, fakeBundles, PLAIN, SHOP } from './deployment.ts';
import { ACCOUNT, at, type Fields, REGION, resourceOf, resourcesOf } from './resources.ts';

const { app, lake, pipelines } = await deploy({ pipelines: [SHOP, PLAIN] });
const shop = pipelines['web_shop'] ?? assert.fail();
const plain = pipelines['plain'] ?? assert.fail();
const propertiesOf = (name: string): Fields => resourceOf(shop, 'AWS::Lambda::Function', name).properties;
const bucket = (zone: string): string => `strata-${zone}-${ACCOUNT}-${REGION}`;

/** Light functions in one bundle. */
const BESIDE: readonly FunctionName[] = ['Starter', 'AwaitDecision', 'RunFailed'];

describe('every function', () => {
  for (const name of FUNCTIONS) {
    test(`${name} runs on Node 24 and arm64, is traced, and keeps its logs for a month`, () => {
      const properties = propertiesOf(name);
      assert.deepEqual(
        [properties['FunctionName'], properties['Runtime'], properties['Architectures'], properties['TracingConfig']],
        [`strata-web-shop-${STATES[name].file}`, 'nodejs24.x', ['arm64'], { Mode: 'Active' }],
      );
      const logs = resourceOf(shop, 'AWS::Logs::LogGroup', `${name}Logs`);
      assert.deepEqual(
        [logs.properties['LogGroupName'], logs.properties['RetentionInDays']],
        [`/aws/lambda/strata-web-shop-${STATES[name].file}`, 30],
      );
      assert.deepEqual(properties['LoggingConfig'], { LogGroup: logs.id });
    });
  }

  test('there are no others', () => {
    assert.equal(resourcesOf(shop, 'AWS::Lambda::Function').length, FUNCTIONS.length);
  });

  test('is a file in lambdas/, which the bundles are named by', () => {
    for (const name of FUNCTIONS) {
      const file = new URL(`../../lambdas/${STATES[name].file}.ts`, import.meta.url);
      assert.ok(existsSync(file), `no lambdas/${STATES[name].file}.ts`);
      const shared = STEP_NAMES.some((one) => one === name) || BESIDE.includes(name);
      assert.equal(propertiesOf(name)['Handler'], shared ? `${STATES[name].file}.handler` : 'index.handler');
    }
  });

  test('steps share one bundle, four light functions another, the others and that which serves have their own', () => {
    const assets = new Map(FUNCTIONS.map((name) => [name, String(at(propertiesOf(name), 'Code', 'S3Key'))]));
    assert.equal(new Set(STEP_NAMES.filter((name) => name !== 'Serve').map((name) => assets.get(name))).size, 1);
    assert.deepEqual(new Set(BESIDE.map((name) => assets.get(name))), new Set([assets.get('Notify')]));
    assert.equal(new Set(assets.values()).size, 5);
  });
});

describe('sizes', () => {
  const sizesOf = (name: string, template = shop) => {
    const { properties } = resourceOf(template, 'AWS::Lambda::Function', name);
    return [
      properties['MemorySize'],
      properties['Timeout'],
      at(properties, 'EphemeralStorage', 'Size'),
      properties['ReservedConcurrentExecutions'] ?? null,
    ];
  };
  const cases: readonly (readonly [string, readonly (number | null)[]])[] = [
    ['Stage', [6_144, 600, 8_192, 40]],
    ['Merge', [2_048, 900, 4_096, null]],
    ['Open', [2_048, 900, 2_048, null]],
    ['AwaitDecision', [512, 60, 512, null]],
    ['MaintainAfter', [512, 60, 512, null]],
    ['Starter', [512, 60, 512, null]],
    ['Notify', [512, 60, 512, null]],
    ['RunFailed', [512, 60, 512, null]],
    ['Fail', [512, 900, 512, null]],
  ];
  for (const [name, expected] of cases) {
    test(`${name} has what the pipeline says, or what light functions have`, () => {
      assert.deepEqual(sizesOf(name), expected);
    });
  }

  test('a pipeline that says nothing has the defaults', () => {
    for (const step of STEP_NAMES.filter((name) => name !== 'Serve' && name !== 'Gate')) {
      const { memoryMb, timeoutSeconds, tmpMb, reservedConcurrency } = DEFAULT_COMPUTE.steps[step];
      assert.deepEqual(sizesOf(step, plain), [memoryMb, timeoutSeconds, tmpMb, reservedConcurrency]);
    }
  });
});

describe('the environment', () => {
  const COMMON = {
    STRATA_PIPELINE: 'web_shop',
    STRATA_DATABASE_PREFIX: '',
    POWERTOOLS_SERVICE_NAME: 'web_shop',
    POWERTOOLS_METRICS_NAMESPACE: 'Strata',
    NODE_OPTIONS: '--enable-source-maps',
  };
  const buckets = (...zones: readonly string[]) =>
    Object.fromEntries(zones.map((zone) => [`STRATA_${zone.toUpperCase()}_BUCKET`, bucket(zone)]));
  const all = buckets('bronze', 'silver', 'gold', 'ops');
  const tables = buckets('silver', 'gold', 'ops');
  const cases: Readonly<Record<string, Fields>> = {
    Open: { ...all, STRATA_TMP_MB: '2048', STRATA_SPECS: '/opt/specs' },
    Level: { ...all, STRATA_TMP_MB: '8192' },
    PlanStage: { ...all, STRATA_TMP_MB: '2048' },
    Stage: { ...all, STRATA_TMP_MB: '8192' },
    PlanMerge: { ...buckets('silver', 'ops'), STRATA_TMP_MB: '2048' },
    Merge: { ...tables, STRATA_TMP_MB: '4096' },
    Audit: { ...tables, STRATA_TMP_MB: '2048' },
    Gate: { ...tables, STRATA_TMP_MB: '2048' },
    AwaitDecision: {
      ...buckets('ops'),
      STRATA_TMP_MB: '512',
      STRATA_TOPIC_ARN: resourceOf(shop, 'AWS::SNS::Topic').id,
    },
    Commit: { ...tables, STRATA_TMP_MB: '2048' },
    Serve: { ...tables, STRATA_TMP_MB: '4096' },
    Finish: { ...tables, STRATA_TMP_MB: '2048', STRATA_PAGE_FUNCTION: 'strata-web-shop-finish' },
    OpenRewrite: { ...tables, STRATA_TMP_MB: '2048', STRATA_SPECS: '/opt/specs' },
    Rewrite: { ...tables, STRATA_TMP_MB: '4096' },
    CommitRewrite: { ...tables, STRATA_TMP_MB: '2048' },
    FinishRewrite: { ...tables, STRATA_TMP_MB: '2048' },
    Sweep: { ...tables, STRATA_TMP_MB: '2048', STRATA_SPECS: '/opt/specs' },
    Fail: { ...tables, STRATA_TMP_MB: '512', STRATA_PAGE_FUNCTION: 'strata-web-shop-finish' },
    Notify: { ...buckets('ops'), STRATA_TMP_MB: '512', STRATA_TOPIC_ARN: resourceOf(shop, 'AWS::SNS::Topic').id },
    RunFailed: { STRATA_TMP_MB: '512' },
    MaintainAfter: {
      STRATA_TMP_MB: '512',
      STRATA_STATE_MACHINE_ARN: `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:strata-web-shop_maintenance`,
    },
    Starter: {
      ...buckets('ops'),
      STRATA_TMP_MB: '512',
      STRATA_STATE_MACHINE_ARN: `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:strata-web-shop`,
      STRATA_TOPIC_ARN: resourceOf(shop, 'AWS::SNS::Topic').id,
    },
  };
  for (const name of FUNCTIONS) {
    test(`${name} is told of what it may use, and of nothing else`, () => {
      assert.deepEqual(at(propertiesOf(name), 'Environment', 'Variables'), { ...COMMON, ...cases[name] });
    });
  }
});

describe('a change of one pipeline', async () => {
  const changed = { ...PLAIN, definition: { ...(PLAIN.definition as object), schedule: 'rate(2 days)' } };
  const after = await deploy({ pipelines: [SHOP, changed] });
  // The plain pipeline has no functions that serve, and none of runs that are decided about.
  const versionsOf = (template: Template | undefined, changes: boolean): readonly string[] => {
    const before = new Set(resourcesOf(plain, 'AWS::Lambda::Version').map(({ id }) => id));
    return resourcesOf(template ?? assert.fail(), 'AWS::Lambda::Version')
      .filter(({ id }) => before.has(id) !== changes)
      .map(({ id }) => id.replace(/CurrentVersion.*$/, ''));
  };

  test('changes its own stack, and none of the others', () => {
    assert.deepEqual(after.pipelines['web_shop']?.toJSON(), shop.toJSON());
    assert.deepEqual(after.lake.toJSON(), lake.toJSON());
    assert.notDeepEqual(after.pipelines['plain']?.toJSON(), plain.toJSON());
  });

  test('publishes anew the functions that read it, which others than those stay as they are', () => {
    assert.deepEqual(versionsOf(after.pipelines['plain'], true).toSorted(), ['Open', 'OpenRewrite', 'Sweep']);
    assert.equal(versionsOf(after.pipelines['plain'], false).length, FUNCTIONS.length - 7);
  });

  test('is in its own layer, under the name that functions look for', () => {
    const { Content } = resourceOf(shop, 'AWS::Lambda::LayerVersion').properties as {
      readonly Content: { readonly S3Key: string };
    };
    const folder = join(app.outdir, `asset.${Content.S3Key.replace('.zip', '')}`);
    assert.equal(
      (JSON.parse(readFileSync(join(folder, 'specs', 'web_shop.json'), 'utf8')) as { name: string }).name,
      'web_shop',
    );
    const layered = FUNCTIONS.filter((name) => propertiesOf(name)['Layers'] !== undefined);
    assert.deepEqual(layered, ['Open', 'OpenRewrite', 'Sweep']);
  });
});

test('bundles without DuckDB can be looked at, but not deployed', async () => {
  const { pipelines: incomplete } = await deploy({ bundles: fakeBundles({ bindingMissing: true }) });
  const { Rules } = (incomplete['web_shop'] ?? assert.fail()).toJSON() as { readonly Rules: Fields };
  const assertion = at(Rules, 'BundleIsComplete', 'Assertions', 0);
  const [left, right] = at(assertion, 'Assert', 'Fn::Equals') as readonly [string, string];
  assert.notEqual(left, right);
  assert.match(String(at(assertion, 'AssertDescription')), /run npx strata build with a network/);
  const complete = shop.toJSON() as { readonly Rules: Fields };
  assert.equal(complete.Rules['BundleIsComplete'], undefined);
});
