import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkNames, deploymentNames } from '../../lib/core/deployment-names.ts';
import { FUNCTIONS, STATES } from '../../lib/core/states.ts';

test('all names carry that of the deployment, where it has one', () => {
  const namesOf = (deployment: string | undefined) => {
    const names = deploymentNames(deployment, '--stage');
    const shop = 'web_shop';
    const own = [names.pipelineStack(shop), names.stateMachine(shop), names.lambda(shop, 'plan-stage')];
    return [names.lakeStack, names.workgroup, names.databasePrefix, names.service(shop), ...own];
  };
  assert.deepEqual(namesOf(undefined), [
    'strata-lake',
    'strata',
    '',
    'web_shop',
    'strata-web-shop',
    'strata-web-shop',
    'strata-web-shop-plan-stage',
  ]);
  assert.deepEqual(namesOf('dev'), [
    'strata-dev-lake',
    'strata-dev',
    'dev_',
    'dev_web_shop',
    'strata-dev-web-shop',
    'strata-dev-web-shop',
    'strata-dev-web-shop-plan-stage',
  ]);
});

describe('a deployment that no name could hold is refused by the place that named it', () => {
  for (const place of ['--stage', 'context stage']) {
    for (const name of ['my stage', 'Dev', 'a_b', 'a-b', '1a', '', 'x'.repeat(21)]) {
      test(`${place} ${JSON.stringify(name)}`, () => {
        assert.throws(() => deploymentNames(name, place), {
          name: 'InvalidInput',
          message: `${place}: got ${JSON.stringify(name)}; expected at most 20 lower case letters and digits, such as dev`,
        });
      });
    }
  }
});

describe('names that AWS would refuse are refused before anything is deployed', () => {
  const STEPS = FUNCTIONS.map((name) => STATES[name].file);
  const cases: readonly (readonly [string, string | undefined, readonly string[], readonly RegExp[]])[] = [
    ['fitting names', 'dev', ['retail', 'web_shop'], []],
    ['the longest name without a stage', undefined, ['p'.repeat(40)], []],
    [
      'a name that is too long with its stage',
      'integration',
      ['p'.repeat(40)],
      [
        /pipelines\/p{40}\/pipeline\.ts: function plan-stage: got strata-integration-p{40}-plan-stage, 70 characters; expected at most 64: shorten the name of the pipeline's folder or the stage/,
      ],
    ],
    [
      'a state machine that is too long',
      undefined,
      ['p'.repeat(80)],
      [/state machine: got strata-p{80}, 87 characters; expected at most 80/],
    ],
    [
      'two names that become one',
      undefined,
      ['a_b', 'a-b'],
      [/pipelines\/a-b\/pipeline\.ts: stack: got strata-a-b; expected a name that differs from that of pipeline a_b/],
    ],
    [
      'a pipeline with the name of the lake',
      undefined,
      ['lake'],
      [/stack: got strata-lake; expected a name that differs from that of the lake/],
    ],
  ];
  for (const [what, deployment, pipelines, messages] of cases) {
    test(what, () => {
      const check = (): void => checkNames(deploymentNames(deployment, 'context stage'), pipelines, STEPS);
      if (messages.length === 0) return check();
      for (const message of messages) assert.throws(check, message);
    });
  }
});

test('the schedule of a branch has a name of its own that the scheduler takes', () => {
  const names = deploymentNames('integration', 'context stage');
  assert.equal(names.branch('web_shop', 'daily', 1), 'strata-integration-web-shop_branch_daily');
  assert.equal(names.branch('web_shop', 'daily', 2), 'strata-integration-web-shop_branch_daily_2');
  const long = [1, 2].map((at) => names.branch('p'.repeat(30), 'b'.repeat(30), at));
  assert.deepEqual(
    long.map(({ length }) => length),
    [64, 64],
  );
  assert.notEqual(long[0], long[1]);
});

test('all that lands sources of a pipeline is found by how its name begins, however long that is', () => {
  const names = deploymentNames(undefined, '--stage');
  assert.equal(names.origins('web_shop'), 'strata-web-shop_origin_');
  assert.equal(names.origins('*'), 'strata-*_origin_');
  // With a stage names of pipelines are longer: up to 49 characters, beside which the longest name of a step fits.
  for (const length of [40, 41, 42]) {
    for (const source of ['s', 's'.repeat(100)]) {
      const [origin, begins] = [names.origin('p'.repeat(length), source), names.origins('p'.repeat(length))];
      assert.ok(origin.startsWith(begins), `${origin} begins with ${begins}`);
      assert.ok(begins.startsWith(`strata-${'p'.repeat(length)}_o`) && origin.length <= 64, begins);
    }
  }
});
