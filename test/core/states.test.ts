import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { isCallback } from '../../lib/asl/definition.ts';
import { functionOf, loadStateMachine } from '../../lib/asl/load.ts';
import { ORIGIN_FUNCTIONS } from '../../lib/core/origins.ts';
import { FUNCTIONS, STATES, stateRow, tasksOf } from '../../lib/core/states.ts';
import { maintenanceHandlers, medallionHandlers } from '../../lib/runtime/handlers.ts';
import { openTestLake } from '../support/test-lake.ts';
import { SMALL } from './small-pipeline.ts';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

const MACHINES = ['medallion', 'maintenance'] as const;
function tasksIn(name: (typeof MACHINES)[number]) {
  const machine = loadStateMachine(read(`statemachines/${name}.asl.json`), `${name}.asl.json`);
  const scopes = Object.values(machine.States).flatMap((state) =>
    state.Type === 'Map' ? [state.ItemProcessor.States] : [],
  );
  return [machine.States, ...scopes].flatMap((states) =>
    Object.entries(states).flatMap(([task, state]) => (state.Type === 'Task' ? [{ name: task, state }] : [])),
  );
}
const tasks = MACHINES.flatMap(tasksIn);

describe('the table of states', () => {
  test('names the Task states of the state machine, and each calls its function', () => {
    for (const machine of MACHINES) {
      assert.deepEqual(
        tasksIn(machine)
          .map(({ name }) => name)
          .sort(),
        [...tasksOf(machine)].sort(),
      );
    }
    for (const { name, state } of tasks) assert.equal(functionOf(state), `\${${name}FunctionArn}`);
  });

  test('names the files of lambdas/, and each measures itself by its name', () => {
    const files = [...FUNCTIONS.map(fileOf), ...ORIGIN_FUNCTIONS.map((name) => `${name}.ts`)];
    assert.deepEqual(readdirSync(new URL('lambdas/', ROOT)).sort(), files.sort());
    for (const name of FUNCTIONS) {
      assert.match(read(`lambdas/${fileOf(name)}`), new RegExp(`(name: |instrument\\()'${name}'`), name);
    }
  });

  test('names the file of each step', () => {
    for (const name of MACHINES.flatMap((machine) => tasksOf(machine))) {
      const [file, ...others] = globSync(`lib/steps/*/${fileOf(name)}`, { cwd: ROOT });
      assert.ok(file !== undefined && others.length === 0, name);
      assert.match(read(file), new RegExp(`export async function run${name}\\(`), name);
    }
  });

  test('has a handler for each task', async () => {
    const lake = await openTestLake(SMALL);
    assert.deepEqual(Object.keys(medallionHandlers(lake.deps)).sort(), [...tasksOf('medallion')].sort());
    assert.deepEqual(Object.keys(maintenanceHandlers(lake.deps)).sort(), [...tasksOf('maintenance')].sort());
    lake.close();
  });

  test('gives every function time within what the state machine waits for it', () => {
    for (const { name, state } of tasks) {
      // That which waits for people waits as long as it is told.
      if (isCallback(state.Resource)) continue;
      const row = FUNCTIONS.find((one) => one === name);
      assert.ok(row !== undefined && (state.TimeoutSeconds ?? 0) >= stateRow(row).compute.timeoutSeconds, name);
    }
  });
});

describe('the retries of the state machine', () => {
  const [first] = tasks;
  const others = ['Stage', 'Level', 'AwaitDecision'];
  for (const { name, state } of tasks.filter((task) => !others.includes(task.name))) {
    test(`of ${name} are those of ${first?.name}`, () => assert.deepEqual(state.Retry, first?.state.Retry));
  }
  test('of Level are none where a worker died: then each step has a function of its own', () => {
    const [refused, passing, died] = first?.state.Retry ?? [];
    const level = tasks.find((task) => task.name === 'Level')?.state;
    assert.deepEqual(level?.Retry, [refused, passing]);
    const [apart] = level?.Catch ?? [];
    assert.deepEqual([apart?.ErrorEquals, apart?.Next], [died?.ErrorEquals, 'PlanStage']);
  });
  test('of AwaitDecision are none when its time is over', () => {
    const [refused, passing, died] = first?.state.Retry ?? [];
    const codes = (died?.ErrorEquals ?? []).filter((code) => code !== 'States.Timeout');
    const retry = tasks.find((task) => task.name === 'AwaitDecision')?.state.Retry;
    assert.deepEqual(retry, [refused, passing, { ...died, ErrorEquals: codes }]);
  });
  test('of Stage are more where a worker died: three for the unit, three for each of two files alone', () => {
    const [refused, passing, died] = first?.state.Retry ?? [];
    const stage = tasks.find((task) => task.name === 'Stage')?.state.Retry ?? [];
    const { Comment } = stage[2] ?? {};
    assert.deepEqual(stage, [refused, passing, { ...died, Comment, MaxAttempts: 9 }]);
  });
});

function fileOf(name: (typeof FUNCTIONS)[number]): string {
  return `${STATES[name].file}.ts`;
}
