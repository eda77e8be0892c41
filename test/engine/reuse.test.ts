import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, mock, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Engine, Row, Session, SessionOptions } from '../../lib/ports.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

/** One database takes in sessions one after another, and each finds what it would find alone. */

const scratch = mkdtempSync(join(tmpdir(), 'strata-reuse-'));
after(() => rmSync(scratch, { recursive: true }));

const opened = mock.method(DuckDBInstance, 'create');
const LOCKED: SessionOptions = { memoryBytes: 2e8, threads: 1, scratch, folders: [scratch] };

let engine: Engine;
describe('a database that takes in sessions one after another', () => {
  beforeEach(() => {
    engine = createDuckDbEngine({ reuse: true });
    opened.mock.resetCalls();
  });

  const statement = (text: string) => ({ name: 'test', text: userSql(text) });
  const rows = (session: Session, text: string): Promise<readonly Row[]> => session.rows(statement(text));
  const count = (): number => opened.mock.callCount();

  async function inSession<T>(options: SessionOptions, act: (session: Session) => Promise<T>): Promise<T> {
    await using session = await engine.open(options);
    return await act(session);
  }

  const LEFT = [
    'CREATE SCHEMA silver',
    'CREATE TABLE silver.sales AS SELECT 1 AS id',
    'CREATE VIEW this AS SELECT * FROM silver.sales',
    'CREATE TEMP TABLE __parsed AS SELECT 2 AS id',
    'CREATE TEMP MACRO var(name) AS 3',
    'CREATE MACRO doubled(x) AS 2 * x',
    "SET VARIABLE given = 'x'",
    "ATTACH ':memory:' AS shop",
    'CREATE TABLE shop.main.orders AS SELECT 4 AS id',
  ];

  /** What a session cannot leave behind, wherever it is made. */
  const BESIDE = [
    'CREATE SCHEMA memory.silver',
    'CREATE TABLE memory.main.leak AS SELECT 1 AS id',
    'CREATE VIEW memory.main.leak AS SELECT 1 AS id',
    "CREATE TYPE memory.main.leak AS ENUM ('a')",
  ];

  describe('a database that is used again', () => {
    for (const text of BESIDE) {
      test(`is not, after ${text}`, async () => {
        await inSession(LOCKED, (session) => session.run(statement(text)));
        await inSession(LOCKED, (session) => session.run(statement(text)));
        assert.equal(count(), 2);
      });
    }

    test('shows the next session nothing of the one before', async () => {
      await inSession(LOCKED, async (session) => {
        for (const text of LEFT) await session.run(statement(text));
        assert.deepEqual(await rows(session, 'SELECT id FROM this'), [{ id: 1 }]);
      });
      for (let time = 1; time <= 2; time += 1) {
        await inSession(LOCKED, async (session) => {
          assert.deepEqual(await rows(session, "SELECT getvariable('given') AS given"), [{ given: null }]);
          // What is made again under the same names has to find them free.
          for (const text of LEFT) await session.run(statement(text));
          const made = await rows(
            session,
            'SELECT count(*) AS n FROM duckdb_tables() UNION ALL SELECT count(*) FROM duckdb_views() WHERE NOT internal',
          );
          assert.deepEqual(
            made.map(({ n }) => String(n)),
            ['3', '1'],
          );
        });
      }
      assert.equal(count(), 1);
    });

    test('tells the time alike, and stays locked', async () => {
      await inSession(LOCKED, async () => undefined);
      await inSession(LOCKED, async (session) => {
        assert.deepEqual(await rows(session, "SELECT current_setting('TimeZone') AS zone"), [{ zone: 'UTC' }]);
        await assert.rejects(rows(session, 'SET threads = 3'), /configuration has been locked/);
      });
      await inSession(LOCKED, async (session) => {
        await assert.rejects(rows(session, "SELECT * FROM read_text('/etc/hostname')"), /disabled by configuration/);
      });
    });

    const APART: readonly { readonly what: string; readonly act: () => Promise<void> }[] = [
      {
        what: 'other settings',
        async act() {
          await inSession(LOCKED, async () => undefined);
          await inSession({ ...LOCKED, guarded: true }, async () => undefined);
        },
      },
      {
        what: 'settings that are not locked',
        async act() {
          await inSession({ ...LOCKED, folders: undefined }, async (session) =>
            session.run(statement('SET threads = 3')),
          );
          await inSession({ ...LOCKED, folders: undefined }, async (session) => {
            assert.deepEqual(await rows(session, "SELECT current_setting('threads') AS n"), [{ n: 1 }]);
          });
        },
      },
      {
        what: 'a session in which a statement failed',
        async act() {
          await inSession(LOCKED, async (session) => assert.rejects(rows(session, "SELECT error('x')")));
          await inSession(LOCKED, async () => undefined);
        },
      },
      {
        what: 'a session that was interrupted',
        async act() {
          await inSession(LOCKED, async (session) => session.interrupt());
          await inSession(LOCKED, async () => undefined);
        },
      },
    ];
    for (const { what, act } of APART) {
      test(`is not used again by ${what}`, async () => {
        await act();
        assert.equal(count(), 2);
      });
    }

    test('is given back once, however often a session is closed', async () => {
      const session = await engine.open(LOCKED);
      for (let time = 1; time <= 2; time += 1) await session[Symbol.asyncDispose]();
      await using first = await engine.open(LOCKED);
      await using second = await engine.open(LOCKED);
      await first.run(statement('CREATE TABLE a AS SELECT 1 AS id'));
      assert.deepEqual(await rows(first, 'SELECT * FROM a'), [{ id: 1 }]);
      await second.run(statement('CREATE TABLE b AS SELECT 2 AS id'));
      assert.equal(count(), 1);
    });

    describe('by sessions at once', () => {
      const SAME = 'CREATE TABLE a AS SELECT';

      test('shows none of them what another has, and gives each names of its own', async () => {
        await using first = await engine.open(LOCKED);
        await first.run(statement(`${SAME} 1 AS id`));
        await inSession(LOCKED, async (second) => {
          await assert.rejects(rows(second, 'SELECT * FROM a'), /does not exist/);
        });
        await using third = await engine.open({ ...LOCKED, guarded: true });
        await using fourth = await engine.open({ ...LOCKED, guarded: true });
        for (const [session, id] of [
          [third, 3],
          [fourth, 4],
        ] as const)
          await session.run(statement(`${SAME} ${id} AS id`));
        assert.deepEqual(await Promise.all([first, third, fourth].map((one) => rows(one, 'SELECT id FROM a'))), [
          [{ id: 1 }],
          [{ id: 3 }],
          [{ id: 4 }],
        ]);
        assert.equal(count(), 2);
      });

      test('leaves each what it has attached until it ends, and shows it to none that comes later', async () => {
        const first = await engine.open(LOCKED);
        await first.run(statement("ATTACH ':memory:' AS shop"));
        await first.run(statement('CREATE TABLE shop.main.orders AS SELECT 4 AS id'));
        const second = await engine.open(LOCKED);
        assert.equal(count(), 1);
        await second[Symbol.asyncDispose]();
        assert.deepEqual(await rows(first, 'SELECT id FROM shop.main.orders'), [{ id: 4 }]);
        await inSession(LOCKED, async (third) => {
          await assert.rejects(rows(third, 'SELECT id FROM shop.main.orders'), /does not exist/);
        });
        await first[Symbol.asyncDispose]();
        assert.equal(count(), 2);
      });

      test('goes on for the others when one of them fails, and takes in no further one', async () => {
        const first = await engine.open(LOCKED);
        await first.run(statement(`${SAME} 1 AS id`));
        await inSession(LOCKED, async (second) => assert.rejects(rows(second, "SELECT error('x')")));
        assert.deepEqual(await rows(first, 'SELECT id FROM a'), [{ id: 1 }]);
        await inSession(LOCKED, async () => assert.equal(count(), 2));
        assert.deepEqual(await rows(first, 'SELECT id FROM a'), [{ id: 1 }]);
        await first[Symbol.asyncDispose]();
        await inSession(LOCKED, async () => assert.equal(count(), 2));
      });

      test('is one database for those that come while it is made, and ends with its last', async () => {
        const closed = mock.method(DuckDBInstance.prototype, 'closeSync');
        const both = await Promise.all([engine.open(LOCKED), engine.open(LOCKED)]);
        assert.equal(count(), 1);
        // Other settings: it takes in none of these. One of both waits when all have ended.
        const other = await engine.open({ ...LOCKED, guarded: true });
        await both[0][Symbol.asyncDispose]();
        await both[1][Symbol.asyncDispose]();
        assert.equal(closed.mock.callCount(), 0);
        await other[Symbol.asyncDispose]();
        assert.equal(closed.mock.callCount(), 1);
        await inSession({ ...LOCKED, guarded: true }, async () => assert.equal(count(), 2));
        closed.mock.restore();
      });

      test('is found again by settings, whichever others are open, and one waits at most', async () => {
        const other = { ...LOCKED, guarded: true };
        const closed = mock.method(DuckDBInstance.prototype, 'closeSync');
        const sessions = await Promise.all([LOCKED, other, LOCKED, other].map((options) => engine.open(options)));
        assert.equal(count(), 2);
        for (const session of sessions) await session[Symbol.asyncDispose]();
        assert.equal(closed.mock.callCount(), 1);
        await inSession(other, async () => assert.equal(count(), 2));
        closed.mock.restore();
      });

      test('shares the memory that it has', async () => {
        const small: SessionOptions = { ...LOCKED, memoryBytes: 64e6, spillBytes: 0 };
        const big = statement('CREATE TABLE big AS SELECT range AS a FROM range(5000000)');
        await using first = await engine.open(small);
        await using second = await engine.open(small);
        await first.run(big);
        await assert.rejects(second.run(big), /Out of Memory/);
      });
    });

    test('reads a file anew that has taken the place of another of its size and time', async () => {
      const folder = mkdtempSync(join(scratch, 'pieces-'));
      const [path, other] = [join(folder, 'piece'), join(folder, 'other')];
      const write = (to: string, first: number) =>
        inSession({ ...LOCKED, folders: undefined }, (session) =>
          session.run(
            statement(
              `COPY (SELECT range + ${first} AS a FROM range(20000)) TO '${to}' (FORMAT parquet, COMPRESSION uncompressed)`,
            ),
          ),
        );
      await write(path, 100_000);
      await write(other, 200_000);
      const time = new Date('2026-01-01T00:00:00Z');
      for (const file of [path, other]) utimesSync(file, time, time);
      assert.equal(statSync(path).size, statSync(other).size);
      const least = () =>
        inSession(LOCKED, (session) => rows(session, `SELECT min(a)::int AS a FROM read_parquet('${path}')`));
      assert.deepEqual(await least(), [{ a: 100_000 }]);
      copyFileSync(other, path);
      utimesSync(path, time, time);
      assert.deepEqual(await least(), [{ a: 200_000 }]);
      rmSync(folder, { recursive: true });
    });

    test('spills again where a session before has spilled', async () => {
      const small: SessionOptions = { ...LOCKED, memoryBytes: 64e6, folders: [scratch, '/nowhere'] };
      for (let time = 1; time <= 2; time += 1) {
        await inSession(small, async (session) => {
          await session.run(statement('CREATE TABLE big AS SELECT repeat(range::varchar, 40) AS a FROM range(400000)'));
          assert.ok(
            existsSync(scratch) && readdirSync(scratch).some((name) => readdirSync(join(scratch, name)).length > 0),
          );
          assert.deepEqual(
            await rows(session, 'SELECT count(*)::int AS n FROM (SELECT a FROM big ORDER BY a LIMIT 10)'),
            [{ n: 10 }],
          );
        });
      }
      assert.equal(count(), 1);
    });
  });
});
