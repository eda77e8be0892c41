import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { csv, definePipeline, query, unique, upsert } from '../../lib/define/index.ts';
import type { JsonValue, Row } from '../../lib/ports.ts';
import { checkTables } from '../../lib/query/check-tables.ts';
import { describeTable } from '../../lib/query/describe-table.ts';
import { diffSides } from '../../lib/query/diff/diff-tables.ts';
import { sideAt, sideOf } from '../../lib/query/diff/side.ts';
import { findTable } from '../../lib/query/find-table.ts';
import { readKeyHistory } from '../../lib/query/key-history.ts';
import { listQuarantine, showQuarantined } from '../../lib/query/quarantine.ts';
import { queryRows, withQuery } from '../../lib/query/select.ts';
import { traceRows } from '../../lib/query/trace.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const CLUB: TestPipeline = {
  name: 'club',
  definition: definePipeline({
    name: 'club',
    sources: {
      people: csv({
        key: ['id', 'email'],
        columns: {
          id: { type: 'int', required: true },
          seq: 'int',
          email: { type: 'string', personal: true, pattern: '.+@.+' },
          born: { type: 'date', personal: true },
          town: 'string',
        },
      }),
    },
    silver: {
      people: {
        from: 'people',
        mode: upsert({ key: 'id', sequence: 'seq', buckets: 1 }),
        expect: {
          one_mail: { ...unique('email'), policy: 'warn' },
          far: query('select id, upper(email) as shout, town, lower(email) as seq from this where town is null', {
            policy: 'warn',
          }),
        },
      },
    },
    gold: {
      mails: { sql: 'mails.sql' },
      towns: { sql: 'towns.sql' },
    },
  }),
  sql: {
    'mails.sql': "SELECT id, split_part(email, '@', 2) AS host, town FROM silver.people",
    'towns.sql': 'SELECT town, count(DISTINCT email) AS members FROM silver.people GROUP BY town',
  },
};

const SECRETS = /ann|bob@|1990|x\.org/i;
const FILE = `id,seq,email,born,town
1,10,ann@x.org,1990-01-02,Bonn
2,11,ann@x.org,1991-03-04,
3,12,annXx.org,1990-05-06,Ulm
4,13,bob@x.org,1990-99-99,Ulm
5,ann@x.org,14,1990-01-02,Bonn
`;

let lake: TestLake;
let result: Awaited<ReturnType<TestLake['run']>>;
before(async () => {
  lake = await openTestLake(CLUB);
  await lake.land('people', 'a.csv', FILE);
  result = await lake.run({ runId: 'first' });
  assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
});
after(() => lake.close());

const hiding = () => ({ ...lake.deps, hidesPersonal: true });
const asked = (sql: string): Promise<readonly Row[]> => queryRows(hiding(), sql);
/** No value of a person is in it. */
const tellsNothing = (shown: unknown): void => assert.doesNotMatch(JSON.stringify(shown), SECRETS);

describe('a query masks what is personal before its SQL sees it', () => {
  const CASES: readonly (readonly [sql: string, rows: readonly Row[]])[] = [
    [
      'SELECT id, email, born, town FROM club_silver.people ORDER BY id',
      [
        { id: 1, email: '***', born: null, town: 'Bonn' },
        { id: 2, email: '***', born: null, town: null },
      ],
    ],
    ['SELECT upper(substr(email, 1, 3)) AS e FROM club_silver.people WHERE id = 1', [{ e: '***' }]],
    ["SELECT count(*) AS n FROM club_silver.people WHERE email LIKE 'ann%' OR year(born) = 1990", [{ n: 0 }]],
    ['SELECT host, town FROM club_gold.mails ORDER BY id LIMIT 1', [{ host: '***', town: 'Bonn' }]],
    [
      'SELECT town, members FROM club_gold.towns ORDER BY town NULLS LAST',
      [
        { town: 'Bonn', members: 1 },
        { town: null, members: 1 },
      ],
    ],
    ['SELECT DISTINCT email FROM club_silver.people__log', [{ email: '***' }]],
    ['SELECT DISTINCT raw, business_key FROM club_ops.quarantine', [{ raw: '***', business_key: '***' }]],
    ['SELECT DISTINCT p.email FROM club_silver.people p JOIN club_gold.mails USING (id)', [{ email: '***' }]],
  ];
  for (const [sql, rows] of CASES) test(sql, async () => assert.deepEqual(await asked(sql), rows));

  test('says which columns, and shows them to who asks', async () => {
    const sql = 'SELECT email FROM club_silver.people WHERE id = 1';
    const masked = await withQuery(hiding(), { sql }, async (given) => given.masked);
    assert.deepEqual(masked, ['club_silver.people.email', 'club_silver.people.born']);
    assert.deepEqual(await queryRows(lake.deps, sql), [{ email: 'ann@x.org' }]);
    const past = await withQuery(hiding(), { sql, asOf: 'first' }, async ({ pages }) => {
      for await (const page of pages()) return page;
    });
    assert.deepEqual(past, [{ email: '***' }]);
  });

  test('no table that stands behind a view can be named', async () => {
    await assert.rejects(asked('SELECT * FROM club_silver.__whole_people'), /unknown table/);
  });
});

describe('what else looks at rows masks it too', () => {
  test('quarantine: the record, its key, and the values that were wrong', async () => {
    const { rows, total } = await listQuarantine(hiding(), 'club', {}, 10);
    assert.equal(total, 3);
    tellsNothing(rows);
    assert.deepEqual(rows.flatMap((row) => row['details']).toSorted(), [
      'born: got a personal value; expected a date or nothing',
      'email: got a personal value; expected text matching .+@.+',
      'email: got a personal value; expected text matching .+@.+',
      'seq: got a value that is withheld; expected a int or nothing',
    ]);
    const hash = String(rows[0]?.['row_hash']);
    tellsNothing(await showQuarantined(hiding(), 'club', hash));
    assert.match(JSON.stringify(await showQuarantined(lake.deps, 'club', hash)), SECRETS);
  });

  test('key', async () => {
    const history = await readKeyHistory(hiding(), 'club_silver.people', ['1']);
    assert.deepEqual(history.versions[0]?.columns, { seq: 10, email: '***', born: '***', town: 'Bonn' });
    tellsNothing(history);
  });

  test('diff', async () => {
    const table = await findTable(lake.deps.catalog, 'club_silver.people');
    for (const key of [null, ['id'], ['email']]) {
      const told = (deps: Parameters<typeof sideAt>[0]) => {
        const request = { key, tolerances: {}, ignore: [], sample: 9 };
        return diffSides(sideOf(deps, table, undefined), sideAt(deps, table, undefined), request);
      };
      const found = await told(hiding());
      tellsNothing(found);
      const added = found.rows.added + (found.duplicates?.added ?? 0);
      assert.deepEqual([found.masked, added], [['email', 'born'], 2]);
      assert.match(JSON.stringify(await told(lake.deps)), SECRETS);
    }
  });

  test('trace', async () => {
    const traced = await traceRows(hiding(), { table: 'club_silver.people', where: 'id = 1', limit: 1 });
    tellsNothing(traced);
    assert.deepEqual([traced.rows[0]?.origins[0]?.raw, traced.rows[0]?.origins[0]?.lines], ['***', [2]]);
  });

  test('trace: of an error of the condition what the engine says of values is withheld', async () => {
    const traced = (where: string, deps = hiding()): Promise<unknown> =>
      traceRows(deps, { table: 'club_silver.people', where, limit: 1 });
    const quoting = [
      ['email::int = 1', 'Conversion'],
      ['timezone(email, now()) is null', 'Not implemented'],
      ['json_deserialize_sql(json_serialize_sql(email)) is null', 'Parser'],
    ] as const;
    for (const [where, kind] of quoting) {
      await assert.rejects(traced(where), (error: Error) => {
        tellsNothing([error.message, String(error.cause)]);
        return error.message.startsWith(`trace: ${kind} Error: what the engine says of it is withheld`);
      });
    }
    await assert.rejects(traced('email::int = 1', { ...lake.deps, hidesPersonal: false }), /'ann@x.org'/);
    await assert.rejects(traced('mail = 1'), /"mail" not found/);
  });

  test('check: of samples what is no column of the table, or has the name of another, is masked as well', async () => {
    const checked = await checkTables(lake.deps, 'club', {});
    tellsNothing(checked);
    assert.deepEqual(checked.map(({ expectation, sample }) => [expectation, sample]).slice(0, 2), [
      ['one_mail', [{ email: '***', rows: 2 }]],
      ['far', [{ id: 2, shout: '***', town: null, seq: '***' }]],
    ]);
    assert.match(JSON.stringify(await checkTables(lake.deps, 'club', { showPersonal: true })), /ANN@X/);
  });

  test('describe names the columns', async () => {
    const { columns } = await describeTable(
      lake.deps,
      await findTable(lake.deps.catalog, 'club_silver.people'),
      undefined,
    );
    assert.deepEqual(
      columns.filter(({ personal }) => personal === true).map(({ name }) => name),
      ['email', 'born'],
    );
  });
});

describe('a run says nothing of it', () => {
  test('in its result: warnings count keys that repeat', () => {
    tellsNothing(result);
    assert.deepEqual(
      result.warnings.map((warning) => warning.replace(/^.*expectation /, '')),
      ['one_mail does not hold: 1 offending', 'far does not hold: 1 offending'],
    );
  });

  test('in previews', async () => {
    await lake.land('people', 'dry.csv', FILE.replace('Bonn', 'Köln').replace(',10,', ',20,'));
    const { previews } = await lake.run({ runId: 'dry', dryRun: true });
    tellsNothing(previews);
    const [row] = previews['gold.mails'] as readonly { readonly [column: string]: JsonValue }[];
    assert.equal(row?.['host'], '***');
  });

  test('in the error of the engine', async () => {
    const sql = { ...CLUB.sql, 'mails.sql': 'SELECT id, CAST(email AS INT) AS host, town FROM silver.people' };
    const broken = await openTestLake({ ...CLUB, sql });
    await broken.land('people', 'a.csv', FILE);
    const failed = await broken.run();
    await broken.close();
    assert.equal(failed.status, 'FAILED');
    tellsNothing(failed);
    assert.match(failed.error?.message ?? '', /Conversion Error: what the engine says of it is withheld/);
  });
});
