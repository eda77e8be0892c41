import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StateMachine } from 'aws-local-stepfunctions';
import { loadStateMachine } from '../../lib/asl/load.ts';
import { lowerStateMachine } from '../../lib/asl/lower.ts';
import { changed, SMALL } from './small-machine.ts';

const lower = (machine: unknown) => lowerStateMachine(loadStateMachine(JSON.stringify(machine), 'm.asl.json'));

describe('lowerStateMachine', () => {
  it('leaves the states alone that the local runner knows', () => {
    const { main } = lower(SMALL);
    const { Begin: _, Each: __, ...same } = main.States;
    const { Begin: ___, Each: ____, ...given } = SMALL.States;
    assert.deepEqual(same, given);
    assert.equal(main.StartAt, 'Begin');
  });

  it('takes the timeout from every task, so that no step runs beside itself', () => {
    const { main, maps } = lower(SMALL);
    const timeout = 2_147_483;
    assert.deepEqual(main.States['Begin'], { ...SMALL.States.Begin, TimeoutSeconds: timeout });
    assert.ok(timeout * 1000 < 2 ** 31, 'a timer holds it');
    assert.ok(JSON.stringify(maps['Each']?.items).includes(`"TimeoutSeconds":${timeout}`));
  });

  it('makes a map a task that gets the key of its items, with the same way on', () => {
    const { Catch, Next } = SMALL.States.Each;
    assert.deepEqual(lower(SMALL).main.States['Each'], {
      Type: 'Task',
      Resource: 'arn:aws:states:::s3:getObject',
      TimeoutSeconds: 2_147_483,
      Parameters: { 'key.$': '$.units_key', 'input.$': '$' },
      ResultPath: null,
      Catch,
      Next,
    });
  });

  it('tells which task states need handlers', () => {
    const { tasks, maps } = lower(SMALL);
    assert.deepEqual(tasks, ['Begin']);
    assert.deepEqual(maps['Each']?.tasks, ['Work']);
  });

  const tolerances: readonly (readonly [object, { count: number | null; percentage: number | null }])[] = [
    [{}, { count: 0, percentage: null }],
    [{ ToleratedFailureCount: 2 }, { count: 2, percentage: null }],
    [{ ToleratedFailurePercentage: 0 }, { count: null, percentage: 0 }],
    [
      { ToleratedFailureCount: 0, ToleratedFailurePercentage: 50 },
      { count: 0, percentage: 50 },
    ],
  ];
  for (const [fields, expected] of tolerances) {
    it(`keeps the tolerance ${JSON.stringify(fields)}`, () => {
      const { maps } = lower(changed('States.Each', { ...SMALL.States.Each, ...fields }));
      assert.deepEqual(maps['Each']?.tolerated, expected);
      assert.equal(maps['Each']?.maxConcurrency, 7);
    });
  }

  it('gives definitions that the runner itself finds valid', () => {
    const { main, maps } = lower(SMALL);
    for (const definition of [main, maps['Each']?.items]) {
      // Placeholders and made-up resources are no ARNs, and context paths of our own are unknown to its path check.
      const options = { validationOptions: { checkArn: false, checkPaths: false } };
      const text = JSON.stringify(definition).replaceAll(
        /"Resource":"[^"]*"/g,
        '"Resource":"arn:aws:lambda:eu-central-1:123456789012:function:x"',
      );
      assert.doesNotThrow(() => new StateMachine(JSON.parse(text), options));
    }
  });
});
