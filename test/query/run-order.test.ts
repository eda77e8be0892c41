import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { listRuns } from '../../lib/query/list-runs.ts';
import { straighten } from '../../lib/query/run-order.ts';
import { queryRows, withQuery } from '../../lib/query/select.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const TIMES: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ['none', [], []],
  ['one', [5], [5]],
  ['in order', [1, 2, 2, 3], [1, 2, 2, 3]],
  ['one that was ahead', [1, 99, 3, 4], [1, 3, 3, 4]],
  ['several that were ahead', [1, 98, 99, 3, 4, 5], [1, 3, 3, 3, 4, 5]],
  ['one that was behind', [1, 2, 0, 3], [1, 2, 3, 3]],
  ['the latest is ahead, which nothing contradicts', [1, 2, 99], [1, 2, 99]],
  ['two that contradict each other: the later is believed', [99, 3], [3, 3]],
  ['one whose time is not known', [1, Number.POSITIVE_INFINITY, 3], [1, 3, 3]],
];

for (const [name, times, expected] of TIMES) {
  test(`times of runs, ${name}`, () => {
    assert.deepEqual(straighten(times), expected);
  });
}

/** Runs with the clock at given times; `both` writes both tables, `one` only the first. */
const RUNS: readonly (readonly [string, string, 'both' | 'one'])[] = [
  ['r1', '2026-06-01T10:00:00Z', 'both'],
  ['r2', '2027-06-01T10:00:00Z', 'one'],
  ['r3', '2026-06-03T10:00:00Z', 'both'],
  ['r4', '2026-06-04T10:00:00Z', 'one'],
  ['r5', '2026-06-05T10:00:00Z', 'both'],
];

async function openWrongClock(): Promise<TestLake> {
  const columns = { id: { type: 'bigint', required: true } } as const;
  const lake = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { first: csv({ columns }), second: csv({ columns }) },
      silver: { first: { from: 'first', mode: append() }, second: { from: 'second', mode: append() } },
    }),
  });
  for (const [at, [runId, time, tables]] of RUNS.entries()) {
    let now = Date.parse(time);
    const tick = (): Date => {
      now += 1;
      return new Date(now);
    };
    const clocked = lake.reopen((deps) => ({ ...deps, clock: { now: tick } }));
    for (const source of tables === 'both' ? ['first', 'second'] : ['first']) {
      await clocked.land(source, `${runId}.csv`, `id\n${at + 1}\n`);
    }
    assert.equal((await clocked.run({ runId })).status, 'SUCCEEDED');
  }
  return lake;
}

/** How many rows both tables had. */
async function rowsAsOf(lake: TestLake, asOf: string): Promise<string> {
  const sql = 'SELECT (SELECT count(*) FROM shop_silver.first) AS a, (SELECT count(*) FROM shop_silver.second) AS b';
  return withQuery(lake.deps, { sql, asOf }, async (result) => {
    for await (const [row] of result.pages()) return `${row?.['a']} ${row?.['b']}`;
    return '';
  });
}

test('a clock that once ran ahead mixes up neither runs nor times', async () => {
  const lake = await openWrongClock();
  try {
    const expected: readonly (readonly [string, string])[] = [
      ['r1', '1 1'],
      ['r2', '2 1'],
      ['r3', '3 2'],
      ['r4', '4 2'],
      ['r5', '5 3'],
      ['2026-06-02', '1 1'],
      // r2 came before r3, whatever it said of its time.
      ['2026-06-03T12:00', '3 2'],
      ['2026-06-04T12:00', '4 2'],
      ['2026-06-05T12:00', '5 3'],
      ['2028-01-01', '5 3'],
    ];
    for (const [asOf, rows] of expected) assert.equal(await rowsAsOf(lake, asOf), rows, asOf);
    await assert.rejects(rowsAsOf(lake, '2026-06-01'), { name: 'InvalidInput', message: /had no snapshot as of/ });
    assert.deepEqual(
      (await listRuns(lake.deps)).map((run) => run['run_id']),
      ['r5', 'r4', 'r3', 'r2', 'r1'],
    );
    assert.equal((await queryRows(lake.deps, 'SELECT * FROM shop_silver.first')).length, 5);
  } finally {
    lake.close();
  }
});
