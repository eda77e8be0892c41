import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { wakeExecution } from '../../../lib/adapters/executions/wake.ts';

const answering = (name?: string) => {
  const sent: unknown[] = [];
  const client = {
    send: async (command: SendTaskSuccessCommand) => {
      sent.push(command.input);
      if (name !== undefined) throw Object.assign(new Error('no'), { name, $metadata: {} });
      return {};
    },
  } as unknown as SFNClient;
  return { client, sent };
};

test('who waits with a token is woken; that nobody does is no error, that one may not is', async () => {
  const { client, sent } = answering();
  assert.equal(await wakeExecution(client, 't'), true);
  assert.deepEqual(sent, [{ taskToken: 't', output: '{}' }]);
  for (const name of ['TaskDoesNotExist', 'TaskTimedOut', 'InvalidToken'])
    assert.equal(await wakeExecution(answering(name).client, 't'), false, name);
  await assert.rejects(wakeExecution(answering('AccessDeniedException').client, 't'), /states:SendTaskSuccess/);
});
