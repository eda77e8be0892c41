import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import pipeline from '../../pipelines/hr/pipeline.ts';
import { type Lake, openLake, type Told } from './lake.ts';

type Given = {
  /** Events as `emp_id date status [file]`. */
  readonly events?: readonly string[];
  readonly quotas?: readonly string[];
  readonly calendar?: readonly string[];
  /** Who has no record that is open. */
  readonly left?: readonly number[];
};

const rowsOf = (columns: string, rows: readonly string[], none: string): string =>
  rows.length === 0
    ? `SELECT * FROM (VALUES ${none}) AS t(${columns}) WHERE false`
    : `SELECT * FROM (VALUES ${rows.join(', ')}) AS t(${columns})`;

/** Employees 1 to 40, of whom all but those who have left are employed on any day. */
async function withLeave(told: Told, given: Given, check: (lake: Lake) => Promise<void>): Promise<void> {
  const lake = await openLake(pipeline, told);
  await using _ = lake.session;
  const events = (given.events ?? []).map((text) => {
    const [emp, date, status, file = 'a.csv'] = text.split(' ');
    return `(${emp}, DATE '${date}', '${status}', '${file}')`;
  });
  await lake.stand(
    'leave_events',
    rowsOf('emp_id, date, status, source_file', events, "(1, DATE '2000-01-01', '', '')"),
  );
  const quotas = (given.quotas ?? []).map((text) => `(${text.split(' ').join(', ')})`);
  await lake.stand('leave_quota', rowsOf('emp_id, leave_quota, year', quotas, '(1, 1, 1)'));
  const calendar = (given.calendar ?? []).map((date) => `(DATE '${date}')`);
  await lake.stand('leave_calendar', rowsOf('date', calendar, "(DATE '2000-01-01')"));
  const left = [...(given.left ?? []), -1].join(', ');
  await lake.stand(
    'employee_timeframe',
    `SELECT e AS emp_id, 'Engineer' AS designation, 100 AS salary, DATE '2001-01-01' AS valid_from,
      CASE WHEN e IN (${left}) THEN DATE '2002-01-01' END AS valid_to FROM range(1, 41) AS t(e)`,
  );
  await lake.stand('employee_data', 'SELECT emp_id FROM silver.employee_timeframe WHERE false');
  for (const table of ['staff', 'leave', 'eight_percent', 'eighty_percent', 'eighty_percent_exceptions']) {
    await lake.build('gold', table);
  }
  await check(lake);
}

/** Ten days each year; four of 2023 and two of 2024 are on a weekend. */
const CALENDAR = [
  ...['01-01', '01-14', '01-26', '03-08', '04-07', '05-01', '08-15', '10-02', '11-12', '12-30'].map(
    (day) => `2023-${day}`,
  ),
  ...['01-01', '01-26', '03-08', '03-25', '04-11', '05-01', '08-15', '10-02', '11-09', '12-28'].map(
    (day) => `2024-${day}`,
  ),
];

/** So many working days from a day on. */
function workingDays(from: string, count: number): string[] {
  const days: string[] = [];
  for (let at = Date.parse(from); days.length < count; at += 86_400_000) {
    const day = new Date(at).toISOString().slice(0, 10);
    if (new Date(at).getUTCDay() % 6 !== 0 && !CALENDAR.includes(day)) days.push(day);
  }
  return days;
}

const leave = (emp: number, from: string, count: number): string[] =>
  workingDays(from, count).map((day) => `${emp} ${day} ACTIVE`);

describe('leave', () => {
  const MONDAY = '2024-04-01';
  const cases: readonly (readonly [events: string, status: string, applied: number, cancelled: number])[] = [
    ['A', 'ACTIVE', 1, 0],
    ['A C', 'CANCELLED', 1, 1],
    ['A C A', 'ACTIVE', 2, 1],
    ['A A C', 'ACTIVE', 2, 1],
    ['C', 'CANCELLED', 0, 1],
    // The file of 'A C A' landed again under another name.
    ['A C A A C A', 'ACTIVE', 4, 2],
    ['A C A C', 'CANCELLED', 2, 2],
  ];
  test('what was cancelled as often as it was applied for is cancelled', async () => {
    const events = cases.flatMap(([letters], at) =>
      letters.split(' ').map((letter) => `${at + 1} ${MONDAY} ${letter === 'A' ? 'ACTIVE' : 'CANCELLED'}`),
    );
    await withLeave({ runDate: '2024-04-25' }, { events }, async (lake) => {
      const found = await lake.rows('SELECT status, applied::INT a, cancelled::INT c, year, month FROM gold.leave');
      assert.deepEqual(
        found,
        cases.map(([, status, a, c]) => ({ status, a, c, year: 2024, month: 4 })),
      );
    });
  });

  test('weekends and people who have left are not in it, holidays are', async () => {
    const events = ['1 2024-04-06 ACTIVE', '1 2024-04-07 ACTIVE', '2 2024-04-01 ACTIVE', '99 2024-04-01 ACTIVE'];
    const given = { events: [...events, '1 2024-04-08 CANCELLED'], left: [2], calendar: ['2024-04-08'] };
    await withLeave({ runDate: '2024-04-25' }, given, async (lake) => {
      assert.deepEqual(await lake.rows('SELECT emp_id::INT e, date, status FROM gold.leave'), [
        { e: 1, date: '2024-04-08', status: 'CANCELLED' },
      ]);
    });
  });

  test("by the rule 'last' the latest file says", async () => {
    const events = ['1 2024-04-01 CANCELLED b.csv', '1 2024-04-01 ACTIVE a.csv', '1 2024-04-01 ACTIVE a.csv'];
    const statusBy = async (rule: string): Promise<unknown> => {
      let status: unknown;
      await withLeave({ vars: { leave_rule: rule } }, { events }, async (lake) => {
        status = await lake.rows('SELECT status, first_file, last_file FROM gold.leave');
      });
      return status;
    };
    assert.deepEqual(await statusBy('counts'), [{ status: 'ACTIVE', first_file: 'a.csv', last_file: 'b.csv' }]);
    assert.deepEqual(await statusBy('last'), [{ status: 'CANCELLED', first_file: 'a.csv', last_file: 'b.csv' }]);
  });
});

describe('the watch list', () => {
  const eight = (lake: Lake) =>
    lake.rows(
      'SELECT emp_id::INT e, upcoming_leaves::INT u, working_days::INT w, leave_percent p, as_of FROM gold.eight_percent',
    );

  test('more than 8 % of the working days that are left', async () => {
    const events = [...leave(1, '2024-04-25', 15), ...leave(2, '2024-04-25', 14), ...leave(3, '2024-04-02', 15)];
    // A weekend, a holiday, a day that is applied for twice and one that is over make nobody's leave longer.
    const more = ['2024-08-17', '2024-08-15', '2024-04-25', '2024-04-24'].map((day) => `2 ${day} ACTIVE`);
    const given = { events: [...events, ...more, '2 2024-06-03 ACTIVE', '2 2024-06-03 CANCELLED'], calendar: CALENDAR };
    await withLeave({ runDate: '2024-04-25' }, given, async (lake) => {
      assert.deepEqual(await eight(lake), [{ e: 1, u: 15, w: 176, p: '8.52', as_of: '2024-04-25' }]);
    });
  });

  const days: readonly (readonly [runDate: string, base: string, days: number])[] = [
    ['2024-04-25', 'remaining', 176],
    ['2024-11-01', 'remaining', 43],
    ['2024-11-01', 'year', 254],
    ['2023-06-01', 'year', 254],
    ['2024-01-01', 'remaining', 254],
  ];
  for (const [runDate, base, count] of days) {
    test(`${count} working days on ${runDate}, by the base ${base}`, async () => {
      const given = { events: leave(1, runDate, 21), calendar: CALENDAR };
      await withLeave({ runDate, vars: { base } }, given, async (lake) => {
        assert.deepEqual(
          (await eight(lake)).map(({ u, w }) => [u, w]),
          21 * 100 > 8 * count ? [[21, count]] : [],
        );
      });
    });
  }

  test('with no working day left it is empty', async () => {
    await withLeave(
      { runDate: '2023-12-31' },
      { events: ['1 2023-12-29 ACTIVE'], calendar: CALENDAR },
      async (lake) => {
        assert.deepEqual(await eight(lake), []);
      },
    );
  });
});

describe('the quota report', () => {
  const eighty = (lake: Lake) =>
    lake.rows(
      'SELECT emp_id::INT e, leaves_taken::INT n, leave_quota q, leave_percent p, flagged f, period, report_key k FROM gold.eighty_percent',
    );
  const exceptions = (lake: Lake) =>
    lake.rows(
      'SELECT emp_id::INT e, leaves_taken::INT n, leave_quota q, year, code FROM gold.eighty_percent_exceptions',
    );
  const taken = (counts: readonly number[]) => counts.flatMap((count, at) => leave(at + 1, '2024-01-02', count));

  test('more than 80 % of the quota by the day before', async () => {
    const quotas = ['1 20 2024', '2 20 2024', '3 30 2024', '4 30 2024', '5 0 2024', '6 0 2024', '7 5 2023'];
    const events = [
      ...taken([17, 16, 25, 24, 1, 0, 3]),
      '2 2024-05-02 ACTIVE',
      '2 2024-03-02 ACTIVE',
      '2 2024-03-08 ACTIVE',
    ];
    const given = { events: [...events, '2 2023-12-29 ACTIVE'], quotas, calendar: CALENDAR };
    await withLeave({ runDate: '2024-05-02' }, given, async (lake) => {
      assert.deepEqual(await eighty(lake), [
        { e: 1, n: 17, q: 20, p: '85.00', f: 'Yes', period: '2024-05', k: '2024-05/1' },
        { e: 3, n: 25, q: 30, p: '83.33', f: 'Yes', period: '2024-05', k: '2024-05/3' },
      ]);
      assert.deepEqual(await exceptions(lake), [
        { e: 5, n: 1, q: 0, year: 2024, code: 'NO_QUOTA' },
        { e: 7, n: 3, q: null, year: 2024, code: 'MISSING_QUOTA' },
      ]);
    });
  });

  test('on 1 January the old year is reported', async () => {
    // A quota of one day makes a share that the column does not hold, and fails nobody else's report.
    const given = {
      events: taken([17, 120]),
      quotas: ['1 20 2024', '1 100 2025', '2 1 2024', '2 200 2025'],
      calendar: CALENDAR,
    };
    await withLeave({ runDate: '2025-01-01' }, given, async (lake) => {
      assert.deepEqual(await eighty(lake), [
        { e: 1, n: 17, q: 20, p: '85.00', f: 'Yes', period: '2025-01', k: '2025-01/1' },
        { e: 2, n: 120, q: 1, p: '9999.99', f: 'Yes', period: '2025-01', k: '2025-01/2' },
      ]);
    });
    await withLeave({ runDate: '2025-02-01' }, given, async (lake) => {
      assert.deepEqual([await eighty(lake), await exceptions(lake)], [[], []]);
    });
  });
});
