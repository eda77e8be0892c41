import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StateEvent } from '../../lib/asl/state-event.ts';
import type { Progress } from '../../lib/cli/output/progress.ts';
import { followRun } from '../../lib/cli/run-progress.ts';

const started = (state: string): StateEvent => ({ kind: 'started', state });
const items = (state: string, count: number): StateEvent => ({ kind: 'items', state, count });
const ended = (state: string, durationMs = 5): StateEvent => ({ kind: 'succeeded', state, durationMs });
const failed = (state: string): StateEvent => ({ kind: 'failed', state, durationMs: 9, error: 'E', cause: 'c' });

/** Two levels; the second has a merge and nothing else. */
const RUN: readonly StateEvent[] = [
  ...[started('Open'), ended('Open'), started('PlanStage'), ended('PlanStage')],
  ...[started('StageMap'), items('StageMap', 2)],
  ...[started('Stage'), ended('Stage'), started('Stage'), failed('Stage'), started('Stage'), ended('Stage')],
  ...[ended('StageMap'), started('PlanMerge'), ended('PlanMerge')],
  ...[started('MergeMap'), items('MergeMap', 0), ended('MergeMap'), started('Audit'), ended('Audit')],
  ...[started('PlanStage'), ended('PlanStage'), started('StageMap'), items('StageMap', 0), ended('StageMap')],
  ...[started('MergeMap'), items('MergeMap', 1), started('Merge'), ended('Merge'), ended('MergeMap')],
  ...[started('Audit'), ended('Audit'), started('Commit'), ended('Commit'), started('Finish'), ended('Finish')],
];

function record(live: boolean, events: readonly StateEvent[]): readonly string[] {
  const said: string[] = [];
  const progress: Progress = {
    step: (name, total) => said.push(`step ${name}${total === undefined ? '' : ` ${total}`}`),
    tick: (name) => said.push(`tick ${name}`),
    done: (name, ms) => said.push(`done ${name} ${ms}`),
    close: () => {},
    lines: { write: () => true },
  };
  const follow = followRun(progress, live);
  for (const event of events) follow(event);
  return said;
}

const PLAIN = [
  'done plan 5',
  ...['step stage level 1 2', 'tick stage level 1', 'tick stage level 1', 'done stage level 1 5'],
  'done audit level 1 5',
  ...['step merge level 2 1', 'tick merge level 2', 'done merge level 2 5'],
  'done audit level 2 5',
  'done publish 5',
];

test('a run is told by level, and what had nothing to do is not told', () => {
  assert.deepEqual(record(false, RUN), PLAIN);
});

test('on a terminal, steps show while they run', () => {
  const said = record(true, RUN);
  assert.deepEqual(
    said.filter((line) => PLAIN.includes(line)),
    PLAIN,
  );
  assert.deepEqual(
    said.filter((line) => !PLAIN.includes(line)),
    ['step plan', 'step audit level 1', 'step audit level 2', 'step publish'],
  );
});

test('a map that fails ends its step', () => {
  const events = [started('PlanStage'), started('StageMap'), items('StageMap', 1), failed('StageMap')];
  assert.deepEqual(record(false, events), ['step stage level 1 1', 'done stage level 1 9']);
});
