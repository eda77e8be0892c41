import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, mock, test } from 'node:test';
import { DuckDBConnection } from '@duckdb/node-api';
import { EngineError } from '../../lib/core/errors.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Session } from '../../lib/ports.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

/** A statement of one thread is waited for without asking for work all the while, and is otherwise a statement like any other. */

const scratch = mkdtempSync(join(tmpdir(), 'strata-waiting-'));
after(() => rmSync(scratch, { recursive: true }));

const started = mock.method(DuckDBConnection.prototype, 'start');

async function open(threads: number): Promise<Session> {
  return createDuckDbEngine().open({ memoryBytes: 200_000_000, threads, scratch });
}

const serial = (text: string) => ({ name: 'numbering', text: userSql(text), serial: true as const });
const NUMBERED = `CREATE OR REPLACE TABLE numbered AS
  SELECT row_number() OVER () AS nth, i FROM range(300000) t(i)`;
const FAILS = `CREATE TABLE failing AS
  SELECT row_number() OVER () + CASE WHEN i = 250000 THEN error('here it ends') ELSE 0 END AS nth FROM range(300000) t(i)`;
const ENDLESS =
  'CREATE TABLE endless AS SELECT sum(nth) FROM (SELECT row_number() OVER () AS nth FROM range(1000000000000))';

describe('a statement that one thread does', () => {
  let session: Session;
  before(async () => {
    session = await open(2);
  });
  after(() => session[Symbol.asyncDispose]());

  test('makes all rows in their order, and is asked now and then', async () => {
    started.mock.resetCalls();
    await session.run(serial(NUMBERED));
    const counted = await session.rows({
      name: 'count',
      text: userSql('SELECT count(*) AS rows, sum(nth) AS total, bool_and(nth = i + 1) AS ordered FROM numbered'),
    });
    assert.deepEqual(counted, [{ rows: 300_000, total: 45_000_150_000, ordered: true }]);
    assert.equal(started.mock.callCount(), 1);
  });

  test('fails with what the engine says, and nothing before it', async () => {
    const before = await session.run({ ...serial(FAILS), name: 'other' }).catch((cause: unknown) => cause);
    assert.ok(before instanceof EngineError);
    assert.equal(before.message, 'other: Invalid Input Error: here it ends');
    const unbound = session.run(serial('CREATE TABLE t AS SELECT * FROM nowhere'));
    await assert.rejects(unbound, /^EngineError: numbering: Catalog Error: Table with name nowhere does not exist/);
    await session.run(serial(NUMBERED));
  });

  test('is stopped', async () => {
    const endless = session.run(serial(ENDLESS));
    const stop = setInterval(() => session.interrupt(), 20);
    await assert.rejects(endless, /^EngineError: numbering: INTERRUPT Error/);
    clearInterval(stop);
  });
});

test('of an engine with one thread, the one that waits does the work', async () => {
  await using session = await open(1);
  started.mock.resetCalls();
  await session.run(serial(NUMBERED));
  assert.deepEqual(await session.rows({ name: 'count', text: userSql('SELECT count(*) AS rows FROM numbered') }), [
    { rows: 300_000 },
  ]);
  assert.equal(started.mock.callCount(), 0);
});

test('other statements are left to the engine', async () => {
  await using session = await open(2);
  started.mock.resetCalls();
  await session.run({ name: 'numbering', text: userSql(NUMBERED) });
  assert.equal(started.mock.callCount(), 0);
});
