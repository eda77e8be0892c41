import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { renderProblem } from '../../lib/core/errors.ts';
import type { ModelSpec, PipelineSpec } from '../../lib/core/spec.ts';
import { append, full, month, scd2, unique, upsert } from '../../lib/define/index.ts';
import type { Session } from '../../lib/ports.ts';
import { compileShop, type Given, openSession, problemsOf } from './shop.ts';
import { STAFF, staffWith } from './staff.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

function modelOf(spec: PipelineSpec, id: string): ModelSpec {
  const model = spec.models.find((one) => one.id === id);
  assert.ok(model, id);
  return model;
}

test('keyed modes with what was left out', async () => {
  const spec = await compileShop(session, staffWith([], STAFF));
  const jobs = modelOf(spec, 'silver.jobs');
  const desks = modelOf(spec, 'silver.desks');
  assert.ok(jobs.layer === 'silver' && desks.layer === 'silver');
  assert.deepEqual(jobs.mode, {
    kind: 'scd2',
    key: ['emp_id'],
    sequence: 'start',
    track: ['title', 'salary', 'op', 'tags', 'active', 'raw'],
    deleteWhen: "op = 'D'",
    tieBreak: 'salary desc, title nulls last',
    missing: 'keep',
    validTo: 'end_date',
    coalesce: true,
    buckets: null,
  });
  assert.ok(desks.mode.kind === 'upsert');
  assert.deepEqual(desks.mode.track, []);
  assert.deepEqual(
    desks.columns.map((column) => column.name),
    ['emp_id', 'office', 'seen_at'],
  );
});

test('keys, metadata, breaker and retention', async () => {
  const spec = await compileShop(session, staffWith([], STAFF));
  const badges = modelOf(spec, 'silver.badges');
  assert.ok(badges.layer === 'silver');
  assert.deepEqual(badges.metadata, ['row_hash', 'source_file', 'attempt', 'ingested_at', 'run_id']);
  assert.deepEqual(
    badges.columns.map((column) => column.name),
    ['emp_id', 'badge'],
  );
  assert.deepEqual(
    spec.sources.map((source) => source.key),
    [['emp_id', 'start'], [], []],
  );
  assert.deepEqual(spec.breaker, { rows: 10, windowMs: 1_800_000 });
  assert.equal(spec.settings.condemnedRetentionDays, 90);
});

test('a breaker and a retention of defaults', async () => {
  const spec = await compileShop(session, staffWith([], { ...STAFF, breaker: {}, retention: {} }));
  assert.deepEqual(spec.breaker, { rows: 100, windowMs: 3_600_000 });
  assert.equal(spec.settings.condemnedRetentionDays, 2557);
});

test('how often all of bronze is compared', async () => {
  const spec = await compileShop(session, staffWith([], { ...STAFF, discover: { reconcile: '6h' } }));
  assert.deepEqual(spec.discover, { reconcileMs: 21_600_000 });
  for (const discover of [undefined, {}]) {
    const usual = await compileShop(session, staffWith([], { ...STAFF, ...(discover && { discover }) }));
    assert.equal(usual.discover, undefined);
  }
});

const READ: readonly (readonly [sql: string, columns: readonly string[]])[] = [
  ['select valid_from, valid_to, is_current from silver.jobs', ['date', 'date', 'boolean']],
  ['select * from silver.desks', ['bigint', 'string', 'timestamp']],
  ['select * exclude (emp_id) from silver.badges', ['string', 'string', 'string', 'int', 'timestamptz', 'string']],
  ['select _op, _event_hash, _source_file, start from silver.jobs__log', ['string', 'string', 'string', 'date']],
  ['select * from silver.DESKS__LOG', ['bigint', 'string', 'timestamp', 'string', 'string', 'string']],
];

for (const [sql, types] of READ) {
  test(`gold reads ${sql}`, async () => {
    const spec = await compileShop(session, staffWith([], STAFF, { 'gold/staff.sql': sql }));
    assert.deepEqual(
      modelOf(spec, 'gold.staff').columns.map((column) => column.type.kind),
      types,
    );
  });
}

test('a log is a read of its table', async () => {
  const sql = 'select emp_id from silver.jobs__log union all select emp_id from silver.desks';
  const spec = await compileShop(session, staffWith([], STAFF, { 'gold/staff.sql': sql }));
  const staff = modelOf(spec, 'gold.staff');
  assert.ok(staff.layer === 'gold');
  const jobs = { layer: 'silver', name: 'jobs' } as const;
  assert.deepEqual(staff.reads, [jobs, { layer: 'silver', name: 'desks' }]);
  assert.deepEqual(staff.readsLogs, [jobs]);
});

test('silver joins the version of a row that was valid then, and counts on no key', async () => {
  const sql = `select b.*, j.title from batch.badges b
    left join silver.jobs j on j.emp_id = b.emp_id and date '2020-01-01' >= j.valid_from and date '2020-01-01' < coalesce(j.valid_to, date '9999-01-01')`;
  const given = staffWith(['silver', 'badges', 'sql'], 'silver/badges.sql', { 'silver/badges.sql': sql });
  const badges = modelOf(await compileShop(session, given), 'silver.badges');
  assert.ok(badges.layer === 'silver');
  assert.deepEqual(badges.joins, [{ table: { layer: 'silver', name: 'jobs' }, keys: [] }]);
});

test('expectations see the rows a model makes, or the whole table', async () => {
  const expect = { paid: 'salary > 0', one: unique('emp_id', 'valid_from') };
  const given = staffWith(['silver', 'jobs', 'expect'], expect);
  assert.equal(modelOf(await compileShop(session, given), 'silver.jobs').expect.length, 2);
});

const JOBS = ['silver', 'jobs', 'mode'];
const keyed = { key: 'emp_id', sequence: 'start' } as const;
const at = 'pipelines/shop/pipeline.ts: silver.jobs.mode';

/** Problems as a person reads them: file, place, got, expected. */
const MISTAKES: readonly { readonly name: string; readonly given: Given; readonly problems: readonly string[] }[] = [
  {
    name: 'columns that are not there',
    given: staffWith(
      JOBS,
      scd2({ key: 'id', sequence: 'started', track: ['salery'], validTo: 'ended', deleteWhen: 'x', tieBreak: 'y' }),
    ),
    problems: [
      `${at}.key[0]: got the column "id"; expected one of emp_id, title, start, end_date, salary, op, tags, active, raw; did you mean "op"?`,
      `${at}.sequence: got the column "started"; expected one of emp_id, title, start, end_date, salary, op, tags, active, raw; did you mean "start"?`,
      `${at}.validTo: got the column "ended"; expected one of emp_id, title, start, end_date, salary, op, tags, active, raw`,
      `${at}.track[0]: got the column "salery"; expected one of emp_id, title, start, end_date, salary, op, tags, active, raw; did you mean "salary"?`,
      `${at}.deleteWhen: got "x": Referenced column "x" not found in FROM clause; expected a column that is there: "active"`,
      `${at}.tieBreak: got "y": Referenced column "y" not found in FROM clause; expected a column that is there: "active"`,
    ],
  },
  {
    name: 'types that are none for a key, a sequence and an end',
    given: staffWith(JOBS, scd2({ key: 'active', sequence: 'tags', validTo: 'salary' })),
    problems: [
      `${at}.key[0]: got "active" of type boolean; expected a column of type int, bigint, decimal, date, timestamp, timestamptz, string, binary`,
      `${at}.sequence: got "tags" of type list<string>; expected a column with an order: no list, binary or boolean`,
      `${at}.validTo: got "salary" of type int; expected a column of type list<string>, as the sequence is`,
    ],
  },
  {
    name: 'a composite key of lists, and columns twice',
    given: staffWith(
      JOBS,
      scd2({ key: ['tags', 'active', 'active'], sequence: 'raw', track: ['title', 'title', 'raw'] }),
    ),
    problems: [
      `${at}.key[0]: got "tags" of type list<string>; expected a column of type int, bigint, decimal, date, timestamp, timestamptz, string, binary, boolean`,
      `${at}.key[2]: got "active" again; expected each column once`,
      `${at}.sequence: got "raw" of type binary; expected a column with an order: no list, binary or boolean`,
      `${at}.track[1]: got "title" again; expected each column once`,
      `${at}.track[2]: got "raw"; expected a column that is neither key, sequence nor validTo`,
    ],
  },
  {
    name: 'a sequence in the key and an end that is the sequence',
    given: staffWith(JOBS, scd2({ key: ['emp_id', 'start'], sequence: 'start', validTo: 'start' })),
    problems: [
      `${at}.sequence: got "start", which is in the key; expected a column outside the key, or upsert with a tieBreak, which says what counts of the rows with one key`,
      `${at}.validTo: got "start"; expected a column that is neither key nor sequence`,
    ],
  },
  {
    name: 'ranges of keys without an order',
    given: staffWith(JOBS, scd2({ key: ['active', 'emp_id'], sequence: 'start', clusterBy: 'range' })),
    problems: [
      `${at}.key[0]: got "active" of type boolean with clusterBy 'range'; expected a column of type int, bigint, decimal, date, timestamp, timestamptz, string`,
    ],
  },
  {
    name: 'ranges beside what is for buckets',
    given: staffWith(
      JOBS,
      scd2({ key: 'emp_id', sequence: 'start', clusterBy: 'range', buckets: 4, writeMode: 'merge-on-read' }),
    ),
    problems: [
      `${at}.buckets: got 4 with clusterBy 'range'; expected no buckets, or clusterBy 'hash'`,
      `${at}.writeMode: got 'merge-on-read' with clusterBy 'range'; expected 'copy-on-write', or clusterBy 'hash'`,
    ],
  },
  {
    name: 'values of another kind',
    given: staffWith(JOBS, {
      kind: 'scd2',
      key: [],
      sequence: 5,
      track: [],
      missing: 'drop',
      buckets: 5000,
      clusterBy: 'ranges',
      coalesce: 'no',
      tiebreak: 'salary',
      deleteWhen: true,
    }),
    problems: [
      `${at}.tiebreak: got an unknown property; expected one of kind, key, sequence, track, deleteWhen, tieBreak, missing, buckets, clusterBy, writeMode, validTo, coalesce; did you mean "tieBreak"?`,
      `${at}.key: got []; expected a column name, or a list of at least one`,
      `${at}.sequence: got 5; expected the name of the column that orders the events of a key`,
      `${at}.track: got []; expected a list of at least one column name; leave it out for all columns`,
      `${at}.deleteWhen: got true; expected SQL as text, such as "op = 'D'"`,
      `${at}.missing: got "drop"; expected 'keep' or 'delete'`,
      `${at}.buckets: got 5000; expected a whole number from 1 to 4096`,
      `${at}.clusterBy: got "ranges"; expected 'hash' or 'range'`,
      `${at}.coalesce: got "no"; expected true or false`,
    ],
  },
  {
    name: 'an end in upsert',
    given: staffWith(['silver', 'desks', 'mode'], {
      ...upsert({ key: 'emp_id', sequence: 'seen_at' }),
      validTo: 'seen_at',
      coalesce: false,
    }),
    problems: [
      'pipelines/shop/pipeline.ts: silver.desks.mode.validTo: got "seen_at" in upsert; expected scd2({ ... }), which keeps versions',
      'pipelines/shop/pipeline.ts: silver.desks.mode.coalesce: got false in upsert; expected scd2({ ... }), which keeps versions',
    ],
  },
  {
    name: 'a deleteWhen that is no condition',
    given: staffWith(JOBS, scd2({ ...keyed, deleteWhen: 'salary' })),
    problems: [`${at}.deleteWhen: got "salary" of type INTEGER; expected a condition, which is true or false`],
  },
  {
    name: 'a deleteWhen of the clock',
    given: staffWith(JOBS, scd2({ ...keyed, deleteWhen: 'end_date < current_date' })),
    problems: [
      `${at}.deleteWhen: got current_date in "end_date < current_date"; expected a condition that a retry decides in the same way, so without the clock or chance; in its place run_date() or run_time(), which the plan of a run fixes`,
    ],
  },
  ...(
    [
      ['1', '"1"'],
      ['all', '"all"'],
      ['salary limit 1', '"salary limit 1"'],
      ['salary; select 1', '"salary; select 1"'],
      ['salary rows', '"salary rows": syntax error at or near "rows"'],
      ['salary desc -- most', '"salary desc -- most": syntax error at end of input'],
      ['sum(salary)', 'the aggregate sum in "sum(salary)"'],
      ['(select 1)', '"(select 1)" with a subquery'],
    ] as const
  ).map(([tieBreak, got]) => ({
    name: `the tie break ${tieBreak}`,
    given: staffWith(JOBS, scd2({ ...keyed, tieBreak })),
    problems: [
      `${at}.tieBreak: got ${got}; expected ORDER BY terms over the columns of one row, such as 'salary desc, title'`,
    ],
  })),
  {
    name: 'a tie break by chance',
    given: staffWith(JOBS, scd2({ ...keyed, tieBreak: 'salary, random()' })),
    problems: [
      `${at}.tieBreak: got random() in "salary, random()"; expected an order that a retry decides in the same way, so without the clock or chance`,
    ],
  },
  {
    name: 'partitions of a keyed table',
    given: staffWith(['silver', 'jobs', 'partitionBy'], [month('start')]),
    problems: [
      'pipelines/shop/pipeline.ts: silver.jobs.partitionBy: got partitions of a table with mode scd2; expected none: it is partitioned by buckets of its key',
    ],
  },
  {
    name: 'columns that a history adds',
    given: staffWith(['silver', 'jobs', 'sql'], 'silver/jobs.sql', {
      'silver/jobs.sql': 'select emp_id, start, end_date, salary, title, op as Valid_To, raw as _op from batch.jobs',
    }),
    problems: [
      'pipelines/shop/silver/jobs.sql: column "Valid_To": got the name of a column that mode scd2 adds; expected a name other than valid_from, valid_to, is_current, _op, _event_hash, _source_file, _key_hash (name it with AS)',
      'pipelines/shop/silver/jobs.sql: column "_op": got the name of a column that mode scd2 adds; expected a name other than valid_from, valid_to, is_current, _op, _event_hash, _source_file, _key_hash (name it with AS)',
    ],
  },
  {
    name: 'columns that metadata adds',
    given: staffWith(['sources', 'badges', 'columns', 'attempt'], 'int'),
    problems: [
      `pipelines/shop/pipeline.ts: column "attempt": got the name of a column that metadata adds; expected a name other than row_hash, source_file, attempt, ingested_at, run_id (name it with as: '...')`,
    ],
  },
  {
    name: 'metadata of another mode, and what is none',
    given: staffWith(['silver', 'badges'], { from: 'badges', mode: full(), metadata: ['run_id'] }),
    problems: [
      'pipelines/shop/pipeline.ts: silver.badges.metadata: got metadata columns in mode full; expected append({ ... })',
    ],
  },
  {
    name: 'metadata that is none',
    given: staffWith(['silver', 'badges', 'metadata'], ['run']),
    problems: [
      'pipelines/shop/pipeline.ts: silver.badges.metadata[0]: got "run"; expected a list of row_hash, source_file, attempt, ingested_at, run_id, each at most once',
    ],
  },
  {
    name: 'rows condemned without a key',
    given: staffWith(['silver', 'badges', 'mode'], { ...append({ dedupe: 'row' }), onDuplicate: 'condemn' }),
    problems: [
      `pipelines/shop/pipeline.ts: silver.badges.mode.onDuplicate: got 'condemn' with dedupe 'row'; expected dedupe: { key: ['c'] }, which says when two rows are the same`,
    ],
  },
  {
    name: 'keys of sources',
    given: staffWith(['sources', 'jobs', 'key'], ['start_date', 'emp', 'tags', 'start', 'start']),
    problems: [
      'pipelines/shop/pipeline.ts: sources.jobs.key[0]: got the column "start_date"; expected its name in SQL, "start"',
      'pipelines/shop/pipeline.ts: sources.jobs.key[1]: got the column "emp"; expected one of emp_id, title, start, end_date, salary, op, tags, active, raw; did you mean "op"?',
      'pipelines/shop/pipeline.ts: sources.jobs.key[2]: got "tags" of type list<string>; expected a column that is neither list nor struct',
      'pipelines/shop/pipeline.ts: sources.jobs.key[4]: got "start" again; expected each column once',
    ],
  },
  {
    name: 'a breaker and a retention of no length',
    given: staffWith([], {
      ...STAFF,
      breaker: { rows: 0, window: '1w' },
      retention: { condemned: '0d', quarantined: '1d' },
    }),
    problems: [
      `pipelines/shop/pipeline.ts: retention.quarantined: got an unknown property; expected one of condemned, facts`,
      `pipelines/shop/pipeline.ts: retention.condemned: got "0d"; expected days or years, such as '90d' or '7y'`,
      'pipelines/shop/pipeline.ts: breaker.rows: got 0; expected a whole number of rows, 1 or more',
      `pipelines/shop/pipeline.ts: breaker.window: got "1w"; expected a span such as '30m', '1h' or '1d'`,
    ],
  },
  {
    name: 'a comparison that is less often than once a day, or none',
    given: staffWith([], { ...STAFF, discover: { reconcile: '25h', every: '1h' } }),
    problems: [
      'pipelines/shop/pipeline.ts: discover.every: got an unknown property; expected reconcile',
      `pipelines/shop/pipeline.ts: discover.reconcile: got "25h"; expected a span from '1m' to '24h'`,
    ],
  },
  {
    name: 'a comparison all the time',
    given: staffWith([], { ...STAFF, discover: { reconcile: '59s' } }),
    problems: [`pipelines/shop/pipeline.ts: discover.reconcile: got "59s"; expected a span from '1m' to '24h'`],
  },
  {
    name: 'a log of a table that has none',
    given: staffWith([], STAFF, { 'gold/staff.sql': 'select * from silver.badges__log' }),
    problems: [
      'pipelines/shop/gold/staff.sql: line 1, column 15: got the table silver.badges__log; expected one of silver.jobs, silver.desks, silver.badges, gold.staff, silver.jobs__log, silver.desks__log; did you mean "silver.badges"?',
    ],
  },
  {
    name: 'a log in silver',
    given: staffWith(['silver', 'badges', 'sql'], 'silver/badges.sql', {
      'silver/badges.sql': 'select b.* from batch.badges b left join silver.jobs__log j using (emp_id)',
    }),
    problems: [
      'pipelines/shop/silver/badges.sql: line 1, column 42: got the table silver.jobs__log; expected silver.jobs, its history: logs are read in gold only',
    ],
  },
  {
    name: 'a table named as a log',
    given: staffWith(['silver', 'jobs__log'], { from: 'badges', mode: STAFF.silver?.['badges']?.mode }),
    problems: [
      'pipelines/shop/pipeline.ts: silver.jobs__log: got "jobs__log"; expected a name of at most 100 lower case letters, digits and single _, starting with a letter, such as "jobs_log"',
    ],
  },
  {
    name: 'a row expectation over what the merge adds',
    given: staffWith(['silver', 'jobs', 'expect'], { open: 'is_current' }),
    problems: [
      'pipelines/shop/pipeline.ts: silver.jobs.expect.open: got "is_current": Referenced column "is_current" not found in FROM clause; expected a column that is there: "start", "title", "salary"',
    ],
  },
];

for (const { name, given, problems } of MISTAKES) {
  test(`reports ${name}`, async () => {
    const found = await problemsOf(session, given);
    assert.deepEqual(
      found.map((problem) => renderProblem(problem).trim()),
      problems,
    );
  });
}

test('the history and the latest rows of one source', async () => {
  const given = staffWith(['silver', 'latest'], { from: 'jobs', mode: upsert(keyed) });
  assert.deepEqual(await problemsOf(session, given), []);
});
