import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertStrikes, type Cooldown, strikesOf } from './hr-strikes.ts';

const at = (text: string): number => Date.parse(text) / 1000;
/** So many messages, a minute apart. */
const many = (from: string, count: number): number[] => Array.from({ length: count }, (_, n) => at(from) + n * 60);

describe('strikes', () => {
  const NINE = many('2023-03-10T00:00Z', 9);
  const cases: readonly (readonly [
    name: string,
    times: readonly number[],
    runDate: string,
    strikes: number,
    since: string | null,
  ])[] = [
    ['the first of a month takes one off', NINE, '2023-04-01', 8, null],
    ['none before it does', NINE, '2023-03-31', 9, null],
    ['at the very start of a month: after the cooldown', [...NINE, at('2023-04-01T00:00Z')], '2023-04-01', 9, null],
    ['the tenth ends it', [...NINE, at('2023-03-31T23:59Z')], '2023-03-31', 10, '2023-03-31T23:59'],
    [
      'for good',
      [...NINE, at('2023-03-31T23:59Z'), ...many('2023-05-05T00:00Z', 3)],
      '2024-03-31',
      10,
      '2023-03-31T23:59',
    ],
    ['they end at none', NINE, '2024-03-31', 0, null],
    ['months without any count down to none, not below', [...NINE, at('2024-06-15T00:00Z')], '2024-06-30', 1, null],
    ['messages of later days do not count yet', [...NINE, at('2023-03-11T00:00Z')], '2023-03-10', 9, null],
    ['late ones count for the month that they are of', [at('2023-04-02T00:00Z'), ...NINE], '2023-04-02', 9, null],
  ];
  for (const [name, times, runDate, strikes, since] of cases) {
    test(name, async () => {
      await strikesOf([{ emp: 1, at: times }], { runDate }, async (lake) => {
        const [row] = await lake.rows(
          "SELECT strikes, strftime(inactive_since, '%Y-%m-%dT%H:%M') since, status FROM gold.strikes",
        );
        assert.deepEqual(row, { strikes, since, status: since === null ? 'ACTIVE' : 'INACTIVE' });
      });
    });
  }

  for (const [cooldown, count] of [
    ['one', 1_500],
    ['all', 300],
    ['30d', 300],
  ] as [Cooldown, number][]) {
    test(`are those of a walk, cooldown ${cooldown}`, () => assertStrikes(count, 7, cooldown));
  }

  test('the salary goes down from the base, in exact decimals', async () => {
    const counts = [12, 2, 3, 0, 1];
    const sent = counts.map((count, at) => ({ emp: at + 1, at: many('2023-03-10T00:00Z', count) }));
    await strikesOf(sent, { runDate: '2023-03-31' }, async (lake) => {
      await lake.stand(
        'employee_timeframe',
        `SELECT e AS emp_id, 'Engineer' AS designation, 72527 AS salary, DATE '2001-01-01' AS valid_from,
          CASE WHEN e = 3 THEN DATE '2022-01-01' END AS valid_to FROM range(1, 5) AS t(e)`,
      );
      for (const table of [
        'staff',
        'flagged_messages',
        'flag_counts',
        'strike_salary',
        'employee_status',
        'active_by_designation',
      ])
        await lake.build('gold', table);
      const levels = Array.from({ length: 10 }, (_, n) => `salary_after_strike_${n + 1}`).join(', ');
      assert.deepEqual(
        await lake.rows(`SELECT unnest([${levels}]) AS s FROM gold.strike_salary WHERE emp_id = 1`),
        [
          ...[
            '65274.30',
            '58746.87',
            '52872.18',
            '47584.96',
            '42826.47',
            '38543.82',
            '34689.44',
            '31220.50',
            '28098.45',
          ],
          '25288.60',
        ].map((s) => ({ s })),
      );
      assert.deepEqual(
        await lake.rows(
          'SELECT emp_id::INT e, salary_after_strike_1 a, salary_after_strike_3 c, strikes n, current_salary s FROM gold.strike_salary WHERE emp_id > 1',
        ),
        [
          { e: 2, a: '65274.30', c: null, n: 2, s: '58746.87' },
          { e: 3, a: '65274.30', c: '52872.18', n: 3, s: '52872.18' },
          { e: 4, a: null, c: null, n: 0, s: '72527.00' },
          // An employee without a record of what he was.
          { e: 5, a: null, c: null, n: 1, s: null },
        ],
      );
      assert.deepEqual(await lake.rows('SELECT emp_id::INT e, status FROM gold.employee_status'), [
        { e: 1, status: 'INACTIVE' },
        { e: 2, status: 'ACTIVE' },
        { e: 3, status: 'INACTIVE' },
        { e: 4, status: 'ACTIVE' },
        { e: 5, status: 'INACTIVE' },
      ]);
      assert.deepEqual(await lake.rows('FROM gold.active_by_designation'), [
        { designation: 'Engineer', no_of_active_emp: 2 },
      ]);
      // Of twelve messages the tenth was the last strike. All were received by employee 1.
      assert.deepEqual(
        await lake.rows(
          "SELECT max(strike_no)::INT tenth, count(*)::INT n FROM gold.flagged_messages WHERE sender = '1'",
        ),
        [{ tenth: 10, n: 12 }],
      );
      assert.deepEqual(await lake.rows('SELECT emp_id::INT e, sent::INT s, received::INT r FROM gold.flag_counts'), [
        { e: 1, s: 12, r: 18 },
        { e: 2, s: 2, r: 0 },
        { e: 3, s: 3, r: 0 },
        { e: 5, s: 1, r: 0 },
      ]);
    });
  });
});
