import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  GetTableCommand,
  GlueClient,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';
import { startMoto } from './moto-server.ts';

const MODULE = join(import.meta.dirname, 'moto-server.ts');

it('gives every caller a server of its own that answers at once and is gone after stop', async () => {
  const servers = await Promise.all([startMoto(), startMoto()]);
  assert.notEqual(servers[0]?.endpoint, servers[1]?.endpoint);
  for (const { endpoint } of servers) assert.equal((await fetch(`${endpoint}/moto-api/`)).status, 200);
  for (const { stop } of servers) await stop();
  for (const { endpoint } of servers) await assert.rejects(fetch(endpoint), TypeError);
});

it('ends with the program that started it, also when that is killed', async () => {
  const program = `const { startMoto } = await import(${JSON.stringify(MODULE)}); console.log((await startMoto()).endpoint)`;
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let endpoint = '';
  for await (const line of createInterface({ input: parent.stdout })) {
    endpoint = line;
    break;
  }
  assert.equal((await fetch(`${endpoint}/moto-api/`)).status, 200);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await gone(endpoint);
});

it('updates a Glue table at its version only, as the service does', async () => {
  const { endpoint, stop } = await startMoto();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new GlueClient({ endpoint, region: 'eu-central-1', credentials });
  const DatabaseName = 'd';
  await client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: DatabaseName } }));
  await client.send(new CreateTableCommand({ DatabaseName, TableInput: { Name: 't' } }));
  const versionNow = async () => (await client.send(new GetTableCommand({ DatabaseName, Name: 't' }))).Table?.VersionId;
  const update = (VersionId: string | undefined, Description: string) =>
    client.send(new UpdateTableCommand({ DatabaseName, TableInput: { Name: 't', Description }, VersionId }));
  const first = await versionNow();
  await update(first, 'at the version');
  const second = await versionNow();
  assert.notEqual(second, first);
  await assert.rejects(update(first, 'too late'), { name: 'ConcurrentModificationException' });
  assert.equal(await versionNow(), second);
  const racing = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => update(second, String(n))));
  assert.equal(racing.filter(({ status }) => status === 'fulfilled').length, 1);
  await update(undefined, 'at any version');
  await stop();
});

/** Asks until nobody answers; the runner's own limit ends it otherwise. */
async function gone(endpoint: string): Promise<void> {
  for (;;) {
    const answered = await fetch(`${endpoint}/moto-api/`).then(
      () => true,
      () => false,
    );
    if (!answered) return;
  }
}
