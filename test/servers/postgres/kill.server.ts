import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { useDatabase } from './databases.ts';

const database = useDatabase();
const KILLS = 12;

/** Serves in a process of its own, which is killed after some time; answers whether it had ended before. */
async function serve(schema: string, run: number, killAfterMs?: number): Promise<boolean> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'publish-child.ts'), schema, String(run)], {
    env: { ...process.env, TEST_URL: database.server.url() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  if (killAfterMs !== undefined) {
    await Promise.race([sleep(killAfterMs), ended]);
    child.kill('SIGKILL');
  }
  const [code] = await ended;
  return code === 0;
}

test('kill -9 at any moment leaves the rows of one run, and the next attempt serves all of its own', async () => {
  const schema = database.schema();
  assert.equal(await serve(schema, 0), true);
  const look = `SELECT (SELECT array_agg(DISTINCT note) FROM "${schema}".m) AS m, (SELECT array_agg(DISTINCT note) FROM "${schema}".r) AS r, (SELECT count(*)::int FROM "${schema}".m) AS n`;
  let last = 0;
  let killed = 0;
  // Later and later, until it has ended before it is killed.
  for (let run = 1; run <= KILLS; run += 1) {
    if (!(await serve(schema, run, 15 * run))) killed += 1;
    const [book] = await database.query(
      `SELECT max(run_id::int)::int AS run, count(*)::int AS n FROM "${schema}".strata_published WHERE run_id::int = (SELECT max(run_id::int) FROM "${schema}".strata_published)`,
    );
    assert.ok(book?.['run'] === run || book?.['run'] === last, JSON.stringify(book));
    const there = String(book?.['run']);
    assert.deepEqual([book?.['n'], await database.query(look)], [2, [{ m: [there], r: [there], n: 20_000 }]]);
    // The same run again: what it had not done, or nothing.
    assert.equal(await serve(schema, run), true);
    assert.deepEqual(await database.query(look), [{ m: [String(run)], r: [String(run)], n: 20_000 }]);
    last = run;
  }
  assert.ok(killed > 3, `${killed} of ${KILLS} were killed before they had ended`);
});
