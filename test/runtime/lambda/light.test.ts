import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { beforeEach, describe, test } from 'node:test';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { mockClient } from 'aws-sdk-client-mock';
import { parquetReadObjects } from 'hyparquet';
import { executionName, uploadId } from '../../../lib/core/trigger.ts';
import { failDeps } from '../../../lib/runtime/lambda/light.ts';
import type { LambdaHandler } from '../../../lib/runtime/lambda/telemetry.ts';
import { awsError } from '../../remote/aws-error.ts';
import { openBucket } from './light-s3.ts';
import { CONTEXT, linesOf } from './telemetry-lines.ts';

const TOPIC = 'arn:aws:sns:eu-west-1:1:shop';
const MACHINE = 'arn:aws:states:eu-west-1:1:stateMachine:strata-shop';
const ENVIRONMENT = {
  AWS_REGION: 'eu-west-1',
  STRATA_PIPELINE: 'shop',
  STRATA_OPS_BUCKET: 'ops-1',
  STRATA_TOPIC_ARN: TOPIC,
  STRATA_STATE_MACHINE_ARN: MACHINE,
};
Object.assign(process.env, ENVIRONMENT);

const bucket = openBucket();
const sfn = mockClient(SFNClient);
const sns = mockClient(SNSClient);
const { handler: starter } = await import('../../../lambdas/starter.ts');
const { handler: fail } = await import('../../../lambdas/fail.ts');
const { handler: notify } = await import('../../../lambdas/notify.ts');
const { handler: maintainAfter } = await import('../../../lambdas/maintain-after.ts');
const { handler: runFailed } = await import('../../../lambdas/run-failed.ts');

beforeEach(() => {
  Object.assign(process.env, ENVIRONMENT);
  bucket.objects.clear();
  bucket.refuse = undefined;
  sfn.reset();
  sns.reset();
  sfn.on(StartExecutionCommand).resolves({});
  sns.on(PublishCommand).resolves({});
});

/** What a function answers or throws, and the messages of its log lines. */
async function call(handler: LambdaHandler, event: unknown): Promise<{ answer: unknown; log: readonly unknown[] }> {
  const { answer, lines } = await linesOf(() => handler(event, CONTEXT).catch((thrown: unknown) => thrown));
  return { answer, log: lines.flatMap((line) => line['message'] ?? []) };
}

function created(key: string, etag = 'e1', more: object = {}): unknown {
  return {
    source: 'aws.s3',
    'detail-type': 'Object Created',
    detail: {
      bucket: { name: 'bronze-1' },
      object: { key, etag, size: 10, 'version-id': 'v1', sequencer: '1', ...more },
    },
  };
}

const batch = (...bodies: readonly unknown[]): unknown => ({
  Records: bodies.map((body, at) => ({
    messageId: `m${at}`,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })),
});

const upload = (key: string) => ({ key, etag: 'e1', version: 'v1' });
const ORDERS = 'bronze/shop/orders/day 1+ä.csv';
const startedNames = (): readonly unknown[] =>
  sfn.commandCalls(StartExecutionCommand).map(({ args }) => args[0].input.name);
const audited = (): readonly string[] => [...bucket.objects.keys()].filter((key) => key.includes('/audit_log/'));

describe('the starter', () => {
  test('starts one execution for the files of a batch, and notes it', async () => {
    const other = 'bronze/shop/orders/day-2.csv';
    const { answer } = await call(starter, batch(created(ORDERS), created(other), created(ORDERS)));
    assert.deepEqual(answer, { batchItemFailures: [] });
    const name = executionName([upload(ORDERS), upload(other)]);
    assert.deepEqual(
      sfn.commandCalls(StartExecutionCommand).map(({ args }) => args[0].input),
      [
        {
          stateMachineArn: MACHINE,
          name,
          input: JSON.stringify({ pipeline: 'shop', run_id: name, dry_run: false, wait: true, started_by: 'events' }),
        },
      ],
    );
    assert.deepEqual(bucket.json(`ops/shop/_events/${uploadId(upload(ORDERS))}.json`), {
      execution: name,
      ...upload(ORDERS),
    });
    assert.deepEqual(bucket.json(`ops/shop/_landed/${name}.json`), { files: [upload(ORDERS), upload(other)] });
    assert.match(audited().join(), /^ops\/shop\/audit_log\/starter\/[0-9a-f]{16}\.parquet$/);
  });

  const LEFT_OUT: readonly (readonly [string, unknown])[] = [
    ['of another pipeline', created('bronze/shops/orders/a.csv')],
    ['of no source', created('bronze/shop/a.csv')],
    ['of another zone', created('silver/shop/orders/a.csv')],
    ['that is a folder', created('bronze/shop/orders/2026/', 'e1', { size: 0 })],
  ];
  for (const [what, event] of LEFT_OUT) {
    test(`says so and starts nothing for an object ${what}`, async () => {
      const { answer, log } = await call(starter, batch(event));
      assert.deepEqual(answer, { batchItemFailures: [] });
      assert.ok(log.includes('an object is no upload'));
      assert.deepEqual([startedNames(), bucket.objects.size], [[], 0]);
    });
  }

  const MALFORMED: readonly (readonly [string, unknown])[] = [
    ['no JSON', 'x{'],
    ['an empty message', ''],
    ['another event', { ...(created(ORDERS) as object), 'detail-type': 'Object Deleted' }],
    ['an event without a key', created('')],
    ["S3's own notification", { Records: [{ s3: { object: { key: ORDERS } } }] }],
  ];
  for (const [what, body] of MALFORMED) {
    test(`gives ${what} back to the queue, and starts the rest`, async () => {
      const { answer, log } = await call(starter, batch(body, created(ORDERS)));
      assert.deepEqual(answer, { batchItemFailures: [{ itemIdentifier: 'm0' }] });
      assert.ok(log.includes('a message is no "Object Created" event'));
      assert.deepEqual(startedNames(), [executionName([upload(ORDERS)])]);
    });
  }

  test('tells once of an execution that was stopped, and gives back what nobody could be told of', async () => {
    const stopped = (name: string): unknown => ({
      'detail-type': 'Step Functions Execution Status Change',
      detail: { executionArn: `arn:${name}`, name, status: 'ABORTED', stateMachineArn: MACHINE, input: '{}' },
    });
    const { answer } = await call(starter, batch(stopped('r-8'), created(ORDERS), stopped('r-8')));
    assert.deepEqual(answer, { batchItemFailures: [] });
    const sent = sns.commandCalls(PublishCommand).map(({ args }) => args[0].input);
    assert.deepEqual([sent.length, /r-8/.test(sent[0]?.Message ?? '')], [1, true]);
    assert.deepEqual(startedNames(), [executionName([upload(ORDERS)])]);
    sns.on(PublishCommand).rejects(awsError('AuthorizationError', 403, 'no'));
    const again = await call(starter, batch(stopped('r-9'), created(ORDERS)));
    assert.deepEqual(again.answer, { batchItemFailures: [{ itemIdentifier: 'm0' }] });
    assert.ok(again.log.includes('nobody could be told of an execution that ended'));
  });

  test('gives back what it may not start', async () => {
    sfn.on(StartExecutionCommand).rejects(awsError('AccessDeniedException', 400, 'no'));
    const { answer, log } = await call(starter, batch('x{', created(ORDERS)));
    assert.deepEqual(answer, { batchItemFailures: [{ itemIdentifier: 'm0' }, { itemIdentifier: 'm1' }] });
    assert.ok(log.includes('not done, to be tried again'));
  });

  test('gives back what it could not mark', async () => {
    bucket.refuse = () => awsError('AccessDenied', 403, 'no');
    assert.deepEqual((await call(starter, batch(created(ORDERS)))).answer, {
      batchItemFailures: [{ itemIdentifier: 'm0' }],
    });
    assert.deepEqual(startedNames(), []);
  });

  test('has started what it started, when that could not be noted', async () => {
    bucket.refuse = (key) => (key.includes('/audit_log/') ? awsError('AccessDenied', 403, 'no') : undefined);
    const { answer, log } = await call(starter, batch(created(ORDERS)));
    assert.deepEqual(answer, { batchItemFailures: [] });
    assert.ok(log.includes('the audit log could not be written'));
  });

  test('refuses an event that is no batch, and an environment without a state machine', async () => {
    assert.match(String((await call(starter, {})).answer), /InvalidInput: the event is not the input of Starter/);
    delete process.env['STRATA_STATE_MACHINE_ARN'];
    assert.match(String((await call(starter, batch())).answer), /no STRATA_STATE_MACHINE_ARN/);
  });
});

const run = { pipeline: 'shop', run_id: 'r-1', dry_run: false };

describe('start maintenance', () => {
  const request = { operations: ['compact', 'expire'], expire: { older_than_ms: 604_800_000, keep: 5 } };
  const why = [{ operation: 'compact', table: 'shop_silver.items', why: '16 small files since the last time' }];
  const state = { status: 'planned', request: run, run: { ...run, epoch: 3 }, level: 1, levels: 1 };

  test('starts an execution named by the run, once, with what is due', async () => {
    const event = { ...state, maintenance: { request, why } };
    assert.deepEqual((await call(maintainAfter, event)).answer, {
      execution: 'r-1-maintenance',
      outcome: 'started',
    });
    const [started] = sfn.commandCalls(StartExecutionCommand);
    assert.deepEqual(
      [started?.args[0].input.stateMachineArn, started?.args[0].input.name],
      [MACHINE, 'r-1-maintenance'],
    );
    assert.deepEqual(JSON.parse(started?.args[0].input.input ?? ''), {
      pipeline: 'shop',
      run_id: 'r-1-maintenance',
      dry_run: false,
      kind: 'maintenance',
      wait: true,
      maintenance: request,
    });
    sfn.on(StartExecutionCommand).rejects(awsError('ExecutionAlreadyExists', 400, 'it runs'));
    assert.deepEqual((await call(maintainAfter, event)).answer, { execution: 'r-1-maintenance', outcome: 'exists' });
  });

  test('refuses a state in which nothing is due', async () => {
    assert.match(
      String((await call(maintainAfter, state)).answer),
      /InvalidInput: the event is not the input of MaintainAfter/,
    );
  });
});

const cause = JSON.stringify({ errorType: 'AuditFailed', errorMessage: '3 rows', trace: [] });
const error = { Error: 'AuditFailed', Cause: cause };
const execution = { Id: `${MACHINE.replace('stateMachine', 'execution')}:r-1`, Name: 'r-1', RedriveCount: 0 };

describe('fail', () => {
  const put = (key: string, value: unknown): void => {
    bucket.objects.set(key, { bytes: new TextEncoder().encode(JSON.stringify(value)), etag: 'x' });
  };

  test('undoes a run, gives its lock back and notes what failed', async () => {
    put('ops/shop/_runs/r-1/plan.json', {
      run,
      created_at: '2026-01-01T00:00:00.000Z',
      spec: { levels: [], models: [], sources: [] },
      sources: { orders: { files: 3 } },
      planning_ms: 0,
    });
    put('ops/shop/lock.json', { epoch: 4, run_id: 'r-1', holder: 'run:r-1', expires_at: '2099-01-01T00:00:00.000Z' });
    put('ops/shop/open-run.json', { ...run, epoch: 4 });
    const { answer } = await call(fail, { state: { run: { ...run, epoch: 4 }, request: run, error }, execution });
    assert.deepEqual(answer, { run_id: 'r-1', redrives: 0, undone: true });
    assert.deepEqual(bucket.json('ops/shop/lock.json'), { epoch: 4, released: true });
    assert.deepEqual(bucket.json('ops/shop/open-run.json'), { epoch: 4 });
    const result = bucket.json('ops/shop/_runs/r-1/result.json') as { error: unknown };
    assert.deepEqual(result.error, { name: 'AuditFailed', message: '3 rows' });
    assert.match(audited().join(), /^ops\/shop\/audit_log\/fail\/[0-9a-f]{16}\.parquet$/);
    const noted = await parquetReadObjects({
      file: Uint8Array.from(bucket.objects.get(audited().join())?.bytes ?? []).buffer,
    });
    assert.deepEqual(
      noted.map(({ event, run_id }) => [event, run_id]),
      [
        ['failed', 'r-1'],
        ['recorded', 'r-1'],
      ],
    );
    assert.match(String(noted[0]?.['detail']), /^AuditFailed: 3 rows \(after \d+ ms\)$/);
    const { finished_at, duration_ms, ...row } = JSON.parse(String(noted[1]?.['detail'])) as Record<string, unknown>;
    assert.equal(Date.parse(String(finished_at)) - Date.parse('2026-01-01T00:00:00.000Z'), duration_ms);
    assert.deepEqual(row, {
      ...{ run_id: 'r-1', status: 'FAILED', started_at: '2026-01-01T00:00:00.000Z', kind: 'run' },
      ...{ files: 3, rows_read: 0, rows_added: 0, error: 'AuditFailed: 3 rows' },
      ...{ bytes_brought: null, bytes_kept: null, bytes_skipped: null, run_date: null },
      ...{ cost_usd: null, cost_rate: null },
    });
  });

  test('tells a collector of lineage of the run, by its own name for the lake', async () => {
    const told: { eventType: string; job: { namespace: string } }[] = [];
    const collector = createServer(async (request, response) => {
      told.push((await json(request)) as (typeof told)[number]);
      response.writeHead(201).end();
    });
    await once(collector.listen(0, '127.0.0.1'), 'listening');
    try {
      const openlineage = { to: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`, namespace: 'lake' };
      process.env['STRATA_OPENLINEAGE'] = JSON.stringify(openlineage);
      put('ops/shop/_runs/r-1/plan.json', {
        ...{ run, created_at: '2026-01-01T00:00:00.000Z', sources: {}, planning_ms: 0 },
        spec: { name: 'shop', description: null, owner: null, levels: [], models: [], sources: [], openlineage },
      });
      put('ops/shop/lock.json', { epoch: 4, run_id: 'r-1', holder: 'run:r-1', expires_at: '2099-01-01T00:00:00.000Z' });
      await call(fail, { state: { run: { ...run, epoch: 4 }, request: run, error }, execution });
      assert.deepEqual(
        told.map(({ eventType, job }) => [eventType, job.namespace]),
        [
          ['START', 'lake'],
          ['FAIL', 'lake'],
        ],
      );
      assert.deepEqual(
        [...bucket.objects.keys()].filter((key) => key.includes('/_lineage/')),
        [],
      );
    } finally {
      delete process.env['STRATA_OPENLINEAGE'];
      collector.close();
    }
  });

  test('leaves a run alone that another has taken over, and says so', async () => {
    const taken = { epoch: 5, run_id: 'r-1', holder: 'run:r-1', expires_at: '2099-01-01T00:00:00.000Z' };
    put('ops/shop/_runs/r-1/plan.json', {});
    put('ops/shop/lock.json', taken);
    const { answer } = await call(fail, { state: { run: { ...run, epoch: 4 }, request: run, error }, execution });
    assert.match((answer as { lost: string }).lost, /run r-1 has lost the lock of pipeline shop/);
    assert.deepEqual(bucket.json('ops/shop/lock.json'), taken);
    assert.ok(bucket.objects.has('ops/shop/_runs/r-1/plan.json'));
    assert.ok(!bucket.objects.has('ops/shop/_runs/r-1/result.json'));
  });

  test('leaves the lock of another run alone', async () => {
    put('ops/shop/lock.json', { run_id: 'r-0', holder: 'run:r-0', expires_at: '2099-01-01T00:00:00.000Z' });
    assert.deepEqual((await call(fail, { state: { ...run, error }, execution })).answer, { redrives: 0 });
    assert.ok(bucket.objects.has('ops/shop/lock.json'));
  });
});

describe('notify', () => {
  const messages = () => sns.commandCalls(PublishCommand).map(({ args }) => args[0].input);

  test('tells of a run once, whoever asks', async () => {
    const state = { run, request: run, error, failure: { run_id: 'r-1', redrives: 0, undone: true } };
    assert.deepEqual((await call(notify, { state, execution })).answer, { alerted: true });
    assert.deepEqual((await call(notify, { state, execution })).answer, { alerted: false });
    assert.equal(messages().length, 1);
    const [{ TopicArn, Subject, Message } = {}] = messages();
    assert.deepEqual([TopicArn, Subject], [TOPIC, 'Strata: shop failed: AuditFailed (r-1)']);
    assert.ok(Message?.includes('\nCause:     3 rows\n') && Message.includes(execution.Id));
    assert.equal((bucket.json('ops/shop/_alerts/r-1.json') as { status: string }).status, 'sent');
    assert.match(audited().join(), /^ops\/shop\/audit_log\/notify\/[0-9a-f]{16}\.parquet$/);
  });

  test('tells of an execution that was stopped', async () => {
    const detail = { executionArn: execution.Id, name: 'r-1', status: 'ABORTED', input: JSON.stringify(run) };
    const event = { 'detail-type': 'Step Functions Execution Status Change', detail };
    assert.deepEqual((await call(notify, event)).answer, { alerted: true });
    assert.equal(messages()[0]?.Subject, 'Strata: shop failed: States.Aborted (r-1)');
  });

  test('throws what may pass under the name that a Retry lists', async () => {
    sns.on(PublishCommand).rejects(awsError('InternalErrorException', 500, 'oops'));
    const { answer } = await call(notify, { state: { ...run, error }, execution });
    assert.equal((answer as Error).name, 'Unavailable');
  });
});

test('only where a pipeline hands models to Athena, what undoes runs can have its statements stopped', () => {
  const log = { info: () => {}, warn: () => {} };
  assert.equal(failDeps(log).sqlEngine, undefined);
  process.env['STRATA_ATHENA_WORKGROUP'] = 'lake';
  const { sqlEngine } = failDeps(log);
  delete process.env['STRATA_ATHENA_WORKGROUP'];
  assert.deepEqual([typeof sqlEngine?.('athena')?.cancel, sqlEngine?.('spark')], ['function', undefined]);
});

describe('run failed', () => {
  test('throws the error of the run', async () => {
    const { answer } = await call(runFailed, { state: { run, error }, execution });
    assert.equal(String(answer), 'RunFailed: AuditFailed: 3 rows');
  });

  test('answers what to open when it is redriven', async () => {
    const state = { run, request: run, error, failure: { redrives: 0 } };
    const { answer } = await call(runFailed, { state, execution: { ...execution, RedriveCount: 1 } });
    assert.deepEqual(answer, { ...run, run_id: 'r-1-r1' });
  });
});
