import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { startPostgres } from './postgres-server.ts';

test('a server of this machine alone, which wants its password', async () => {
  await using server = await startPostgres();
  const client = new pg.Client({ connectionString: server.url() });
  await client.connect();
  assert.deepEqual((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await client.end();
  const stranger = new pg.Client({ connectionString: server.url('postgres', { password: 'guess' }) });
  await assert.rejects(stranger.connect(), /password authentication failed/);
});
