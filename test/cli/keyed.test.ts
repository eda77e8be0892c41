import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseReprocess } from '../../lib/cli/commands/reprocess.ts';
import { type CliLake, openCliLake } from './lake.ts';

const HEADER = 'id,at,job\n';
const JOBS = 'SELECT id, job FROM staff_silver.people WHERE is_current ORDER BY id';
let lake: CliLake;

before(async () => {
  lake = openCliLake(
    'staff',
    `{
      name: 'staff',
      sources: { people: csv({ columns: { id: 'int', at: 'date', job: 'string' } }) },
      silver: { people: { from: 'people', mode: scd2({ key: 'id', sequence: 'at' }) } },
      gold: { jobs: { sql: 'jobs.sql' } },
    }`,
    { 'jobs.sql': 'SELECT job, count(*) AS people FROM silver.people WHERE is_current GROUP BY job' },
  );
  await lake.land('staff', 'people', 'a.csv', `${HEADER}1,2026-01-01,cook\n2,2026-01-01,clerk\n`);
  await lake.land('staff', 'people', 'b.csv', `${HEADER}1,2026-02-01,wrong\n`);
  await lake.json(0, 'run', 'staff', '--run-id', 'r1');
});
after(() => lake.close());

describe('key', () => {
  test('shows each event beside the version that it made', async () => {
    const { code, stdout } = await lake.run('key', 'staff_silver.people', '1');
    assert.equal(code, 0);
    assert.equal(
      stdout,
      `staff_silver.people, id = 1: 2 events made 2 versions

events, by at:
┌────────────┬────────┬───────┬─────┬───────────────────────────────────────────┬───────┐
│ at         │ op     │ job   │ won │ →                                         │ file  │
├────────────┼────────┼───────┼─────┼───────────────────────────────────────────┼───────┤
│ 2026-01-01 │ upsert │ cook  │ yes │ starts version 1 [2026-01-01, 2026-02-01) │ a.csv │
│ 2026-02-01 │ upsert │ wrong │ yes │ starts version 2 [2026-02-01, ∞)          │ b.csv │
└────────────┴────────┴───────┴─────┴───────────────────────────────────────────┴───────┘

versions:
┌─────────┬────────────┬────────────┬────────────┬───────┐
│ version │ valid_from │ valid_to   │ is_current │ job   │
├─────────┼────────────┼────────────┼────────────┼───────┤
│       1 │ 2026-01-01 │ 2026-02-01 │ false      │ cook  │
│       2 │ 2026-02-01 │ NULL       │ true       │ wrong │
└─────────┴────────────┴────────────┴────────────┴───────┘
`,
    );
  });

  test('--json has key, events and versions', async () => {
    type Document = { key: unknown; events: { effect: string; version: number }[]; versions: { valid_to: unknown }[] };
    const { key, events, versions } = await lake.json<Document>(0, 'key', 'staff_silver.people', '2');
    assert.deepEqual([key, events.length, events[0]?.effect, versions[0]?.valid_to], [{ id: 2 }, 1, 'starts', null]);
  });

  const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown key, also below zero', ['staff_silver.people', '-3'], /no event of id = -3 was ever accepted/],
    ['too many parts', ['staff_silver.people', '1', '2'], /the key of staff_silver\.people is id: got 2 values/],
    ['a table that is not keyed', ['staff_gold.jobs', '1'], /staff_gold\.jobs is not keyed/],
    ['no key', ['staff_silver.people'], /missing required argument 'key'/],
  ];
  for (const [name, args, message] of WRONG) {
    test(`${name} exits 1`, async () => {
      const { code, stdout, stderr } = await lake.run('key', ...args);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
    });
  }
});

describe('trace', () => {
  test('shows rows, what brought them, and the records', async () => {
    const { code, stdout } = await lake.run('trace', 'staff_silver.people', '--where', 'id = 1 AND is_current');
    assert.equal(code, 0);
    assert.equal(
      stdout,
      `staff_silver.people: 1 row

┌───┬────┬────────────┬───────┬────────────┬──────────┬────────────┐
│ # │ id │ at         │ job   │ valid_from │ valid_to │ is_current │
├───┼────┼────────────┼───────┼────────────┼──────────┼────────────┤
│ 1 │  1 │ 2026-02-01 │ wrong │ 2026-02-01 │ NULL     │ true       │
└───┴────┴────────────┴───────┴────────────┴──────────┴────────────┘

brought by:
┌───┬────────┬───────────────────────────┬──────┬─────┐
│ # │ event  │ file                      │ line │ run │
├───┼────────┼───────────────────────────┼──────┼─────┤
│ 1 │ upsert │ bronze/staff/people/b.csv │    2 │ r1  │
└───┴────────┴───────────────────────────┴──────┴─────┘

b.csv:2  {"id":"1","at":"2026-02-01","job":"wrong"}
`,
    );
  });

  test('--json has rows and origins; what is no trace exits 1', async () => {
    type Document = { matched: number; rows: { origins: { file: string; lines: number[] }[] }[] };
    const answer = await lake.json<Document>(0, 'trace', 'staff_silver.people', '--where', 'true', '--limit', '2');
    assert.equal(answer.matched, 3);
    assert.deepEqual(answer.rows[1]?.origins[0]?.lines, [2]);
    for (const [args, message] of [
      [['staff_gold.jobs', '--where', 'true'], /staff_gold\.jobs is computed from staff_silver\.people/],
      [['staff_silver.people', '--where', 'true', '--limit', 'x'], /--limit: got "x"/],
      [['staff_silver.people'], /required option '--where <sql>' not specified/],
    ] as const) {
      const { code, stderr } = await lake.run('trace', ...args);
      assert.equal(code, 1);
      assert.match(stderr, message);
    }
  });
});

describe('rebuild and reprocess', () => {
  test('a file that was corrected is taken again', async () => {
    await lake.land('staff', 'people', 'b.csv', `${HEADER}1,2026-03-01,baker\n`);
    const ended = await lake.run('reprocess', 'staff', '--source', 'people', '--file', 'b.csv', '--run-id', 'again');
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /^run again of staff published \d tables[\s\S]*│ people +│ +1 │ +1 │/);
    assert.deepEqual(await lake.json(0, 'query', JOBS), [
      { id: 1, job: 'baker' },
      { id: 2, job: 'clerk' },
    ]);
    const { events } = await lake.json<{ events: unknown[] }>(0, 'key', 'staff_silver.people', '1');
    assert.equal(events.length, 2, 'the wrong event is withdrawn');
  });

  test('a rebuild answers as a run does, and gives the same table', async () => {
    const rows = await lake.json(0, 'query', JOBS);
    const dry = await lake.run('rebuild', 'staff_silver.people', '--dry-run');
    assert.match(dry.stdout, /^dry run .* published nothing/);
    const result = await lake.json<{ status: string; run_id: string }>(
      0,
      'rebuild',
      'STAFF_silver.people',
      '--run-id',
      'rebuilt',
    );
    assert.deepEqual([result.status, result.run_id], ['SUCCEEDED', 'rebuilt']);
    assert.deepEqual(await lake.json(0, 'query', JOBS), rows);
  });

  const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['a table that is not keyed', ['rebuild', 'staff_gold.jobs'], /is not keyed: .* such as staff_silver\.people/],
    ['a table that is not there', ['rebuild', 'staff_silver.peple'], /did you mean staff_silver\.people\?/],
    ['a source that is none', ['reprocess', 'staff', '--source', 'x', '--file', 'a.csv'], /no source "x" in staff/],
    ['no source', ['reprocess', 'staff', '--file', 'a.csv'], /required option '--source <name>' not specified/],
    ['neither files nor time', ['reprocess', 'staff', '--source', 'people'], /got neither files nor a time/],
    [
      'a file that never landed',
      ['reprocess', 'staff', '--source', 'people', '--file', 'c.csv'],
      /not in bronze\/staff\/people\/: c\.csv/,
    ],
  ];
  for (const [name, args, message] of WRONG) {
    test(`${name} exits 1 and publishes nothing`, async () => {
      const { code, stdout, stderr } = await lake.run(...args);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
    });
  }

  const [pipeline, source] = ['staff', 'people'];
  test('times are UTC, and files may be given by key', () => {
    assert.deepEqual(parseReprocess({ pipeline, source, from: '2026-01-31', to: '2026-01-31T12:00' }), {
      source,
      from: '2026-01-31T00:00:00.000Z',
      to: '2026-01-31T12:00:00.000Z',
    });
    const files = parseReprocess({ pipeline, source, file: ['bronze/staff/people/x/a.csv', 'b.csv'] });
    assert.deepEqual(files, { source, files: ['x/a.csv', 'b.csv'] });
  });
  for (const [name, wrong, message] of [
    ['both', { file: ['a'], from: '2026-01-31' }, /both --file and a time/],
    ['a time that is none', { from: 'today' }, /--from: got "today"/],
    ['an end before the start', { from: '2026-02-01', to: '2026-01-01' }, /expected a --to after --from/],
  ] as const) {
    test(`${name} is refused`, () => assert.throws(() => parseReprocess({ pipeline, source, ...wrong }), message));
  }
});
