import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FUNCTIONS, tasksOf } from '../../lib/core/states.ts';
import { withLimits } from '../../lib/infra/state-machine.ts';
import { DEFINITION, deploy, PLAIN, SHOP, specOf } from './deployment.ts';
import { ACCOUNT, at, type Fields, type Json, REGION, resourceOf, resourcesOf } from './resources.ts';

const { pipelines } = await deploy({ pipelines: [SHOP, PLAIN] });
const shop = pipelines['web_shop'] ?? assert.fail();
const machine = resourceOf(shop, 'AWS::StepFunctions::StateMachine', 'Machine').properties;
const maintenance = resourceOf(shop, 'AWS::StepFunctions::StateMachine', 'MaintenanceMachine').properties;
const definition = JSON.parse(String(machine['DefinitionString'])) as Fields;

type NamedState = { readonly name: string; readonly state: Fields };

/** All states, those inside maps among them. */
function statesIn(given: Json): readonly NamedState[] {
  return Object.entries(at(given, 'States') as Fields).flatMap(([name, value]) => {
    const state = value as Fields;
    return [{ name, state }, ...(state['ItemProcessor'] === undefined ? [] : statesIn(state['ItemProcessor']))];
  });
}

const states = statesIn(definition);
const tasks = states.filter(({ state }) => state['Type'] === 'Task');

describe('the wiring', () => {
  test('placeholders are what is substituted, and nothing else', () => {
    const placeholders = new Set([...JSON.stringify(definition).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name));
    assert.deepEqual([...placeholders].sort(), Object.keys(at(machine, 'DefinitionSubstitutions') as Fields).sort());
  });

  test('each Task state calls the function of its name; all functions but the Starter are called', () => {
    const others = statesIn(JSON.parse(String(maintenance['DefinitionString'])) as Fields);
    const called = [...tasks, ...others.filter(({ state }) => state['Type'] === 'Task')];
    const named = (state: Fields): unknown =>
      'TimeoutSecondsPath' in state ? at(state, 'Parameters', 'FunctionName') : state['Resource'];
    for (const { name, state } of called) assert.equal(named(state), `\${${name}FunctionArn}`);
    assert.deepEqual([...new Set([...called.map(({ name }) => name), 'Starter'])].sort(), [...FUNCTIONS].sort());
    assert.deepEqual(
      Object.keys(at(maintenance, 'DefinitionSubstitutions') as Fields).sort(),
      [...tasksOf('maintenance').map((name) => `${name}FunctionArn`), 'OpsBucket'].sort(),
    );
  });

  test('maintenance leaves workers for runs', () => {
    const map = at(JSON.parse(String(maintenance['DefinitionString'])) as Fields, 'States', 'RewriteMap') as Fields;
    assert.deepEqual([map['MaxConcurrency'], map['ToleratedFailurePercentage']], [20, 5]);
    assert.equal(maintenance['StateMachineName'], 'strata-web-shop_maintenance');
  });

  test('each placeholder stands for a version of its own function, and for the ops bucket', () => {
    const versions = new Map(resourcesOf(shop, 'AWS::Lambda::Version').map((version) => [version.id, version]));
    for (const one of [machine, maintenance]) {
      const { OpsBucket, ...functions } = at(one, 'DefinitionSubstitutions') as Fields;
      assert.equal(OpsBucket, `strata-ops-${ACCOUNT}-${REGION}`);
      for (const [placeholder, arn] of Object.entries(functions)) {
        const name = placeholder.replace(/FunctionArn$/, '');
        const version = versions.get(String(arn)) ?? assert.fail(`${placeholder}: ${String(arn)} is no version`);
        assert.equal(version.properties['FunctionName'], resourceOf(shop, 'AWS::Lambda::Function', name).id);
        assert.equal(version.DeletionPolicy, 'RetainExceptOnCreate');
      }
    }
    // What starts runs is no part of them.
    assert.equal(versions.size, FUNCTIONS.length - 1);
  });
});

describe('the limits', () => {
  test('a task may take as long as its function, and a little more', () => {
    // That which waits for people is told in its input for how long.
    for (const { name, state } of tasks.filter((task) => task.name !== 'AwaitDecision')) {
      const { properties } = resourceOf(shop, 'AWS::Lambda::Function', name);
      assert.equal(state['TimeoutSeconds'], Number(properties['Timeout']) + 30, name);
    }
  });

  test('maps are distributed over standard children, as many at once and as tolerant as the pipeline says', () => {
    const maps = states.filter(({ state }) => state['Type'] === 'Map');
    assert.deepEqual(
      maps.map(({ name }) => name),
      ['StageMap', 'MergeMap'],
    );
    for (const { state } of maps) {
      assert.deepEqual([state['MaxConcurrency'], state['ToleratedFailurePercentage']], [40, 5]);
      assert.deepEqual(at(state, 'ItemProcessor', 'ProcessorConfig'), {
        Mode: 'DISTRIBUTED',
        ExecutionType: 'STANDARD',
      });
      assert.equal(at(state, 'ItemReader', 'Parameters', 'Bucket'), '${OpsBucket}');
      assert.equal(at(state, 'ResultWriter', 'Parameters', 'Bucket'), '${OpsBucket}');
    }
  });

  test('leave no unit without a worker: what is beyond the reservation is refused', async () => {
    const spec = await specOf(SHOP);
    const { compute } = spec;
    const Merge = { ...compute.steps.Merge, reservedConcurrency: 3 };
    const given = { ...spec, compute: { ...compute, steps: { ...compute.steps, Merge } } };
    assert.throws(() => withLimits(JSON.parse(DEFINITION), given), {
      name: 'InvalidInput',
      message: /web_shop: compute\.maxConcurrency: got 40; expected 3 or less.*Merge\.reservedConcurrency/,
    });
  });

  test('are all that differs from the file', async () => {
    const LIMITS = ['TimeoutSeconds', 'MaxConcurrency', 'ToleratedFailurePercentage'];
    const without = (text: string): unknown =>
      JSON.parse(text, (key, value) => (LIMITS.includes(key) ? undefined : value));
    const file = JSON.parse(DEFINITION);
    assert.deepEqual(without(JSON.stringify(definition)), without(DEFINITION));
    withLimits(file, await specOf(PLAIN));
    assert.deepEqual(file, JSON.parse(DEFINITION), 'the definition given is not changed');
  });
});

describe('what goes wrong', () => {
  const TRANSIENT = [
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.ClientExecutionTimeoutException',
    'Lambda.TooManyRequestsException',
  ];
  const DIED = ['Lambda.Unknown', 'Runtime.ExitError', 'Runtime.OutOfMemory', 'Sandbox.Timedout', 'States.Timeout'];
  const OURS = ['CommitConflict', 'CommitStateUnknown', 'Unavailable'];

  for (const { name, state } of tasks) {
    test(`${name} retries what passes, with backoff and full jitter, and nothing else`, () => {
      const retries = state['Retry'] as readonly Fields[];
      const errors = retries.flatMap((retry) => retry['ErrorEquals'] as readonly string[]);
      // A Level whose worker died is left for the functions of its steps, of which one knows what died.
      const late = name === 'AwaitDecision' ? DIED.filter((code) => code !== 'States.Timeout') : DIED;
      const died = name === 'Level' ? [] : late;
      assert.deepEqual([...errors].sort(), [...TRANSIENT, ...died, ...OURS].sort());
      for (const retry of retries) {
        assert.equal(retry['JitterStrategy'], 'FULL');
        assert.ok(Number(retry['BackoffRate']) > 1 && Number(retry['MaxDelaySeconds']) <= 60);
        assert.ok(Number(retry['MaxAttempts']) >= 3);
      }
    });
  }

  test('every error comes to Fail, Notify and an execution that failed', () => {
    const outer = Object.entries(at(definition, 'States') as Fields) as readonly (readonly [string, Fields])[];
    const leads = Object.fromEntries(
      outer
        .filter(([, state]) => state['Type'] === 'Task' || state['Type'] === 'Map')
        .map(([name, state]) => {
          const all = ((state['Catch'] ?? []) as readonly Fields[]).find(
            (one) => JSON.stringify(one['ErrorEquals']) === '["States.ALL"]',
          );
          return [name, all?.['Next'] ?? 'the execution fails'];
        }),
    );
    const { Fail, Notify, RunFailed, MaintainAfter, Serve, AwaitDecision, ...work } = leads;
    // What comes after a run that has succeeded is no failure of it.
    assert.deepEqual([MaintainAfter, Serve], ['IsRunAskedFor', 'Finish']);
    // Nor is a run undone that only waits.
    assert.equal(AwaitDecision, 'Notify');
    assert.deepEqual([...new Set(Object.values(work))], ['Fail']);
    assert.deepEqual([Fail, Notify, RunFailed], ['Notify', 'AfterFail', 'the execution fails']);
  });
});

test('executions are logged with their data, and traced; their logs go after a month', () => {
  const logs = resourceOf(shop, 'AWS::Logs::LogGroup', 'MachineLogs');
  assert.deepEqual(
    [logs.properties['LogGroupName'], logs.properties['RetentionInDays']],
    ['/aws/vendedlogs/states/strata-web-shop', 30],
  );
  assert.deepEqual(machine['LoggingConfiguration'], {
    Level: 'ALL',
    IncludeExecutionData: true,
    Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: `${logs.id}.Arn` } }],
  });
  assert.deepEqual(machine['TracingConfiguration'], { Enabled: true });
  assert.equal(machine['StateMachineType'], 'STANDARD');
});

test('the audit log of light functions is a table that Athena reads', () => {
  const [table, ...others] = resourcesOf(shop, 'AWS::Glue::Table');
  assert.deepEqual(others, []);
  assert.equal(table?.properties['DatabaseName'], 'web_shop_ops');
  const input = at(table?.properties, 'TableInput');
  assert.equal(at(input, 'Name'), 'audit_log');
  const columns = at(input, 'StorageDescriptor', 'Columns') as readonly Fields[];
  assert.deepEqual(
    columns.map((column) => `${column['Name']} ${column['Type']}`),
    ['at timestamp', 'function string', 'event string', 'run_id string', 'detail string'],
  );
  const location = at(input, 'StorageDescriptor', 'Location');
  assert.equal(location, `s3://strata-ops-${ACCOUNT}-${REGION}/ops/web_shop/audit_log/`);
});

test('outputs are commands to copy', () => {
  const outputs = shop.findOutputs('*');
  const places = ['DeadLettersUrl', 'EventsUrl', 'MaintenanceStateMachineArn', 'StateMachineArn', 'TopicArn'];
  assert.deepEqual(Object.keys(outputs).sort(), ['QueryCommand', 'UploadCommand', ...places].sort());
  const query = 'npx strata query --athena "SELECT * FROM web_shop_gold.total LIMIT 10"';
  assert.equal(outputs['QueryCommand']?.['Value'], query);
  assert.match(
    JSON.stringify(outputs['UploadCommand']?.['Value']),
    /aws s3 cp <file> s3:\/\/strata-bronze-.*\/bronze\/web_shop\/orders\//,
  );
});
