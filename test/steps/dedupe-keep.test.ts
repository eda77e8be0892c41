import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type AppendOptions, append, csv, definePipeline } from '../../lib/define/index.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

const QUOTAS = {
  a: 'emp,year,quota,note\n1,2024,20,b\n2,2024,25,a\n3,2024,21,x\n',
  b: 'emp,year,quota,note\n1,2024,22,z\n2,2024,25,b\n',
  c: 'emp,year,quota,note\n1,2024,22,y\n2,2024,24,c\n',
};

/** The quotas in one run, in files of these names. */
async function openQuotas(names: readonly string[], mode: AppendOptions, unitBytes = 1e6): Promise<TestLake> {
  const definition = definePipeline({
    name: 'hr',
    settings: { unitBytes },
    sources: { quota: csv({ columns: { emp: 'bigint', year: 'int', quota: 'int', note: 'string' } }) },
    silver: { quota: { from: 'quota', mode: append(mode), metadata: ['row_hash'] } },
  });
  const lake = await openTestLake({ name: 'hr', definition });
  opened.push(lake);
  for (const [nth, content] of Object.values(QUOTAS).entries()) await lake.land('quota', `${names[nth]}.csv`, content);
  return lake;
}

const rows = (lake: TestLake) => lake.rows('hr_silver.quota', 'SELECT emp, quota, note FROM t ORDER BY ALL');
const KEPT = [
  { emp: 1, quota: 22, note: 'y' },
  { emp: 2, quota: 25, note: 'a' },
  { emp: 3, quota: 21, note: 'x' },
];
const LARGEST = { dedupe: { key: ['emp', 'year'], keep: 'quota desc' } } as const;

describe('which of several rows with one key stays', () => {
  for (const [names, unitBytes] of [
    ['123', 1e6],
    ['321', 1],
  ] as const) {
    test(`is said by an order, whatever came first: files ${names}, ${unitBytes === 1 ? 'units' : 'one unit'}`, async () => {
      const lake = await openQuotas([...names], LARGEST, unitBytes);
      const { accounting } = await lake.run();
      assert.deepEqual(accounting['quota'], { read: 7, accepted: 3, quarantined: 0, condemned: 0, duplicates: 4 });
      assert.deepEqual(await rows(lake), KEPT);
      await lake.land('quota', '4.csv', 'emp,year,quota,note\n1,2024,30,late\n4,2024,20,b\n4,2024,29,c\n');
      const later = await lake.run();
      assert.deepEqual(later.accounting['quota'], {
        read: 3,
        accepted: 1,
        quarantined: 0,
        condemned: 0,
        duplicates: 2,
      });
      // A row that is in the table stays there.
      const fourth = { emp: 4, quota: 29, note: 'c' };
      assert.deepEqual(await rows(lake), [...KEPT, fourth]);
      // A backfill is one run of all files.
      await lake.run({ backfill: {} });
      assert.deepEqual(await rows(lake), [{ emp: 1, quota: 30, note: 'late' }, ...KEPT.slice(1), fourth]);
    });
  }

  test('and the others are condemned where that is asked for', async () => {
    const lake = await openQuotas([...'123'], { ...LARGEST, onDuplicate: 'condemn' });
    const { accounting } = await lake.run();
    assert.deepEqual(accounting['quota'], { read: 7, accepted: 3, quarantined: 0, condemned: 4, duplicates: 0 });
    assert.deepEqual(await rows(lake), KEPT);
  });

  test('a row of which the order cannot be computed is set aside', async () => {
    const keep = 'CAST(note AS INTEGER) DESC';
    const lake = await openQuotas([...'123'], { dedupe: { key: ['emp', 'year'], keep } });
    await lake.land('quota', '4.csv', 'emp,year,quota,note\n1,2024,1,7\n1,2024,2,8\n');
    const { accounting } = await lake.run();
    assert.deepEqual(accounting['quota'], { read: 9, accepted: 1, quarantined: 7, condemned: 0, duplicates: 1 });
    assert.deepEqual(await rows(lake), [{ emp: 1, quota: 2, note: '8' }]);
  });
});
