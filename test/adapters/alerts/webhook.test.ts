import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { alertingAlso, createWebhookAlerts } from '../../../lib/adapters/alerts/webhook.ts';
import { createAwsSecrets } from '../../../lib/adapters/aws/secrets.ts';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import { parseWebhook, renderWebhook, type Webhook } from '../../../lib/core/webhook.ts';
import { csv, definePipeline, rowCount, secret } from '../../../lib/define/index.ts';
import type { Alerts, LogFields } from '../../../lib/ports.ts';
import { openTestLake } from '../../support/test-lake.ts';

const URL_TEXT = 'https://hooks.example.org/services/T0/hidden';
const ALERT = { subject: 'a <b> & c', message: 'run r failed' };
const SLACK: Webhook = { format: 'slack', secret: 'OPS_WEBHOOK' };

type Answer = number | Error | { readonly status: number; readonly retryAfter: string };

/** A webhook that answers one thing after the other, and what became of an alert. */
async function publish(answers: readonly Answer[], { webhook = SLACK, url = URL_TEXT } = {}) {
  const posted: unknown[] = [];
  const waits: number[] = [];
  const left = [...answers];
  const fake: typeof fetch = async (to, init) => {
    posted.push([String(to), init?.redirect, JSON.parse(String(init?.body))]);
    const next = left.shift() ?? 200;
    if (next instanceof Error) throw next;
    const headers = typeof next === 'number' ? {} : { 'retry-after': next.retryAfter };
    return new Response(null, { status: typeof next === 'number' ? next : next.status, headers });
  };
  const alerts = createWebhookAlerts(webhook, {
    secret: async (name) => (name === webhook.secret ? url : undefined),
    wait: async (ms) => waits.push(ms),
    fetch: fake,
  });
  const error = await alerts.publish(ALERT).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return { posted, waits, error };
}

test('an alert is posted as Slack takes it, or as JSON', async () => {
  const text = 'a &lt;b&gt; &amp; c\nrun r failed';
  assert.deepEqual((await publish([200])).posted, [[URL_TEXT, 'manual', { text }]]);
  const json = await publish([204], { webhook: { format: 'json', secret: 'OPS_WEBHOOK' } });
  assert.deepEqual(json, { posted: [[URL_TEXT, 'manual', ALERT]], waits: [], error: undefined });
});

const REFUSED: readonly (readonly [string, Awaited<ReturnType<typeof publish>>, RegExp])[] = [
  ['404', await publish([404]), /of the secret OPS_WEBHOOK answered 404; expected an answer of 200 to 299/],
  ['a redirect', await publish([302]), /answered 302/],
  ['no secret', await publish([], { url: ' ' }), /no secret OPS_WEBHOOK: expected the URL/],
  ['no URL', await publish([], { url: 'hidden' }), /OPS_WEBHOOK is no URL of a webhook: expected .* https:/],
  ['plain http', await publish([], { url: 'http://hooks.example.org/hidden' }), /expected one that begins with https:/],
];

for (const [name, { error, posted }, message] of REFUSED) {
  test(`what is refused is tried once, and its URL is in no error: ${name}`, () => {
    assert.ok(error instanceof InvalidInput);
    assert.match(error.message, message);
    assert.doesNotMatch(`${error.stack}`, /hidden|hooks/);
    assert.ok(posted.length <= 1);
  });
}

test('what passes is tried three times, after as long as was asked for', async () => {
  const { waits, error } = await publish([503, { status: 429, retryAfter: '3' }, 200]);
  assert.deepEqual([waits, error], [[1_000, 3_000], undefined]);
  const fault = new TypeError('fetch failed', {
    cause: Object.assign(new Error('getaddrinfo hooks'), { code: 'ENOTFOUND' }),
  });
  const gone = await publish([{ status: 503, retryAfter: '3600' }, fault, fault]);
  assert.deepEqual(gone.waits, [10_000, 2_000]);
  assert.ok(gone.error instanceof Unavailable);
  assert.match(gone.error.message, /OPS_WEBHOOK did not answer \(ENOTFOUND\), 3 times/);
  assert.doesNotMatch(gone.error.message, /hooks/);
});

test('the webhook is told when the topic was or never will be, and keeps nobody from being told', async () => {
  const outcome = async (first?: Error, second?: Error) => {
    const told: string[] = [];
    const warned: (LogFields | undefined)[] = [];
    const target = (name: string, fault?: Error): Alerts => ({
      publish: async () => {
        told.push(name);
        if (fault !== undefined) throw fault;
      },
    });
    const log = { info: () => {}, warn: (_: string, fields?: LogFields) => warned.push(fields) };
    const error = await alertingAlso(target('topic', first), target('webhook', second), log)
      .publish(ALERT)
      .catch((cause: Error) => cause.message);
    return { told, warned, error };
  };
  const both = ['topic', 'webhook'];
  assert.deepEqual(await outcome(), { told: both, warned: [], error: undefined });
  const missed = [{ cause: 'no' }];
  assert.deepEqual(await outcome(undefined, new Unavailable('no')), { told: both, warned: missed, error: undefined });
  assert.deepEqual(await outcome(new InvalidInput('gone')), { told: both, warned: [], error: 'gone' });
  // All is tried again then.
  assert.deepEqual(await outcome(new Unavailable('later')), { told: ['topic'], warned: [], error: 'later' });
});

test('a webhook is one text in the environment of a function', () => {
  assert.deepEqual(parseWebhook(renderWebhook(SLACK)), SLACK);
  for (const text of ['', 'slack', 'fax:A', 'slack:a b', `slack:${URL_TEXT}`])
    assert.equal(parseWebhook(text), undefined);
});

test('a secret of AWS is asked for by its name', async () => {
  const asked: unknown[] = [];
  const secrets = createAwsSecrets(async (question) => {
    asked.push(question);
    return { text: JSON.stringify({ Name: 'OPS_WEBHOOK', SecretString: URL_TEXT }), at: new Date(0) };
  });
  assert.equal(await secrets('OPS_WEBHOOK'), URL_TEXT);
  const action = 'secretsmanager:GetSecretValue';
  const target = 'secretsmanager.GetSecretValue';
  const body = { SecretId: 'OPS_WEBHOOK' };
  assert.deepEqual(asked, [{ service: 'secretsmanager', action, kind: 'json', target, body }]);
  const binary = createAwsSecrets(async () => ({ text: '{"SecretBinary":"aGlkZGVu"}', at: new Date(0) }));
  await assert.rejects(binary('OPS_WEBHOOK'), /the secret OPS_WEBHOOK is no text/);
});

function shop(url: unknown) {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      alerts: { webhook: { url: url as ReturnType<typeof secret> } },
      sources: { orders: csv({ columns: { id: 'int' } }) },
      silver: { orders: { from: 'orders', expect: { few: rowCount({ max: 1 }) } } },
    }),
  };
}

test('a run that fails on a laptop posts its one alert, by a secret of which the plan has the name alone', async () => {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (part: string) => bodies.push(part));
    request.on('end', () => response.end());
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hidden`;
  const lake = await openTestLake(shop(secret('OPS_WEBHOOK')));
  try {
    const known = lake.reopen((deps) => ({ ...deps, secret: async (name) => ({ OPS_WEBHOOK: url })[name] }));
    await lake.land('orders', 'a.csv', 'id\n1\n2\n');
    assert.equal((await known.run({ runId: 'r' })).status, 'FAILED');
    const { subject, message } = JSON.parse(bodies.join('')) as { subject: string; message: string };
    assert.equal(subject, 'Strata: shop failed: AuditFailed (r)');
    assert.match(message, /Run r of pipeline shop failed\.[\s\S]*few/);
    for await (const { key } of lake.store.list('')) {
      assert.doesNotMatch(new TextDecoder().decode((await lake.store.read(key)).bytes), /hidden/, key);
    }
    // Without the secret the run ends as before.
    assert.equal((await lake.run({ runId: 'r2' })).status, 'FAILED');
  } finally {
    lake.close();
    server.close();
  }
});

test('a URL in the place of the name of its secret is refused, and not repeated', async () => {
  const lake = await openTestLake(shop(secret(URL_TEXT)));
  try {
    await assert.rejects(lake.run(), (error) => {
      assert.ok(error instanceof InvalidInput);
      assert.match(error.message, /alerts\.webhook\.url.*expected secret\('NAME'\)/);
      assert.doesNotMatch(error.message, /hidden/);
      return true;
    });
  } finally {
    lake.close();
  }
});
