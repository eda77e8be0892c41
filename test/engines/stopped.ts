import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { vacuumTables } from '../../lib/runtime/maintain.ts';
import { DAYS, keysOf, landDays, openFolder, run, writeShop } from './lakes.ts';
import type { Trino } from './trino-server.ts';

/** As many rows as nobody waits for. */
const LONG = DAYS.replace(
  'silver.orders',
  'silver.orders CROSS JOIN UNNEST(sequence(1, 10000)) AS x (a) CROSS JOIN UNNEST(sequence(1, 10000)) AS y (b)',
);

/** What a run that fails has begun on a real engine, and shown to it. */
export function testStopped(given: () => { readonly home: string; readonly trino: Trino }): void {
  test('a statement ends with the run that waits for it, and a vacuum has the names forgotten whose files went', async () => {
    const { home, trino } = given();
    const lake = await openFolder(join(home, 'lake-long'), 'shop', writeShop(join(home, 'long'), LONG, ''));
    await landDays(lake, 'a.csv', 3);
    const { status, error } = await run(lake, { runId: 'long' }, { remainingMs: () => 0 });
    assert.equal(status, 'FAILED');
    assert.match(error?.message ?? '', /gold\.days: Trino .* is still at work/);
    const queries =
      "SELECT state, error_code FROM system.runtime.queries WHERE source LIKE 'strata-%' AND query LIKE '%sequence(1, 10000)%'";
    const ended = async () => (await trino.rows(queries)).filter(([state]) => state === 'FAILED');
    for (let tries = 0; tries < 100 && (await ended()).length === 0; tries += 1) await sleep(50);
    assert.deepEqual(await trino.rows(queries), [['FAILED', 'USER_CANCELED']]);
    assert.deepEqual(await keysOf(lake, 'gold/shop/days/staged/'), []);

    const shown = await trino.rows(NAMES);
    assert.equal(shown.length, 2, 'an input, and the table that was written to');
    const { tables } = await vacuumTables(lake.deps, { target: 'shop' });
    const names = tables.flatMap((one) => (one.kind === 'names' ? [one.names] : []));
    assert.deepEqual([names, await trino.rows(NAMES)], [[2], []]);
  });
}

const NAMES =
  "SELECT table_name FROM iceberg.information_schema.tables WHERE table_schema = 'strata' AND table_name LIKE 'days%strata%'";
