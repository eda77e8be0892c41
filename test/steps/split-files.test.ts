import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv } from '../../lib/define/index.ts';
import { assertSameCut, pipelineOf, shop } from './split-files.ts';

test('a CSV file that is larger than a unit is cut, and leaves what it leaves when it is read whole', async () => {
  const columns = { id: 'bigint', name: 'string', amount: 'decimal(12,2)' } as const;
  const pipeline = pipelineOf(csv({ columns }), { orders: { mode: append({ dedupe: { key: 'id' } }) } });
  const { units, tables, accounting } = await assertSameCut(pipeline, [{ 'a.csv': shop(4800) }], ['orders']);
  assert.equal(units, 3);
  // Three lines are blank; every 997th record, from the one with number 13 on, stands on three lines.
  assert.deepEqual(accounting['rows'], { read: 4797, accepted: 3992, quarantined: 10, condemned: 0, duplicates: 795 });
  const lineOf = (nth: number): number => 2 + nth + 2 * Math.ceil((nth - 13) / 997);
  const broken = [600, 700, 800, 1900, 2200, 2500, 3200, 3700, 4200, 4500];
  assert.deepEqual(
    tables['quarantine']?.map(({ line }) => line),
    broken.map(lineOf),
  );
});
