import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { append, csv, definePipeline, upsert } from '../../lib/define/index.ts';
import { readOpenRun } from '../../lib/lake/run/open-run.ts';
import type { RunAnswer } from '../../lib/remote/run-request.ts';
import { LEASE_MS, machinesOn } from '../support/machines.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

/**
 * A machine stands still at any operation of its run, is overtaken by another after its lease, and wakes: the lake ends
 * as if the runs had come one after the other. OVERTAKEN=all stops at every operation, otherwise at one in twenty.
 */
const STRIDE = process.env['OVERTAKEN'] === 'all' ? 1 : 20;
/** How many pairs of machines stand still in one lake; OVERTAKEN_SEED repeats a series. */
const PAIRS = process.env['OVERTAKEN'] === 'all' ? 200 : 8;
const SEED = Number(process.env['OVERTAKEN_SEED'] ?? Date.now() % 2 ** 31);

const HEADER = 'id,day,amount\n';

function pipeline(failing: boolean): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: {
        orders: csv({ columns: { id: 'bigint', day: 'date', amount: 'decimal(10,2)' } }),
        prices: csv({ columns: { id: 'bigint', day: 'date', amount: 'decimal(10,2)' } }),
      },
      silver: {
        orders: {
          from: 'orders',
          mode: append({ dedupe: { key: 'id' } }),
          ...(failing ? { expect: { small: 'amount < 100' } } : {}),
        },
        latest: { from: 'prices', mode: upsert({ key: 'id', sequence: 'day', buckets: 2 }) },
      },
      gold: { totals: { sql: 'totals.sql' } },
    } as Parameters<typeof definePipeline>[0]),
    sql: { 'totals.sql': 'SELECT sum(amount) AS amount, count(*) AS orders FROM silver.orders' },
  };
}

async function openWaiting(failing = false): Promise<TestLake> {
  const lake = await openTestLake(pipeline(failing), { threads: 1, remember: true });
  await lake.land('orders', 'a.csv', `${HEADER}1,2026-01-05,1.00\n2,2026-02-06,2.00\n`);
  await lake.land('prices', 'a.csv', `${HEADER}1,2026-01-05,1.00\n2,2026-02-06,2.00\n`);
  await lake.run({ runId: 'before' });
  await lake.land('prices', 'b.csv', `${HEADER}2,2026-02-07,2.50\n3,2026-02-07,3.00\n`);
  await lake.land('orders', 'b.csv', `${HEADER}2,2026-02-06,2.00\n3,2026-02-07,3.00\n4,2026-02-31,4.00\n`);
  await lake.land('orders', 'c.csv', failing ? `${HEADER}9,2026-01-01,1000.00\n` : '');
  return lake;
}

/** By which run a file came in depends on who was first; how often it came in does not. */
const BOOKS = {
  'shop_silver.orders': 'SELECT id, day, amount FROM t ORDER BY ALL',
  'shop_silver.latest': 'SELECT id, day, amount FROM t ORDER BY ALL',
  'shop_gold.totals': 'SELECT * FROM t ORDER BY ALL',
  'shop_ops.files': 'SELECT source, key, etag, status, records, code FROM t ORDER BY ALL',
  'shop_ops.accounting':
    'SELECT source, sum(read) AS r, sum(accepted) AS a, sum(quarantined) AS q, sum(duplicates) AS d FROM t GROUP BY ALL ORDER BY ALL',
  'shop_ops.quarantine': 'SELECT source_file, line, codes FROM t ORDER BY ALL',
} as const;

async function books(lake: TestLake): Promise<unknown> {
  const all: Record<string, unknown> = {};
  for (const [table, select] of Object.entries(BOOKS)) all[table] = await lake.rows(table, select);
  return all;
}

/** What every machine may answer: it ended a run, there was nothing (more) to do, or another has the lock. */
function checkAnswer({ kind, ...rest }: RunAnswer, where: string): void {
  const status = kind === 'ended' && 'result' in rest ? rest.result.status : 'SUCCEEDED';
  assert.equal(status, 'SUCCEEDED', `${where}: ${JSON.stringify(rest)}`);
}

async function serial(): Promise<{ readonly expected: unknown; readonly operations: number }> {
  const lake = await openWaiting();
  const machine = machinesOn(lake).start('one');
  await machine.lake.run({ runId: 'one' });
  const expected = await books(lake);
  lake.close();
  return { expected, operations: machine.operations() };
}

describe('a machine that stands still', { concurrency: 2 }, () => {
  for (const when of ['before', 'after'] as const) {
    test(`${when} any of its operations, and wakes after another has overtaken it, changes nothing`, async () => {
      const { expected, operations } = await serial();
      assert.ok(operations > 100, `${operations} operations`);
      for (let n = 1 + (when === 'after' ? STRIDE >> 1 : 0); n <= operations; n += STRIDE) {
        const where = `${when} operation ${n} of ${operations}`;
        const lake = await openWaiting();
        const machines = machinesOn(lake);
        const one = machines.start('one', n, when);
        const first = one.lake.answer({ runId: 'one' });
        await Promise.race([one.reached, first]);
        machines.advance(LEASE_MS + 1_000);
        checkAnswer(await machines.start('two').lake.answer({ runId: 'two' }), where);
        one.release();
        checkAnswer(await first, where);
        machines.advance(LEASE_MS + 1_000);
        const third = await machines.start('three').lake.answer({ runId: 'three' });
        assert.equal(third.kind, 'nothing', `${where}: ${JSON.stringify(third)}`);
        assert.deepEqual(await books(lake), expected, where);
        assert.equal((await readOpenRun(lake.store, { pipeline: 'shop' })).run, undefined, where);
        lake.close();
      }
    });
  }

  test(`with another that stands still too: ${PAIRS} pairs (seed ${SEED})`, async () => {
    const { expected, operations } = await serial();
    const random = mulberry32(SEED);
    const pick = (): number => 1 + Math.floor(random() * operations);
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const [n, m] = [pick(), pick()];
      const secondWakesFirst = random() < 0.5;
      const where = `seed ${SEED}, pair ${pair}: at ${n} and ${m}, ${secondWakesFirst ? 'second' : 'first'} wakes first`;
      const lake = await openWaiting();
      const machines = machinesOn(lake);
      const one = machines.start('one', n, random() < 0.5 ? 'before' : 'after');
      const first = one.lake.answer({ runId: 'one' });
      await Promise.race([one.reached, first]);
      machines.advance(LEASE_MS + 1_000);
      const two = machines.start('two', m, random() < 0.5 ? 'before' : 'after');
      const second = two.lake.answer({ runId: 'two' });
      await Promise.race([two.reached, second]);
      machines.advance(LEASE_MS + 1_000);
      checkAnswer(await machines.start('three').lake.answer({ runId: 'three' }), where);
      for (const machine of secondWakesFirst ? [two, one] : [one, two]) {
        machine.release();
        checkAnswer(await (machine === one ? first : second), where);
      }
      machines.advance(LEASE_MS + 1_000);
      assert.equal((await machines.start('four').lake.answer({ runId: 'four' })).kind, 'nothing', where);
      assert.deepEqual(await books(lake), expected, where);
      lake.close();
    }
  });

  test('while its failed run is undone, leaves the undoing to the other', async () => {
    const calm = await openWaiting(true);
    const counted = machinesOn(calm).start('one');
    assert.equal((await counted.lake.run({ runId: 'one' })).status, 'FAILED');
    const expected = await calm.rows('shop_silver.orders', BOOKS['shop_silver.orders']);
    calm.close();
    const last = counted.operations();
    for (let n = last - 100; n <= last; n += Math.ceil(STRIDE / 2)) {
      const lake = await openWaiting(true);
      const machines = machinesOn(lake);
      const one = machines.start('one', n);
      const first = one.lake.answer({ runId: 'one' });
      await Promise.race([one.reached, first]);
      machines.advance(LEASE_MS + 1_000);
      const second = await machines.start('two').lake.answer({ runId: 'two' });
      assert.equal(second.kind === 'ended' && second.result.status, 'FAILED', `at ${n} of ${last}`);
      one.release();
      const given = await first;
      assert.ok(given.kind === 'locked' || (given.kind === 'ended' && given.result.status === 'FAILED'), `at ${n}`);
      await lake.store.remove('bronze/shop/orders/c.csv');
      machines.advance(LEASE_MS + 1_000);
      checkAnswer(await machines.start('three').lake.answer({ runId: 'three' }), `at ${n} of ${last}`);
      const rows = await lake.rows('shop_silver.orders', BOOKS['shop_silver.orders']);
      assert.deepEqual(rows.length, expected.length + 1, `at ${n} of ${last}`);
      lake.close();
    }
  });
});

/** A small seeded generator, so that a failing series can be repeated. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
