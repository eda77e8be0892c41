import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import type { ListedLetter } from '../../lib/remote/dead-letters/dead-letters.ts';
import { awsError } from '../remote/aws-error.ts';
import { openAwsLake } from './aws-lake.ts';
import { strataHere } from './child.ts';

const aws = openAwsLake();
const sfn = mockClient(SFNClient);

const LETTERS = 'https://sqs.us-east-1.amazonaws.com/1/strata-shop-DeadLetters';
const EVENTS = 'https://sqs.us-east-1.amazonaws.com/1/strata-shop-Uploads';
const MACHINE = 'arn:aws:states:us-east-1:1:stateMachine:strata-shop';

type Sent = { readonly id: string; readonly at: number; readonly body: unknown; readonly reason?: string };

/** Another order than that in which they came, as SQS has it. */
const SENT: readonly Sent[] = [
  { id: 'call', at: 4_000, body: { requestContext: { functionArn: 'arn:notify' }, requestPayload: {} } },
  {
    id: 'upload',
    at: 1_000,
    body: { 'detail-type': 'Object Created', detail: { object: { key: 'bronze/shop/orders/a.csv' } } },
  },
  { id: 'text', at: 5_000, body: 'hello' },
  {
    ...{ id: 'schedule', at: 2_000, reason: 'throttled' },
    body: {
      StateMachineArn: MACHINE,
      Name: '<aws.scheduler.execution-id>',
      Input: '{"pipeline":"shop","run_id":"<aws.scheduler.execution-id>"}',
    },
  },
  {
    ...{ id: 'ended', at: 3_000 },
    body: {
      'detail-type': 'Step Functions Execution Status Change',
      detail: { executionArn: 'arn:e', status: 'FAILED' },
    },
  },
];

/** What lies in the two queues, and which messages nobody sees now. */
let queue: Map<string, { readonly sent: Sent; hidden: boolean }>;
let events: string[];
let denied: string | undefined;

type Call = {
  readonly QueueUrl: string;
  readonly MaxNumberOfMessages: number;
  readonly ReceiptHandle: string;
  readonly MessageBody: string;
  readonly Entries: readonly { readonly ReceiptHandle: string; readonly VisibilityTimeout: number }[];
};

function answer(operation: string, call: Call): object {
  if (operation === 'SendMessage') {
    assert.equal(call.QueueUrl, EVENTS);
    events.push(call.MessageBody);
    return { MessageId: 'm' };
  }
  assert.equal(call.QueueUrl, LETTERS);
  if (operation === 'ReceiveMessage') {
    // Fewer than were asked for, as SQS may give.
    const seen = [...queue.values()].filter(({ hidden }) => !hidden).slice(0, Math.min(2, call.MaxNumberOfMessages));
    const Messages = seen.map((one) => {
      one.hidden = true;
      const { id, at, body, reason } = one.sent;
      return {
        ...{ MessageId: id, ReceiptHandle: id, Attributes: { SentTimestamp: String(at) } },
        Body: typeof body === 'string' ? body : JSON.stringify(body),
        ...(reason === undefined ? {} : { MessageAttributes: { ERROR_MESSAGE: { StringValue: reason } } }),
      };
    });
    return Messages.length === 0 ? {} : { Messages };
  }
  if (operation === 'DeleteMessage') queue.delete(call.ReceiptHandle);
  // SQS takes no more at a time.
  assert.ok((call.Entries ?? []).length <= 10);
  for (const { ReceiptHandle, VisibilityTimeout } of call.Entries ?? []) {
    assert.equal(VisibilityTimeout, 0);
    const found = queue.get(ReceiptHandle);
    if (found !== undefined) found.hidden = false;
  }
  return {};
}

/** What CloudWatch Logs is asked, and what it answers to looks at a query, in turn. */
let asked: unknown[];
let looks: object[];

function answerLogs(headers: Headers, body: string): Response {
  assert.equal(headers.get('content-type'), 'application/x-amz-json-1.1');
  asked.push([headers.get('x-amz-target'), JSON.parse(body)]);
  if (asked.length === 1) return new Response('{"queryId":"q1"}');
  const look = looks.shift() ?? { status: 'Failed' };
  return new Response(JSON.stringify(look), 'status' in look ? {} : { status: 400 });
}

const before = { fetch: globalThis.fetch, env: { ...process.env } };
beforeEach(() => {
  aws.reset();
  sfn.reset();
  queue = new Map(SENT.map((sent) => [sent.id, { sent, hidden: false }]));
  events = [];
  [asked, looks] = [[], []];
  denied = undefined;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'us-east-1' });
  globalThis.fetch = async (url, init) => {
    const headers = new Headers(init?.headers);
    const { host } = new URL(String(url));
    if (host === 'logs.us-east-1.amazonaws.com') return answerLogs(headers, String(init?.body));
    assert.equal(host, 'sqs.us-east-1.amazonaws.com');
    assert.equal(headers.get('content-type'), 'application/x-amz-json-1.0');
    const operation = headers.get('x-amz-target')?.replace('AmazonSQS.', '') ?? '';
    if (operation === denied) return new Response('{"__type":"AccessDeniedException","message":"no"}', { status: 403 });
    return new Response(JSON.stringify(answer(operation, JSON.parse(String(init?.body)) as Call)));
  };
});
afterEach(() => {
  globalThis.fetch = before.fetch;
  process.env = { ...before.env };
});

const visible = (): readonly string[] => [...queue.values()].filter(({ hidden }) => !hidden).map(({ sent }) => sent.id);

describe('dead letters', () => {
  test('are listed, the oldest first, and lie there as before', async () => {
    const { code, stdout } = await strataHere(['dead-letters', 'list', 'shop', '--aws', '--json']);
    assert.equal(code, 0);
    const listed = JSON.parse(stdout) as readonly ListedLetter[];
    assert.deepEqual(
      listed.map(({ id, kind, about, reason }) => [id, kind, about, reason]),
      [
        ['upload', 'event', 'upload bronze/shop/orders/a.csv', null],
        ['schedule', 'schedule', `schedule of ${MACHINE}`, 'throttled'],
        ['ended', 'event', 'execution arn:e FAILED', null],
        ['call', 'other', 'call of arn:notify', null],
        ['text', 'other', 'hello', null],
      ],
    );
    assert.equal(listed[0]?.sent_at, '1970-01-01T00:00:01.000Z');
    assert.equal(visible().length, 5);
    const limited = await strataHere(['dead-letters', 'list', 'shop', '--aws', '--limit', '1']);
    assert.match(limited.stdout, /call of arn:notify/);
    assert.equal(visible().length, 5);
    queue.clear();
    assert.equal((await strataHere(['dead-letters', 'list', 'shop', '--aws'])).stdout, 'no dead letters of shop\n');
  });

  test('are many, and lie there as before', async () => {
    queue = new Map(
      Array.from({ length: 25 }, (_, at) => [`m${at}`, { sent: { id: `m${at}`, at, body: `b${at}` }, hidden: false }]),
    );
    const { stdout } = await strataHere(['dead-letters', 'list', 'shop', '--aws', '--limit', '24', '--json']);
    assert.deepEqual([(JSON.parse(stdout) as unknown[]).length, visible().length], [24, 25]);
  });

  test('are sent once more as what they are, and what is neither event nor schedule stays', async () => {
    const { code, stdout, stderr } = await strataHere(['dead-letters', 'redrive', 'shop', '--aws']);
    assert.equal(code, 2);
    assert.match(stdout, /^3 dead letters sent once more\nleft:\n[\s\S]*call of arn:notify[\s\S]*hello/);
    assert.match(stderr, /^what is left are no events .*strata.* dead-letters delete --aws shop --id call text\n$/);
    assert.deepEqual(
      events,
      SENT.filter(({ id }) => ['upload', 'ended'].includes(id)).map(({ body }) => JSON.stringify(body)),
    );
    const started = { stateMachineArn: MACHINE, name: 'schedule', input: '{"pipeline":"shop","run_id":"schedule"}' };
    assert.deepEqual(sfn.commandCalls(StartExecutionCommand)[0]?.args[0].input, started);
    assert.deepEqual(visible(), ['call', 'text']);
  });

  test('that are chosen are sent alone; a schedule that was started before has been dealt with', async () => {
    sfn.on(StartExecutionCommand).rejects(awsError('ExecutionAlreadyExists', 400, 'there'));
    const args = ['dead-letters', 'redrive', 'shop', '--aws', '--id', 'schedule', '--json'];
    const { code, stdout } = await strataHere(args);
    const { done, left } = JSON.parse(stdout) as { done: ListedLetter[]; left: ListedLetter[] };
    assert.deepEqual([code, done.map(({ id }) => id), left, events], [0, ['schedule'], [], []]);
    assert.equal(visible().length, 4);
  });

  test('are removed by id, or all of them', async () => {
    const one = await strataHere(['dead-letters', 'delete', 'shop', '--aws', '--id', 'text']);
    assert.equal(one.stdout, '1 dead letter removed\n');
    assert.deepEqual([...queue.keys()], ['call', 'upload', 'schedule', 'ended']);
    const all = await strataHere(['dead-letters', 'delete', 'shop', '--aws', '--all']);
    assert.deepEqual([all.stdout, queue.size, events.length], ['4 dead letters removed\n', 0, 0]);
  });

  const WRONG: readonly (readonly [string, readonly string[], string | undefined, RegExp])[] = [
    ['without --aws', ['list', 'shop'], undefined, /^no --aws: .*a run on this machine takes all that has landed/],
    ['neither ids nor all', ['delete', 'shop', '--aws'], undefined, /^dead-letters delete: expected --id .* or --all/],
    ['ids and all', ['delete', 'shop', '--aws', '--all', '--id', 'text'], undefined, /expected --id .* or --all/],
    [
      'an id that is none',
      ['delete', 'shop', '--aws', '--id', 'text', 'x'],
      undefined,
      /^no dead letter x: .*nothing was changed/,
    ],
    ['a pipeline that is not deployed', ['list', 'shpo', '--aws'], undefined, /^stack strata-shpo is not deployed/],
    ['a right that is missing', ['redrive', 'shop', '--aws'], 'SendMessage', /Grant sqs:SendMessage on/],
    [
      'a schedule that may not be started',
      ['redrive', 'shop', '--aws', '--id', 'schedule'],
      'StartExecution',
      /Grant states:StartExecution on arn:/,
    ],
  ];
  for (const [name, args, refused, message] of WRONG) {
    test(`${name} exits 1, and all lies there still`, async () => {
      denied = refused;
      sfn.on(StartExecutionCommand).rejects(awsError('AccessDeniedException', 403, 'no'));
      const { code, stderr } = await strataHere(['dead-letters', ...args]);
      assert.equal(code, 1);
      assert.match(stderr, message);
      assert.equal(visible().length, 5);
    });
  }

  test('of a pipeline that no event starts are left, but for schedules', async () => {
    const { code } = await strataHere(['dead-letters', 'redrive', 'shop', '--aws', '--stage', 'dev']);
    assert.deepEqual([code, visible()], [2, ['call', 'upload', 'text', 'ended']]);
  });
});

describe('executions usage', () => {
  const field = (name: string, value: string) => ({ field: name, value });
  const row = [
    field('function', 'strata-shop-stage'),
    field('calls', '7'),
    field('memory', '93.5'),
    field('time', '12'),
  ];

  test('shows what each function took, by the logs of all of them', async () => {
    looks = [{ status: 'Scheduled' }, { status: 'Complete', results: [row] }];
    const { code, stdout } = await strataHere(['executions', 'usage', 'shop', '--aws', '--days', '2', '--json']);
    assert.equal(code, 0);
    const usage = { function: 'strata-shop-stage', calls: 7, memory_percent: 93.5, time_percent: 12 };
    assert.deepEqual(JSON.parse(stdout), [usage]);
    const [target, query] = asked[0] as [string, { logGroupNames: string[]; startTime: number; endTime: number }];
    assert.deepEqual([target, query.endTime - query.startTime], ['Logs_20140328.StartQuery', 2 * 86_400]);
    assert.ok(query.logGroupNames.includes('/aws/lambda/strata-shop-plan-stage'), query.logGroupNames.join());
    assert.ok(query.logGroupNames.length <= 50);
    assert.deepEqual(asked[1], ['Logs_20140328.GetQueryResults', { queryId: 'q1' }]);
  });

  test('is of the stage that is named, also where nothing was called', async () => {
    looks = [{ status: 'Complete' }];
    const { stdout } = await strataHere(['executions', 'usage', 'shop', '--aws', '--stage', 'dev']);
    assert.equal(stdout, 'no calls of shop in 7 days\n');
    assert.match(JSON.stringify(asked[0]), /aws\/lambda\/strata-dev-shop-stage"/);
  });

  test('ends with 1 without --aws, and where there are no logs', async () => {
    assert.match((await strataHere(['executions', 'usage', 'shop'])).stderr, /^no --aws: .*what its steps took/);
    globalThis.fetch = async () =>
      new Response('{"__type":"ResourceNotFoundException","message":"no group"}', { status: 400 });
    const { code, stderr } = await strataHere(['executions', 'usage', 'shop', '--aws']);
    assert.deepEqual([code, /pipeline shop have no logs: expected one that is deployed/.test(stderr)], [1, true]);
  });

  test('says so when the query does not come to an end', async () => {
    looks = [{ status: 'Timeout' }];
    const { code, stderr } = await strataHere(['executions', 'usage', 'shop', '--aws']);
    assert.notEqual(code, 0);
    assert.match(stderr, /did not end the query q1: ask again, or for fewer days/);
  });
});
