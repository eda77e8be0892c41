import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AwsReply } from '../../../lib/core/aws-question.ts';
import { deploymentNames } from '../../../lib/core/deployment-names.ts';
import { CODE_OF_DEPLOY } from '../../../lib/core/deployment-needs.ts';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import { STATES, tasksOf } from '../../../lib/core/states.ts';
import { type PruneDeps, pruneVersions } from '../../../lib/remote/versions/prune.ts';
import { publishedOn } from '../../../lib/remote/versions/published.ts';
import { type FunctionVersion, nameOfVersion, versionsIn } from '../../../lib/remote/versions/superfluous.ts';

const NAMES = deploymentNames(undefined, 'test');
const FILES = [...new Set([...tasksOf('medallion'), ...tasksOf('maintenance')])].map((task) => STATES[task].file);
/** AWS's quota for functions and layers of an account and region. */
const CODE_OF_ACCOUNT = 75e9;
const DAY_MS = 86_400_000;

/** An account in which pipelines are deployed and run: versions of their functions, machines that name them, executions that call them. */
function account(pipelines: readonly string[]) {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const versions = new Map<string, FunctionVersion[]>();
  const machines = new Map<string, string>();
  const executions: { machine: string; definition: string; failed?: number; ended?: true }[] = [];
  const arn = (version: FunctionVersion): string => `arn:aws:lambda:r:1:function:${nameOfVersion(version)}`;
  const deploy = (pipeline: string): void => {
    const published = FILES.map((file) => {
      const name = NAMES.lambda(pipeline, file);
      const before = versions.get(name) ?? [];
      const number = (before.at(-1)?.version ?? 0) + 1;
      const bytes = CODE_OF_DEPLOY / FILES.length;
      const version = { function: name, version: number, bytes, publishedAt: new Date(now) };
      versions.set(name, [...before, version]);
      return version;
    });
    for (const machine of [`m:${pipeline}`, `m:${pipeline}_maintenance`]) {
      machines.set(machine, JSON.stringify(published.map(arn)));
    }
  };
  const deps: PruneDeps = {
    published: {
      versions: async (name) => versions.get(name),
      remove: async (gone) => {
        const left = (versions.get(gone.function) ?? []).filter(({ version }) => version !== gone.version);
        versions.set(gone.function, left);
        return true;
      },
    },
    definitions: {
      current: async (machine) => machines.get(machine) ?? '',
      held: async (machine, since) =>
        executions
          .filter((one) => one.machine === machine && one.ended !== true)
          .filter(({ failed }) => failed === undefined || failed >= since.getTime())
          .map(({ definition }) => definition),
    },
    clock: { now: () => new Date(now) },
  };
  const stacks = new Map(
    pipelines.map((pipeline) => {
      const machinesOf = [`m:${pipeline}`, `m:${pipeline}_maintenance`];
      const stack = { stack: pipeline, status: 'UPDATE_COMPLETE', changed: undefined, machines: machinesOf };
      return [pipeline, stack] as const;
    }),
  );
  return {
    deploy,
    pass(ms: number): void {
      now += ms;
    },
    begin(pipeline: string) {
      const machine = `m:${pipeline}`;
      const execution: (typeof executions)[number] = { machine, definition: machines.get(machine) ?? '' };
      executions.push(execution);
      return {
        /** Whether each function that it calls is there in the version that it began with. */
        canGoOn: (): boolean =>
          versionsIn(execution.definition).every((name) => {
            const there = versions.get(name.replace(/:.*/, '')) ?? [];
            return there.some((one) => nameOfVersion(one) === name);
          }),
        fail(): void {
          execution.failed = now;
        },
        succeed(): void {
          execution.ended = true;
        },
      };
    },
    prune: (dryRun = false) => pruneVersions(deps, { names: NAMES, pipelines: stacks, dryRun }),
    bytes: (): number =>
      [...versions.values()]
        .flat()
        .map(({ bytes }) => bytes)
        .reduce((a, b) => a + b, 0),
    count: (): number => [...versions.values()].flat().length,
  };
}

describe('Lambda, as it is asked about versions', () => {
  const failing = (message: string): Error => new InvalidInput(`lambda:x on the account failed: ${message}`);
  const version = { function: 'f', version: 3, bytes: 1, publishedAt: new Date(0) };

  test('is asked again when it takes no more calls, for some time', async () => {
    const waits: number[] = [];
    let busy = 2;
    const ask = async (): Promise<AwsReply> => {
      busy -= 1;
      if (busy >= 0) throw new Unavailable('TooManyRequestsException');
      return { text: '', at: new Date(0) };
    };
    const wait = async (ms: number): Promise<void> => void waits.push(ms);
    assert.equal(await publishedOn(ask, wait).remove(version), true);
    assert.deepEqual(waits, [500, 1_000]);
    busy = 1_000;
    await assert.rejects(publishedOn(ask, wait).remove(version), { name: 'Unavailable' });
    assert.equal(waits.length, 2 + 19);
  });

  test('says what is named elsewhere, what is gone, and what may not be done', async () => {
    const asked: unknown[] = [];
    const saying = (message: string) =>
      publishedOn(
        async (question) => {
          asked.push(question);
          throw failing(message);
        },
        async () => assert.fail('it waited'),
      );
    assert.equal(await saying('ResourceConflictException: an alias').remove(version), false);
    assert.equal(await saying('ResourceNotFoundException: no').remove(version), true);
    assert.equal(await saying('ResourceNotFoundException: no').versions('f'), undefined);
    await assert.rejects(saying('AccessDeniedException: no').remove(version), { name: 'InvalidInput' });
    await assert.rejects(saying('AccessDeniedException: no').versions('f'), { name: 'InvalidInput' });
    const path = '/2015-03-31/functions/f?Qualifier=3';
    assert.deepEqual(asked[0], { service: 'lambda', action: 'lambda:DeleteFunction', kind: 'delete', path });
  });
});

describe('versions of functions', () => {
  test('of 100 deploys of ten pipelines an account has room for, each pruned after it', async () => {
    const pipelines = Array.from({ length: 10 }, (_, at) => `p${at}`);
    const aws = account(pipelines);
    let most = 0;
    for (let deployed = 0; deployed < 100; deployed += 1) {
      for (const pipeline of pipelines) aws.deploy(pipeline);
      most = Math.max(most, aws.bytes());
      await aws.prune();
      aws.pass(2 * 3_600_000);
    }
    assert.ok(most < CODE_OF_ACCOUNT / 5, `${most} bytes of code`);
    await aws.prune();
    assert.equal(aws.count(), pipelines.length * FILES.length);
    // Unpruned they would not fit.
    assert.ok(100 * pipelines.length * CODE_OF_DEPLOY > CODE_OF_ACCOUNT);
  });

  test('stay as long as a run that began with them works, and as long as it may be redriven', async () => {
    const aws = account(['shop']);
    aws.deploy('shop');
    const run = aws.begin('shop');
    for (let day = 0; day < 3; day += 1) {
      aws.pass(DAY_MS);
      aws.deploy('shop');
      aws.pass(DAY_MS);
      await aws.prune();
      assert.equal(run.canGoOn(), true);
      // Those of the run, and those of now.
      assert.equal(aws.count(), 2 * FILES.length);
    }
    run.fail();
    aws.pass(14 * DAY_MS);
    await aws.prune();
    assert.equal(run.canGoOn(), true);
    aws.pass(2 * DAY_MS);
    const shown = await aws.prune(true);
    assert.deepEqual(
      [shown.dry_run, shown.pipelines[0]?.removed.length, aws.count()],
      [true, FILES.length, 2 * FILES.length],
    );
    await aws.prune();
    assert.deepEqual([run.canGoOn(), aws.count()], [false, FILES.length]);
  });

  test('go once the run has ended, but for an hour after they were replaced', async () => {
    const aws = account(['shop']);
    aws.deploy('shop');
    const run = aws.begin('shop');
    run.succeed();
    aws.deploy('shop');
    aws.pass(59 * 60_000);
    await aws.prune();
    assert.equal(aws.count(), 2 * FILES.length);
    aws.pass(2 * 60_000);
    const { bytes, pipelines } = await aws.prune();
    assert.deepEqual(
      [aws.count(), pipelines[0]?.kept, Math.round(bytes)],
      [FILES.length, FILES.length, CODE_OF_DEPLOY],
    );
  });
});
