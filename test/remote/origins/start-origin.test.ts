import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deploymentNames } from '../../../lib/core/deployment-names.ts';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import { startOrigin } from '../../../lib/remote/origins/start-origin.ts';

const NAMES = deploymentNames('dev', '--stage');
const RATES = { pipeline: 'web_shop', source: 'rates' };

test('the function of a source is asked once, and not waited for', async () => {
  const asked: unknown[] = [];
  const started = await startOrigin(
    async (question) => {
      asked.push(question);
      return { text: '', at: new Date(0) };
    },
    NAMES,
    RATES,
  );
  assert.deepEqual(started, { source: 'rates', function: 'strata-dev-web-shop_origin_rates' });
  assert.deepEqual(asked, [
    {
      ...{ service: 'lambda', action: 'lambda:InvokeFunction', kind: 'rest' },
      path: '/2015-03-31/functions/strata-dev-web-shop_origin_rates/invocations',
      headers: { 'x-amz-invocation-type': 'Event' },
      body: { pipeline: 'web_shop' },
    },
  ]);
});

test('only where there is none is said what makes one', async () => {
  const named = (name: string): Error => Object.assign(new Error(name), { name });
  const failing = (cause: Error) => startOrigin(() => Promise.reject(cause), NAMES, RATES);
  const none = new InvalidInput('x failed', [], { cause: named('ResourceNotFoundException') });
  await assert.rejects(
    failing(none),
    /no function strata-dev-web-shop_origin_rates, .* origins: \{ rates: \{ schedule \} \}/,
  );
  for (const cause of [
    new InvalidInput('x failed', [], { cause: named('AccessDeniedException') }),
    new Unavailable('busy', { cause: named('ResourceNotFoundException') }),
  ]) {
    await assert.rejects(failing(cause), (one) => one === cause);
  }
});

test('long names are cut as functions take them, and differ', () => {
  const names = ['a', 'b'].map((end) => NAMES.origin('web_shop', `${'s'.repeat(60)}${end}`));
  assert.deepEqual(
    names.map(({ length }) => length),
    [64, 64],
  );
  assert.notEqual(names[0], names[1]);
});
