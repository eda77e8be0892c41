import assert from 'node:assert/strict';
import pipeline from '../../pipelines/hr/pipeline.ts';
import type { Lake, Told } from './lake.ts';
import { openLake } from './lake.ts';

/** One sender's flagged messages: seconds since 1970, in any order. */
export type History = { readonly emp: number; readonly at: readonly number[] };
export type State = { readonly strikes: number; readonly inactiveSince: number | null };

const monthOf = (seconds: number): number => {
  const day = new Date(seconds * 1000);
  return day.getUTCFullYear() * 12 + day.getUTCMonth();
};

export type Cooldown = 'one' | 'all' | '30d';

const THIRTY_DAYS = 30 * 86_400;

/** What a sender's strikes are at the end of the run date, by a walk over months and messages. */
export function walk(at: readonly number[], runDate: string, cooldown: Cooldown): State {
  const cool = (strikes: number): number => (cooldown === 'all' ? 0 : Math.max(0, strikes - 1));
  const end = Date.parse(runDate) / 1000 + 86_400;
  const times = at.filter((second) => second < end).sort((a, b) => a - b);
  if (cooldown === '30d') {
    const lasting = (until: number) => times.filter((second) => second > until - THIRTY_DAYS && second <= until);
    // Equal instants come one after the other.
    const tenth = times.find((second, nth) => lasting(second).filter((one) => times.indexOf(one) <= nth).length >= 10);
    return tenth === undefined
      ? { strikes: lasting(end - 1).length, inactiveSince: null }
      : { strikes: 10, inactiveSince: tenth };
  }
  let [strikes, month] = [0, monthOf(times[0] ?? end)];
  for (const second of times) {
    for (; month < monthOf(second); month += 1) strikes = cool(strikes);
    strikes += 1;
    if (strikes === 10) return { strikes, inactiveSince: second };
  }
  for (; month < monthOf(end - 1); month += 1) strikes = cool(strikes);
  return { strikes, inactiveSince: null };
}

/** A lake in which these are all flagged messages, with the strikes of their senders computed. */
export async function strikesOf(
  histories: readonly History[],
  told: Told,
  check: (lake: Lake) => Promise<void>,
): Promise<void> {
  const lake = await openLake(pipeline, told);
  await using _ = lake.session;
  // DuckDB reads JSON in a fraction of the time that it takes to parse as many lists of SQL.
  const json = JSON.stringify(histories);
  await lake.stand(
    'employee_data',
    `SELECT h.emp AS emp_id, h."at" AS seconds FROM (SELECT unnest(from_json('${json}', '[{"emp": "INTEGER", "at": ["BIGINT"]}]')) AS h)`,
  );
  await lake.stand(
    'employee_timeframe',
    "SELECT emp_id, '' AS designation, 1 AS salary, DATE '2001-01-01' AS valid_from, NULL::DATE AS valid_to FROM silver.employee_data WHERE false",
  );
  await lake.stand(
    'messages',
    `SELECT 't' AS topic, 0 AS partition, row_number() OVER () AS "offset", CAST(emp_id AS VARCHAR) AS sender, '1' AS receiver,
      'm' AS message, make_timestamp(second * 1000000) AS sent_at, true AS flagged
     FROM (SELECT emp_id, unnest(seconds) AS second FROM silver.employee_data)`,
  );
  for (const table of ['staff', 'strikes']) await lake.build('gold', table);
  await check(lake);
}

/** Histories of up to fourteen messages a month for up to eight months, some of them at the very start of one. */
export function randomHistories(count: number, seed: number): History[] {
  let state = seed;
  const below = (limit: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * limit);
  };
  return Array.from({ length: count }, (_, emp) => {
    const at: number[] = [];
    const most = 1 + below(14);
    for (let month = below(6), last = month + 1 + below(8); month < last; month += 1) {
      const start = Date.UTC(2023, month) / 1000;
      const length = Date.UTC(2023, month + 1) / 1000 - start;
      for (let n = below(most); n > 0; n -= 1) at.push(start + (below(6) === 0 ? 0 : below(length)));
    }
    return { emp, at: at.length > 0 ? at : [Date.UTC(2023, 0) / 1000] };
  });
}

/** Holds what SQL says of random histories against a walk of each, on a day of a month, and on the first and the last. */
export async function assertStrikes(count: number, seed: number, cooldown: Cooldown): Promise<void> {
  const histories = randomHistories(count, seed);
  for (const runDate of ['2023-08-17', '2023-09-01', '2023-12-31']) {
    await strikesOf(histories, { runDate, vars: { cooldown } }, async (lake) => {
      const rows = await lake.rows(
        'SELECT emp_id::INT emp, strikes, CAST(epoch(inactive_since) AS BIGINT)::VARCHAR since, status FROM gold.strikes',
      );
      const found = new Map(rows.map((row) => [row['emp'], [row['strikes'], row['since'], row['status']]]));
      for (const { emp, at } of histories) {
        const { strikes, inactiveSince } = walk(at, runDate, cooldown);
        const begun = at.some((second) => second * 1000 < Date.parse(runDate) + 86_400_000);
        const status = inactiveSince === null ? 'ACTIVE' : 'INACTIVE';
        const expected = begun ? [strikes, inactiveSince?.toString() ?? null, status] : undefined;
        assert.deepEqual(found.get(emp), expected, `${runDate}: ${at.join(' ')}`);
      }
    });
  }
}
