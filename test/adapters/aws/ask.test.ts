import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { createAskAws } from '../../../lib/adapters/aws/ask.ts';
import type { AwsQuestion } from '../../../lib/core/aws-question.ts';

const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
const askIn = (region: string) =>
  createAskAws(() => new CloudFormationClient({ region, credentials }).config, { wait: async () => {} });

const WHO: AwsQuestion = {
  service: 'sts',
  action: 'sts:GetCallerIdentity',
  kind: 'query',
  form: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
};
const SUMMARY: AwsQuestion = { ...WHO, service: 'iam', action: 'iam:GetAccountSummary', global: true };

/** The requests that were sent, as host and scope of the signature; `answers` in turn, the last for all that follow. */
function onFetch(...answers: readonly (() => Response)[]): readonly string[] {
  const sent: string[] = [];
  mock.method(globalThis, 'fetch', async (url: URL, init: RequestInit) => {
    const [, scope] =
      /Credential=key\/\d{8}\/(\S+)\/aws4_request/.exec(new Headers(init.headers).get('authorization') ?? '') ?? [];
    sent.push(`${url.host} ${scope}`);
    return (answers[sent.length - 1] ?? answers.at(-1) ?? assert.fail())();
  });
  return sent;
}
afterEach(() => mock.restoreAll());

const ok = (): Response => new Response('fine', { headers: { date: 'Mon, 30 Nov 2026 12:00:00 GMT' } });
const busy = (): Response => new Response('<Code>Throttling</Code><Message>Rate exceeded</Message>', { status: 400 });
const refused = (): Response => {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) });
};

test('a question goes to the service of the region, signed for it, and what is in no region to its own place', async () => {
  const sent = onFetch(ok);
  for (const region of ['eu-west-1', 'cn-north-1', 'us-gov-east-1']) {
    const ask = askIn(region);
    await ask(WHO);
    await ask(SUMMARY);
  }
  assert.deepEqual(sent, [
    'sts.eu-west-1.amazonaws.com eu-west-1/sts',
    'iam.amazonaws.com us-east-1/iam',
    'sts.cn-north-1.amazonaws.com.cn cn-north-1/sts',
    'iam.cn-north-1.amazonaws.com.cn cn-north-1/iam',
    'sts.us-gov-east-1.amazonaws.com us-gov-east-1/sts',
    'iam.us-gov.amazonaws.com us-gov-west-1/iam',
  ]);
});

test('the answer has the time of AWS; a passing fault is asked again, twice', async () => {
  const sent = onFetch(busy, refused, ok);
  assert.deepEqual(await askIn('eu-west-1')(WHO), { text: 'fine', at: new Date('2026-11-30T12:00:00Z') });
  assert.equal(sent.length, 3);
});

test('who cannot wait says how often a question is asked, and for how long an answer is waited for', async () => {
  const sent = onFetch(busy);
  const settings = { attempts: 1, timeoutMs: 1_234 };
  const timeout = mock.method(AbortSignal, 'timeout');
  const ask = createAskAws(() => new CloudFormationClient({ region: 'eu-west-1', credentials }).config, settings);
  await assert.rejects(ask(WHO));
  assert.deepEqual([sent.length, timeout.mock.calls[0]?.arguments], [1, [1_234]]);
});

test('one that does not pass ends as Unavailable, and what the caller may not ask names the right', async () => {
  const sent = onFetch(refused);
  await assert.rejects(askIn('eu-west-1')(WHO), {
    name: 'Unavailable',
    message: /^sts:GetCallerIdentity on the account is not/,
  });
  assert.equal(sent.length, 3);
  await assert.rejects(askIn('eu-west-1')({ ...WHO, resource: 'application 1' }), /on application 1 is not possible/);
  mock.restoreAll();
  const denied = onFetch(
    () => new Response('{"__type":"AccessDeniedException","Message":"no \\"way\\""}', { status: 400 }),
  );
  await assert.rejects(askIn('eu-west-1')(SUMMARY), {
    name: 'InvalidInput',
    message: /AccessDeniedException: .*Grant iam:GetAccountSummary on the account to the caller/,
  });
  assert.equal(denied.length, 1);
});

test('JSON goes to a path with the headers that the question names', async () => {
  const sent: unknown[] = [];
  mock.method(globalThis, 'fetch', async (url: URL, { method, headers, body }: RequestInit) => {
    const { 'x-amz-invocation-type': how, 'content-type': type } = Object.fromEntries(new Headers(headers));
    sent.push([method, url.pathname, how, type, body]);
    return ok();
  });
  const path = '/2015-03-31/functions/f/invocations';
  const headers = { 'x-amz-invocation-type': 'Event' };
  const question = {
    service: 'lambda',
    action: 'lambda:InvokeFunction',
    kind: 'rest',
    path,
    body: { page: 'p' },
  } as const;
  await askIn('eu-west-1')({ ...question, headers });
  await askIn('eu-west-1')(question);
  assert.deepEqual(sent, [
    ['POST', path, 'Event', 'application/json', '{"page":"p"}'],
    ['POST', path, undefined, 'application/json', '{"page":"p"}'],
  ]);
});
