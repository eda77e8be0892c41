import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../../lib/adapters/postgres/client.ts';
import { connectPostgres } from '../../../lib/adapters/postgres/connect.ts';
import { createPostgresSink } from '../../../lib/adapters/postgres/sink.ts';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import type { SinkRun } from '../../../lib/ports.ts';
import { runOf, sinkContract, tableOf } from '../../ports/sink-contract.ts';
import { useDatabase } from './databases.ts';
import { freePort } from './postgres-server.ts';

const database = useDatabase();

sinkContract('PostgreSQL', () => database.open());

/** A connection that the server ends before its n-th statement. */
function cutting(at: number, seen: string[]): typeof connectPostgres {
  let count = 0;
  return async (place) => {
    const connection = await connectPostgres(place);
    const [row] = await connection.run({ name: 'pid', text: PID });
    const cut = async (): Promise<void> => {
      await database.query(`SELECT pg_terminate_backend(${row?.['pid']})`);
      // Whoever looks for it finds it gone, with all that it had not ended.
      for (;;) {
        const [left] = await database.query(
          `SELECT count(*)::int AS n FROM pg_stat_activity WHERE pid = ${row?.['pid']}`,
        );
        if (left?.['n'] === 0) return;
      }
    };
    const around = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      count += 1;
      const now = count === at;
      if (now) seen.push(name);
      if (now) await cut();
      return work();
    };
    const cuttable: Connection = {
      ...connection,
      run: (statement) => around(statement.name, () => connection.run(statement)),
      copyIn: (statement, path) => around(statement.name, () => connection.copyIn(statement, path)),
    };
    return cuttable;
  };
}

const PID = (await import('../../../lib/sql/user-sql.ts')).userSql('SELECT pg_backend_pid() AS pid');

const STATES = {
  before: [
    [
      ['1', 'a'],
      ['2', 'b'],
    ],
    [['1', 'x']],
  ],
  after: [
    [
      ['1', 'A'],
      ['3', null],
    ],
    [['2', 'y']],
  ],
};

/** A run that has published, and one that is to: two tables, a merge and a replacement. */
async function twoRuns(schema: string): Promise<SinkRun> {
  const unkeyed = { name: 'u', mode: 'replace', key: [], keep: 1 } as const;
  const first = [tableOf({ whole: '1,"a"\n2,"b"\n' }), tableOf({ ...unkeyed, whole: '1,"x"\n' })];
  await createPostgresSink(database.place).publish(runOf('r1', schema, ...first));
  const changes = tableOf({ changes: '1,"A"\n3,\n', gone: '2\n', snapshot_id: '2' });
  return runOf('r2', schema, changes, tableOf({ ...unkeyed, whole: '2,"y"\n', snapshot_id: '2' }));
}

const stateOf = async (schema: string): Promise<unknown> => [
  await database.rows(schema, 't'),
  await database.rows(schema, 'u'),
];

test('a connection that is cut off at any statement leaves all as it was, and the next attempt serves all', async () => {
  const seen: string[] = [];
  for (let at = 1; ; at += 1) {
    const schema = database.schema();
    const run = await twoRuns(schema);
    const before = seen.length;
    const attempt = createPostgresSink(database.place, cutting(at, seen)).publish(run);
    const failure = await attempt.then(
      () => undefined,
      (cause: unknown) => cause,
    );
    if (seen.length === before) {
      assert.equal(failure, undefined);
      break;
    }
    // At the end the sink itself tries again, since it cannot know.
    if (seen.at(-1) === 'commit') {
      assert.equal(failure, undefined);
    } else {
      assert.ok(failure instanceof Unavailable, `${seen.at(-1)}: ${String(failure)}`);
      assert.deepEqual(await stateOf(schema), STATES.before, seen.at(-1));
      await createPostgresSink(database.place).publish(run);
    }
    assert.deepEqual(await stateOf(schema), STATES.after, seen.at(-1));
  }
  assert.ok(seen.length > 20, seen.join());
  for (const name of ['begin', 'turn', 'copy', 'delete', 'merge', 'version', 'empty', 'insert', 'commit'])
    assert.ok(seen.includes(name), name);
});

test('an answer to COMMIT that is lost is found in the book, and nothing is served twice, or at the fifth time', async () => {
  const schema = database.schema();
  const run = await twoRuns(schema);
  let at = 0;
  const seen: string[] = [];
  const counting: typeof connectPostgres = async (place) => {
    const connection = await connectPostgres(place);
    return {
      ...connection,
      run: async (statement) => {
        const answer = await connection.run(statement);
        if (statement.name !== 'commit' || at > 0) return answer;
        at += 1;
        seen.push(statement.name);
        throw new Unavailable('no answer came');
      },
    };
  };
  const outcomes = await createPostgresSink(database.place, counting).publish(run);
  assert.deepEqual(seen, ['commit']);
  assert.deepEqual(
    outcomes.map(({ how, rows }) => [how, rows]),
    [
      ['before', 2],
      ['before', 1],
    ],
  );
  for (let time = 1; time < 5; time += 1) await createPostgresSink(database.place).publish(run);
  assert.deepEqual(await stateOf(schema), STATES.after);
  const book = await database.query(
    `SELECT run_id, count(*)::int AS n FROM "${schema}".strata_published GROUP BY 1 ORDER BY 1`,
  );
  assert.deepEqual(book, [
    { run_id: 'r1', n: 2 },
    { run_id: 'r2', n: 2 },
  ]);
});

/** Connections that begin once all of them have looked at what is there. */
function together(count: number): typeof connectPostgres {
  const waiting: (() => void)[] = [];
  return async (place) => {
    const connection = await connectPostgres(place);
    return {
      ...connection,
      async run(statement) {
        if (statement.name === 'begin') {
          await new Promise<void>((go) => {
            if (waiting.push(go) === count) for (const one of waiting) one();
          });
        }
        return connection.run(statement);
      },
    };
  };
}

test('pipelines that make one table at once, or give it columns, make it one after the other', async () => {
  const schema = database.schema();
  const own = { mode: 'append', key: [] } as const;
  const serve = async (lines: readonly string[], columns = tableOf({}).columns): Promise<void> => {
    const connect = together(lines.length);
    const runs = lines.map((whole, at) => ({
      ...runOf(`r${whole}`, schema, tableOf({ ...own, columns, whole })),
      pipeline: `p${at}`,
    }));
    await Promise.all(runs.map((run) => createPostgresSink(database.place, connect).publish(run)));
  };
  await serve(['1,"a"\n', '2,"b"\n', '3,"c"\n']);
  assert.deepEqual(await database.rows(schema, 't'), [
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'c'],
  ]);
  await serve(['4,"d",7\n', '5,"e",8\n'], [...tableOf({}).columns, { name: 'more', type: { kind: 'int' } }]);
  assert.equal((await database.rows(schema, 't'))?.length, 5);
});

test('eight readers see all of a run or nothing of it', async () => {
  const { sink, schema } = await database.open();
  const rowsOf = (run: number): string => Array.from({ length: 300 }, (_, at) => `${at},"${run}"\n`).join('');
  const serve = (run: number) => {
    const tables = [
      tableOf({ name: 'm', whole: rowsOf(run), snapshot_id: `${run}` }),
      tableOf({ name: 'r', mode: 'replace', key: [], whole: rowsOf(run), snapshot_id: `${run}` }),
    ];
    return sink.publish(runOf(`r${run}`, schema, ...tables));
  };
  await serve(0);
  const look = `SELECT array_agg(DISTINCT note) AS notes, count(*)::int AS n FROM (SELECT note FROM "${schema}".m UNION ALL SELECT note FROM "${schema}".r) t`;
  let going = true;
  const torn: unknown[] = [];
  const seen = new Set<string>();
  const readers = Array.from({ length: 8 }, async () => {
    await using reader = await connectPostgres(database.place);
    const text = (await import('../../../lib/sql/user-sql.ts')).userSql(look);
    while (going) {
      const [row] = await reader.run({ name: 'look', text });
      const notes = row?.['notes'] as readonly string[];
      seen.add(notes.join());
      if (notes.length !== 1 || row?.['n'] !== 600) torn.push(row);
    }
  });
  for (let run = 1; run <= 20; run += 1) await serve(run);
  going = false;
  await Promise.all(readers);
  assert.deepEqual(torn, []);
  assert.ok(seen.size > 5, [...seen].join());
});

test('keeps as many former versions as it is asked for', async () => {
  const { sink, schema, rows } = await database.open();
  const serve = (run: string, keep: number, whole?: string) => {
    const table = tableOf({
      mode: 'replace',
      key: [],
      keep,
      ...(whole === undefined ? {} : { whole }),
      snapshot_id: /^r\d$/.test(run) ? run.slice(1) : '7',
    });
    return sink.publish(runOf(run, schema, table));
  };
  const versions = async (): Promise<unknown> =>
    (
      await database.query(
        `SELECT relname FROM pg_class WHERE relnamespace = '"${schema}"'::regnamespace AND relkind = 'r' ORDER BY 1`,
      )
    ).map((row) => row['relname']);
  for (const [at, run] of ['r1', 'r2', 'r3', 'r4'].entries()) await serve(run, 2, `${at},\n`);
  assert.deepEqual(await versions(), ['strata_published', 't', 't__run_r2', 't__run_r3']);
  assert.deepEqual([await rows('t'), await rows('t__run_r3')], [[['3', null]], [['2', null]]]);
  // A run that finds nothing to copy leaves them; the version is that of the run that made it.
  await serve('r5', 2);
  assert.deepEqual(await versions(), ['strata_published', 't', 't__run_r2', 't__run_r3']);
  await serve('r6', 1, '5,\n');
  assert.deepEqual(await versions(), ['strata_published', 't', 't__run_r4']);
  const long = `run_${'x'.repeat(76)}`;
  await serve(long, 1, '6,\n');
  await serve('r8', 1, '7,\n');
  const [, , version] = (await versions()) as readonly string[];
  assert.match(String(version), /^t__run_[0-9a-f]{16}$/);
  assert.deepEqual(await rows(String(version)), [['6', null]]);
});

test('a table that is there takes columns, and keeps what is its own', async () => {
  const { sink, schema, rows } = await database.open();
  await database.query(
    `CREATE SCHEMA "${schema}"; CREATE TABLE "${schema}".t (own text DEFAULT 'mine', id numeric PRIMARY KEY); INSERT INTO "${schema}".t VALUES ('was', 1), ('goes', 9)`,
  );
  await sink.publish(runOf('r1', schema, tableOf({ whole: '1,"a"\n2,"b"\n' })));
  assert.deepEqual(await rows('t'), [
    ['2', 'mine', 'b'],
    ['1', 'was', 'a'],
  ]);
});

const CLASHES: readonly (readonly [string, string, RegExp])[] = [
  [
    'types',
    'id text PRIMARY KEY, note integer',
    /t\.id: got text; expected bigint\..*\n.*t\.note: got integer; expected text\./,
  ],
  ['a narrower type', 'id integer PRIMARY KEY', /t\.id: got integer; expected bigint\./],
  ['a key that is not unique', 'id bigint', /t: got no unique index of \(id\), which is its key/],
  ['a part that is unique', 'id bigint, note text, UNIQUE (id, note)', /t: got no unique index of \(id\)/],
  [
    'a column that nobody fills',
    'id bigint PRIMARY KEY, other text NOT NULL',
    /t\.other: got NOT NULL without a default/,
  ],
  [
    'a column that is made there',
    "id bigint PRIMARY KEY, note text GENERATED ALWAYS AS ('x') STORED",
    /t\.note: got a column that PostgreSQL fills/,
  ],
];

for (const [what, columns, message] of CLASHES) {
  test(`a clash is told before anything is begun: ${what}`, async () => {
    const { sink, schema, rows } = await database.open();
    await database.query(`CREATE SCHEMA "${schema}"; CREATE TABLE "${schema}".t (${columns})`);
    const run = runOf('r1', schema, tableOf({ name: 'other', whole: '1,\n' }), tableOf({ whole: '1,\n' }));
    await assert.rejects(sink.publish(run), (cause) => cause instanceof InvalidInput && message.test(cause.message));
    assert.equal(await rows('other'), undefined);
    assert.equal(await rows('strata_published'), undefined);
  });
}

test('a view is no table to serve to', async () => {
  const { sink, schema } = await database.open();
  await database.query(`CREATE SCHEMA "${schema}"; CREATE VIEW "${schema}".t AS SELECT 1 AS id`);
  await assert.rejects(
    sink.publish(runOf('r1', schema, tableOf({ whole: '1,\n' }))),
    /t: got a view or a foreign table/,
  );
});

test('what cannot be reached, or refuses, is told by the name of its secret and nothing of its URL', async () => {
  const { server } = database;
  const cases: readonly (readonly [string | undefined, typeof InvalidInput | typeof Unavailable, RegExp])[] = [
    [
      server.url('postgres', { password: 'sesame' }),
      InvalidInput,
      /PostgreSQL of the secret REPORTS refuses its user or password \(28P01\)/,
    ],
    [server.url('nowhere'), InvalidInput, /has no database of the name in the URL \(3D000\)/],
    [server.url('postgres', { port: await freePort() }), Unavailable, /does not answer at connect \(ECONNREFUSED\)/],
    ['postgres://u:sesame@nowhere.invalid/x', Unavailable, /does not answer at connect \((ENOTFOUND|EAI_AGAIN)\)/],
    [undefined, InvalidInput, /no secret REPORTS: expected the URL of a PostgreSQL/],
    ['mysql://u:sesame@h/x', InvalidInput, /the secret REPORTS is no URL of a PostgreSQL/],
    ['sesame', InvalidInput, /the secret REPORTS is no URL of a PostgreSQL/],
  ];
  for (const [url, kind, message] of cases) {
    const sink = createPostgresSink({ secret: 'REPORTS', read: async () => url });
    await assert.rejects(sink.publish(runOf('r1', 'x', tableOf({}))), (cause) => {
      assert.ok(cause instanceof kind && message.test(cause.message), String(cause));
      assert.doesNotMatch(JSON.stringify([String(cause), cause.stack, cause.cause]), /sesame|127\.0\.0\.1|nowhere/);
      return true;
    });
  }
});

test('a server that ends whoever waits in a transaction leaves time to write rows', async () => {
  const { schema } = await database.open();
  const url = `${database.server.url()}?options=${encodeURIComponent('-c idle_in_transaction_session_timeout=100')}`;
  const slow = tableOf({ whole: '1,\n' });
  const table = {
    ...slow,
    async rows(served: string | null) {
      await sleep(300);
      return slow.rows(served);
    },
  };
  const [outcome] = await createPostgresSink({ secret: 'HASTY', read: async () => url }).publish(
    runOf('r1', schema, table),
  );
  assert.deepEqual([outcome?.how, outcome?.rows], ['whole', 1]);
});

test('a schema that is there takes no right on the database', async () => {
  const { schema } = await database.open();
  await database.query(
    `CREATE SCHEMA "${schema}"; CREATE ROLE maker LOGIN PASSWORD 'maker'; GRANT ALL ON SCHEMA "${schema}" TO maker`,
  );
  const url = database.server.url().replace(/\/\/[^@]*@/, '//maker:maker@');
  const maker = createPostgresSink({ secret: 'MAKER', read: async () => url });
  const [outcome] = await maker.publish(runOf('r1', schema, tableOf({ whole: '1,\n' })));
  assert.deepEqual([outcome?.how, outcome?.rows], ['whole', 1]);
});

test('who waits too long for another, or may not, is told', async () => {
  const { sink, schema } = await database.open();
  await sink.publish(runOf('r1', schema, tableOf({ whole: '1,\n' })));
  await database.query(`CREATE ROLE guest LOGIN PASSWORD 'guest'; GRANT USAGE ON SCHEMA "${schema}" TO guest`);
  const guest = createPostgresSink({
    secret: 'GUEST',
    read: async () => database.server.url().replace(/\/\/[^@]*@/, '//guest:guest@'),
  });
  await assert.rejects(
    guest.publish(runOf('r2', schema, tableOf({ whole: '2,\n' }))),
    (cause) => cause instanceof InvalidInput && /refuses .*: permission denied .*\(42501\)/.test(cause.message),
  );
});
