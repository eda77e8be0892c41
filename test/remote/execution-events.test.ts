import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { GetExecutionHistoryCommand, type HistoryEvent, SFNClient } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import type { StateEvent } from '../../lib/asl/state-event.ts';
import { createHistoryReader, readEventsAfter } from '../../lib/remote/execution-events.ts';

const sfn = mockClient(SFNClient);
afterEach(() => sfn.reset());
const client = new SFNClient({ region: 'us-east-1' });

let nextId = 0;
function event(type: HistoryEvent['type'], seconds: number, more: Partial<HistoryEvent>): HistoryEvent {
  nextId += 1;
  return { id: nextId, type, timestamp: new Date(seconds * 1_000), ...more };
}

function entered(name: string, seconds: number): HistoryEvent {
  return event('TaskStateEntered', seconds, { stateEnteredEventDetails: { name } });
}

function exited(name: string, seconds: number, output: unknown = {}): HistoryEvent {
  const stateExitedEventDetails = { name, output: JSON.stringify(output) };
  return event('TaskStateExited', seconds, { stateExitedEventDetails });
}

function told(events: readonly HistoryEvent[]): readonly StateEvent[] {
  const said: StateEvent[] = [];
  const read = createHistoryReader((one) => said.push(one));
  for (const one of events) read(one);
  return said;
}

const PLANNED = { run: {}, stage: { units_key: 'k', count: 2 }, merge: { units_key: 'k', count: 0 } };

describe('a history', () => {
  test('tells the levels that one call did, and the units of what it left', () => {
    const inside = { run: {}, level: 2, left: 'stage', stage: { units_key: 'k', count: 1 } };
    const [level, planned] = [
      { within: 'Level', state: 'Audit' } as const,
      { within: 'Level', state: 'PlanStage' } as const,
    ];
    assert.deepEqual(
      told([
        ...[entered('Level', 3), exited('Level', 7, inside), entered('WhatIsLeft', 7), exited('WhatIsLeft', 7, inside)],
        ...[
          entered('StageMap', 7),
          exited('StageMap', 8, inside),
          entered('Audit', 8),
          exited('Audit', 9, { level: 3 }),
        ],
        ...[entered('Level', 9), exited('Level', 11, { level: 4, left: 'nothing' })],
      ]).filter(({ state }) => state !== 'WhatIsLeft'),
      [
        { kind: 'started', state: 'Level' },
        ...[0, 1].flatMap((): StateEvent[] => [
          { kind: 'started', ...planned },
          { kind: 'succeeded', ...level, durationMs: 2_000 },
        ]),
        { kind: 'started', ...planned },
        { kind: 'succeeded', state: 'Level', durationMs: 4_000 },
        { kind: 'started', state: 'StageMap' },
        { kind: 'items', state: 'StageMap', count: 1 },
        { kind: 'succeeded', state: 'Stage', durationMs: 1_000 },
        { kind: 'succeeded', state: 'StageMap', durationMs: 1_000 },
        { kind: 'started', state: 'Audit' },
        { kind: 'succeeded', state: 'Audit', durationMs: 1_000 },
        { kind: 'started', state: 'Level' },
        { kind: 'started', ...planned },
        { kind: 'succeeded', ...level, durationMs: 2_000 },
        { kind: 'succeeded', state: 'Level', durationMs: 2_000 },
      ],
    );
  });

  test('is told as the local runner tells a run, a map with all its units at its end', () => {
    const events = [
      event('ExecutionStarted', 0, {}),
      ...[entered('Open', 0), event('LambdaFunctionScheduled', 0, {}), exited('Open', 3, PLANNED)],
      ...[entered('PlanStage', 3), exited('PlanStage', 4, PLANNED)],
      ...[entered('StageMap', 4), event('MapRunStarted', 4, {}), exited('StageMap', 9, PLANNED)],
      ...[entered('PlanMerge', 9), exited('PlanMerge', 10, PLANNED), entered('MergeMap', 10), exited('MergeMap', 10)],
    ];
    const ended = (state: string, durationMs: number): StateEvent => ({ kind: 'succeeded', state, durationMs });
    assert.deepEqual(told(events), [
      { kind: 'started', state: 'Open' },
      ended('Open', 3_000),
      { kind: 'started', state: 'PlanStage' },
      ended('PlanStage', 1_000),
      { kind: 'started', state: 'StageMap' },
      { kind: 'items', state: 'StageMap', count: 2 },
      ended('Stage', 5_000),
      ended('Stage', 5_000),
      ended('StageMap', 5_000),
      { kind: 'started', state: 'PlanMerge' },
      ended('PlanMerge', 1_000),
      { kind: 'started', state: 'MergeMap' },
      { kind: 'items', state: 'MergeMap', count: 0 },
      ended('MergeMap', 0),
    ]);
  });

  test('without outputs has no counts, and goes on', () => {
    const cut = event('TaskStateExited', 1, { stateExitedEventDetails: { name: 'PlanStage', output: '{"cut' } });
    const said = told([entered('PlanStage', 0), cut, entered('StageMap', 1)]);
    assert.deepEqual(said.at(-1), { kind: 'items', state: 'StageMap', count: 0 });
  });
});

describe('reading it', () => {
  const page = (...ids: readonly number[]) =>
    ids.map((id) => ({ id, type: 'TaskStateEntered', timestamp: new Date(0) }) as const);

  test('goes back from the newest event to what was read before', async () => {
    sfn
      .on(GetExecutionHistoryCommand)
      .resolvesOnce({ events: page(9, 8, 7), nextToken: 'older' })
      .resolvesOnce({ events: page(6, 5, 4), nextToken: 'oldest' })
      .rejects(new Error('read too far'));
    const events = await readEventsAfter(client, 'arn', 4);
    assert.deepEqual(
      events.map(({ id }) => id),
      [5, 6, 7, 8, 9],
    );
    const [first, second] = sfn.commandCalls(GetExecutionHistoryCommand).map(({ args }) => args[0].input);
    assert.equal(first?.reverseOrder, true);
    assert.equal(second?.nextToken, 'older');
  });

  test('ends at the first event', async () => {
    sfn.on(GetExecutionHistoryCommand).resolves({ events: page(2, 1) });
    assert.equal((await readEventsAfter(client, 'arn', 0)).length, 2);
  });
});
