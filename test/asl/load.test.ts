import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadStateMachine } from '../../lib/asl/load.ts';
import { InvalidInput } from '../../lib/core/errors.ts';
import { changed, SMALL } from './small-machine.ts';

const MAP = 'States.Each';
const WORK = `${MAP}.ItemProcessor.States.Work`;
const task = { Type: 'Task', Resource: 'x', End: true };

const CALLBACK = 'arn:aws:states:::lambda:invoke.waitForTaskToken';
const callback = (parameters: object = {}) => ({
  Type: 'Task',
  Resource: CALLBACK,
  TimeoutSecondsPath: '$.seconds',
  Parameters: { FunctionName: 'f', Payload: { 'state.$': '$', 'token.$': '$$.Task.Token' }, ...parameters },
  ResultPath: null,
  Next: 'Which',
});

/** What is changed, and to what; then the place and a part of the message of the only problem. */
const REFUSED: readonly (readonly [path: string, value: unknown, place: string, says: RegExp])[] = [
  ['StartAt', 'Nowhere', 'StartAt', /got Nowhere; expected one of Begin, Which/],
  ['StartAt', undefined, 'StartAt', /got nothing; expected string/],
  ['QueryLanguage', 'JSONata', 'QueryLanguage', /got "JSONata"; expected "JSONPath"/],
  ['Version', '1.0', 'the document', /got Version; expected no such field/],
  ['States.Begin.Next', 'Nowhere', 'States.Begin.Next', /got Nowhere/],
  ['States.Begin.Next', undefined, 'States.Begin', /got neither; expected either Next or End/],
  ['States.Begin.End', true, 'States.Begin', /got both/],
  ['States.Begin.End', false, 'States.Begin.End', /expected true/],
  ['States.Begin.Type', 'Parallel', 'States.Begin.Type', /got "Parallel"; expected Task, Pass/],
  ['States.Begin.Type', 'Parallel', 'States.Begin.Type', /got "Parallel"/],
  ['States.Begin.HeartbeatSeconds', 5, 'States.Begin', /got HeartbeatSeconds; expected no such field/],
  ['States.Begin.Assign', {}, 'States.Begin', /got Assign/],
  ['States.Begin.InputPath', '$.a', 'States.Begin', /got InputPath/],
  ['States.Begin.Parameters', { 'a.$': '$..deep' }, 'States.Begin.Parameters.a.$', /expected a path such as/],
  ['States.Begin.Parameters', { a: [{ 'b.$': 'text' }] }, 'States.Begin.Parameters.a[0].b.$', /got "text"/],
  ['States.Begin.ResultPath', '$.a[0]', 'States.Begin.ResultPath', /got "\$\.a\[0\]"/],
  ['States.Begin.Resource', CALLBACK, 'States.Begin.Resource', /of a callback: .*FunctionName, Payload with one/],
  ['States.Begin', callback({ Payload: { a: 1 } }), 'States.Begin.Resource', /Payload with one \$\$\.Task\.Token/],
  ['States.Begin', callback({ Qualifier: '1' }), 'States.Begin.Resource', /of a callback/],
  ['States.Begin', { ...callback(), ResultPath: '$.a' }, 'States.Begin.Resource', /ResultPath null/],
  ['States.Begin', { ...callback(), TimeoutSeconds: 5 }, 'States.Begin.Resource', /TimeoutSecondsPath/],
  [
    'States.Begin',
    { ...callback(), Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken' },
    'States.Begin.Resource',
    /lambda:invoke\.waitForTaskToken/,
  ],
  ['States.Begin.TimeoutSecondsPath', '$.a', 'States.Begin.Resource', /of a callback/],
  [WORK, { ...callback(), Next: undefined, End: true }, `${WORK}.Resource`, /no item of a map/],
  ['States.Begin.TimeoutSeconds', 0, 'States.Begin.TimeoutSeconds', /got 0/],
  ['States.Begin.Retry.0.BackoffRate', 0.5, 'States.Begin.Retry[0].BackoffRate', /got 0\.5/],
  ['States.Begin.Retry.0.ErrorEquals', [], 'States.Begin.Retry[0].ErrorEquals', /got \[\]/],
  [
    'States.Begin.Retry.0.ErrorEquals',
    ['States.ALL', 'Unavailable'],
    'States.Begin.Retry[0].ErrorEquals',
    /expected States\.ALL alone/,
  ],
  [
    'States.Begin.Catch',
    [
      { ErrorEquals: ['States.ALL'], Next: 'Broken' },
      { ErrorEquals: ['Unavailable'], Next: 'Broken' },
    ],
    'States.Begin.Catch',
    /expected the entry for States\.ALL last/,
  ],
  ['States.Begin.Catch.0.Next', 'Nowhere', 'States.Begin.Catch[0].Next', /got Nowhere/],
  ['States.Which.Default', undefined, 'States.Which.Default', /got nothing/],
  ['States.Which.Choices.0.Next', 'Nowhere', 'States.Which.Choices[0].Next', /got Nowhere/],
  ['States.Which.Choices.0.NumericEquals', 1, 'States.Which.Choices[0]', /expected exactly one comparison/],
  ['States.Which.Choices.0.StringMatches', 'a*', 'States.Which.Choices[0]', /got StringMatches/],
  ['States.Which.Choices.0.Not', {}, 'States.Which.Choices[0]', /got Not/],
  ['States.Which.Choices.0.Variable', '$.list[0]', 'States.Which.Choices[0].Variable', /a path such as/],
  [`${MAP}.ItemsPath`, '$.items', MAP, /got ItemsPath/],
  [`${MAP}.ItemBatcher`, {}, MAP, /got ItemBatcher/],
  [`${MAP}.Retry`, [{ ErrorEquals: ['States.ALL'] }], MAP, /got Retry/],
  [`${MAP}.ItemReader`, undefined, `${MAP}.ItemReader`, /got nothing/],
  [`${MAP}.ItemReader.Resource`, 'arn:aws:states:::s3:listObjectsV2', `${MAP}.ItemReader.Resource`, /s3:getObject/],
  [`${MAP}.ItemReader.ReaderConfig.InputType`, 'CSV', `${MAP}.ItemReader.ReaderConfig.InputType`, /expected "JSON"/],
  [`${MAP}.ItemProcessor.ProcessorConfig.Mode`, 'INLINE', `${MAP}.ItemProcessor.ProcessorConfig.Mode`, /"DISTRIBUTED"/],
  [`${MAP}.ItemProcessor.StartAt`, 'Begin', `${MAP}.ItemProcessor.StartAt`, /expected one of Work/],
  [`${WORK}.Type`, 'Map', `${WORK}.Type`, /got "Map"/],
  [`${MAP}.ResultPath`, '$.results', `${MAP}.ResultPath`, /expected null/],
  [`${MAP}.ResultPath`, undefined, `${MAP}.ResultPath`, /got nothing; expected null/],
  [`${MAP}.Label`, 'with space', `${MAP}.Label`, /at most 40/],
  [`${MAP}.ToleratedFailurePercentage`, 101, `${MAP}.ToleratedFailurePercentage`, /got 101/],
  ['States.Lost', task, 'States.Lost', /got no way to this state/],
  [`${WORK.replace('Work', 'Lost')}`, task, `${MAP}.ItemProcessor.States.Lost`, /got no way to this state/],
];

describe('loadStateMachine', () => {
  it('reads a machine as it stands', () => {
    assert.deepEqual(loadStateMachine(JSON.stringify(SMALL), 'small.asl.json'), SMALL);
  });

  for (const [path, value, place, says] of REFUSED) {
    it(`refuses ${path} = ${JSON.stringify(value)}`, () => {
      const problems = problemsOf(changed(path, value));
      assert.deepEqual(
        problems.map((problem) => problem.place),
        [place],
      );
      const [problem] = problems;
      assert.match(`got ${problem?.got}; expected ${problem?.expected}`, says);
      assert.equal(problem?.file, 'm.asl.json');
    });
  }

  it('refuses a name that is used twice, or that AWS finds too long', () => {
    const twice = changed(`${MAP}.ItemProcessor`, {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      StartAt: 'Mark',
      States: { Mark: task },
    });
    assert.match(problemsOf(twice)[0]?.expected ?? '', /a name of its own/);
    const long = 'x'.repeat(81);
    const machine = { StartAt: long, States: { [long]: task } };
    assert.deepEqual(
      problemsOf(machine).map(({ got }) => got),
      ['81 characters'],
    );
  });

  it('reports all problems of a document at once', () => {
    const machine = structuredClone(SMALL) as unknown as Record<string, Record<string, Record<string, unknown>>>;
    Object.assign(machine['States']?.['Begin'] ?? {}, { HeartbeatSeconds: 1, TimeoutSeconds: -1 });
    Object.assign(machine['States']?.['Mark'] ?? {}, { Type: 'Parallel' });
    assert.deepEqual(
      problemsOf(machine)
        .map(({ place }) => place)
        .sort(),
      ['States.Begin', 'States.Begin.TimeoutSeconds', 'States.Mark.Type'],
    );
  });

  it('refuses what is no JSON, naming the file', () => {
    assert.throws(() => loadStateMachine('{"StartAt": ${Name}}', 'm.asl.json'), /m\.asl\.json is not JSON/);
    assert.throws(() => loadStateMachine('[]', 'm.asl.json'), /the document: got \[\]/);
  });
});

function problemsOf(machine: unknown): InvalidInput['problems'] {
  try {
    loadStateMachine(JSON.stringify(machine), 'm.asl.json');
  } catch (error) {
    assert.ok(error instanceof InvalidInput);
    return error.problems;
  }
  return [];
}
