import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { generateHr, parseHrOptions } from '../../lib/generate/hr.ts';
import pipeline from '../../pipelines/hr/pipeline.ts';
import { openPipelineLake, partOf, runBatches } from './runs.ts';

/** The history alone, of which each run makes all anew. */
const history = partOf(pipeline, ['silver.employee_timeframe', 'gold.employee_timeframe']);

type Landed = { readonly source: string; readonly file: string; readonly content: string };

const HEADER = 'emp_id,designation,start_date,end_date,salary';
const DAY = 86_400;

function file(name: string, rows: readonly string[]): Landed {
  return { source: 'employee_timeframe', file: name, content: `${[HEADER, ...rows].join('\n')}\n` };
}

/** All rows as one text, for tables too large to compare row by row. */
const DIGEST = "SELECT md5(string_agg(CAST(t AS VARCHAR), '|' ORDER BY emp_id, valid_from)) AS digest FROM t";

/** The history and its figures, from files landed in these batches. */
async function historyOf(batches: readonly (readonly Landed[])[], select = 'SELECT * FROM t ORDER BY ALL') {
  const lake = await openPipelineLake(history);
  try {
    await runBatches(lake, batches);
    return {
      rows: await lake.rows('hr_silver.employee_timeframe', select),
      active: await lake.rows(
        'hr_gold.employee_timeframe',
        "SELECT designation, count(*)::INT AS n FROM t WHERE status = 'ACTIVE' GROUP BY 1 ORDER BY 1",
      ),
      figures: await lake.rows(
        'hr_gold.employee_timeframe',
        "SELECT count(*) AS records, count(DISTINCT emp_id) AS people, count(*) FILTER (status = 'ACTIVE') AS active FROM t",
      ),
      closed: await lake.rows(
        'hr_silver.employee_timeframe',
        'SELECT count(*) AS n FROM t WHERE end_date IS NULL AND valid_to IS NOT NULL',
      ),
    };
  } finally {
    lake.close();
  }
}

/** Rows dealt out by a fixed sequence, so that a shuffle is the same in every run. */
function shuffled(rows: readonly string[], files: number): readonly Landed[] {
  let state = 12_345;
  const next = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state;
  };
  const order = rows.map((row) => ({ row, at: next() })).sort((a, b) => a.at - b.at);
  return Array.from({ length: files }, (_, i) =>
    file(
      `part-${i}.csv`,
      order.filter((_, at) => at % files === i).map(({ row }) => row),
    ),
  );
}

const BASE = Array.from({ length: 60 }, (_, n) => [
  `${n},Engineer,${n * DAY},${(n + 10) * DAY},${1000 + n}`,
  `${n},Engineer,${(n + 10) * DAY},,${1000 + n}`,
]).flat();
const NEXT = Array.from(
  { length: 40 },
  (_, n) => `${n},${n % 4 === 0 ? '' : 'Manager'},${(n + 20) * DAY},,${2000 + n}`,
);

test('a successor closes the open record, whatever arrives first', async () => {
  const usual = await historyOf([[file('base.csv', BASE)], [file('next.csv', NEXT)]]);
  assert.deepEqual(usual.figures, [{ records: 160, people: 60, active: 60 }]);
  assert.deepEqual(usual.closed, [{ n: 40 }]);
  assert.deepEqual(usual.active, [
    { designation: 'Engineer', n: 20 },
    { designation: 'Manager', n: 30 },
    { designation: null, n: 10 },
  ]);
  assert.deepEqual(await historyOf([[file('next.csv', NEXT)], [file('base.csv', BASE)]]), usual);
  assert.deepEqual(await historyOf([shuffled([...BASE, ...NEXT], 7)]), usual);
});

test('of records with one start the highest salary counts', async () => {
  const rows = ['1,Low,0,,10', '1,High,0,,20', `1,High,${DAY},,20`, '1,Low,0,,10'];
  const { rows: history } = await historyOf([[file('a.csv', rows)]]);
  assert.deepEqual(
    history.map((row) => [row['designation'], row['valid_from'], row['valid_to']]),
    [
      ['High', '1970-01-01', '1970-01-02'],
      ['High', '1970-01-02', null],
    ],
  );
});

test('only people who are not there yet are added', async () => {
  const lake = await openPipelineLake(partOf(pipeline, ['silver.employees']));
  const people = (name: string, rows: string): Landed => ({
    source: 'employees',
    file: name,
    content: `emp_no,birth_date,first_name,last_name,gender,hire_date\n${rows}\n`,
  });
  try {
    await runBatches(lake, [
      [people('a.csv', '1,1953-09-02,Georgi,Facello,M,1986-06-26')],
      [people('b.csv', '1,1953-09-02,Other,Name,M,1986-06-26\n2,1964-06-02,Bezalel,Simmel,F,1985-11-21')],
    ]);
    assert.deepEqual(await lake.rows('hr_silver.employees', 'SELECT emp_no, first_name FROM t ORDER BY 1'), [
      { emp_no: 1, first_name: 'Georgi' },
      { emp_no: 2, first_name: 'Bezalel' },
    ]);
  } finally {
    lake.close();
  }
});

test('the whole sample, by its branches, on a day of all of them', async () => {
  const out = await mkdtemp(join(tmpdir(), 'strata-hr-'));
  const opened = await openPipelineLake(pipeline);
  const lake = opened.reopen((deps) => ({ ...deps, clock: { now: () => new Date('2024-11-01T08:30Z') } }));
  try {
    const session = await createDuckDbEngine().open({ memoryBytes: 1e9, threads: 2, scratch: out });
    await using _ = session;
    const options = parseHrOptions({ out, employees: 100, years: '2024', messages: 600 });
    const files = await generateHr(options, session);
    for (const { table, path } of files) await lake.land(table, basename(path), readFileSync(path));
    const taken: string[] = [];
    for (const branch of ['strikes', 'yearly', 'daily', 'monthly']) {
      const { status, branch: period, accounting } = await lake.run({ branch });
      taken.push([status, period?.period, ...Object.keys(accounting).sort()].join(' '));
    }
    assert.deepEqual(taken, [
      'SUCCEEDED 2024-11-01 employee_data employee_leave_data employee_timeframe marked_words messages vocabulary',
      'SUCCEEDED 2024 employee_leave_calendar employee_leave_quota',
      'SUCCEEDED 2024-11-01',
      'SUCCEEDED 2024-11',
    ]);
    for (const request of [{ branch: 'daily' }, { branch: 'monthly' }])
      assert.equal((await lake.answer(request)).kind, 'nothing');
    const books = await lake.rows(
      'hr_ops.branches',
      'SELECT branch, period, status, attempts::INT n FROM t ORDER BY 1',
    );
    assert.deepEqual(
      books.map((row) => Object.values(row).join(' ')),
      [
        'daily 2024-11-01 SUCCEEDED 1',
        'monthly 2024-11 SUCCEEDED 1',
        'strikes 2024-11-01 SUCCEEDED 1',
        'yearly 2024 SUCCEEDED 1',
      ],
    );
    const condemned = await lake.rows('hr_ops.quarantine', "SELECT codes FROM t WHERE status = 'condemned'");
    assert.deepEqual(condemned, Array(3).fill({ codes: ['DUPLICATE_FAILURE'] }));
    // Two of them take four or five days a month; one has left.
    const reported = await lake.rows('hr_gold.eighty_percent', 'SELECT period, leaves_taken::INT > 16 AS many FROM t');
    assert.deepEqual(reported, [{ period: '2024-11', many: true }]);
    const [written] = await lake.rows('hr_ops.exports', 'SELECT object, state FROM t');
    assert.match(String(written?.['object']), /reports\/leave_80\/2024-11\/\d+_report\.txt$/);
    assert.equal(written?.['state'], 'WRITTEN');
    const { bytes } = await lake.deps.store.read(String(written?.['object']));
    assert.match(
      new TextDecoder().decode(bytes),
      /^employee id: \d+\nleave taken: \d\d\nleave quota: \d\d\nusage: \d+\.\d\d%\nreport date: 2024-11-01\n$/,
    );
    const [struck] = await lake.rows(
      'hr_gold.strikes',
      'SELECT count(*)::INT > 0 AS some, max(strikes) <= 10 AS few FROM t',
    );
    assert.deepEqual(struck, { some: true, few: true });
    const [staff] = await lake.rows('hr_gold.strike_salary', 'SELECT count(*)::INT n, min(as_of) AS day FROM t');
    assert.deepEqual(staff, { n: 100, day: '2024-11-01' });
  } finally {
    opened.close();
    await rm(out, { recursive: true });
  }
});

const REAL = fileURLToPath(new URL('../../../shared/data/hr', import.meta.url));
const real = existsSync(REAL) ? {} : { skip: 'the real employee files are not on this machine' };

test('the real files give the published figures in any order', real, async () => {
  const read = (name: string): readonly string[] =>
    readFileSync(join(REAL, name), 'utf8').trim().split(/\r?\n/).slice(1);
  const base = read('employee_timeframe_data.csv');
  const next = read('employee_timeframe_data_1.csv');
  const usual = await historyOf([[file('base.csv', base)], [file('next.csv', next)]], DIGEST);
  assert.deepEqual(usual.figures, [{ records: 47_599, people: 4_999, active: 4_106 }]);
  assert.deepEqual(usual.closed, [{ n: 4_113 }]);
  assert.deepEqual(await historyOf([[file('next.csv', next)], [file('base.csv', base)]], DIGEST), usual);
  assert.deepEqual(await historyOf([shuffled([...base, ...next], 40)], DIGEST), usual);
});
