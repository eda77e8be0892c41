import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_COMPUTE } from '../../../lib/core/compute.ts';
import {
  chooseRung,
  inGb,
  type RungQuestion,
  rowsPerGroup,
  type SizedTable,
  spansOf,
  workerBytes,
} from '../../../lib/plan/ladder/choose-rung.ts';
import { costOfRung, explainRung, workOfRung } from '../../../lib/plan/ladder/explain-rung.ts';

const WORKER = 1_000_000;

function tableOf(id: string, ...sizes: readonly number[]): SizedTable {
  const files = sizes.map((bytes, at) => ({ key: `${id}/${at}`, bytes, rows: 10 }));
  return { id, files, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) };
}

const big = tableOf('big', 700_000, 500_000, 300_000);
const middle = tableOf('middle', 600_000);
const small = tableOf('small', 200_000);
const key = (table: string, name: string) => ({ table, key: name, columns: [name] });
const question = (change: Partial<RungQuestion>): RungQuestion => ({
  tables: [big, small],
  worker: WORKER,
  split: { tables: ['small', 'big'], keys: 1 },
  exchanges: { stops: 'no key' },
  ...change,
});

test('one worker computes what it has room for', () => {
  const tables = [middle, tableOf('rest', 400_000)];
  assert.deepEqual(chooseRung(question({ tables })), { rung: 1, bytes: WORKER, worker: WORKER });
});

test('the largest table that may be cut is, by files, beside what every unit reads', () => {
  const rung = chooseRung(question({}));
  assert.ok(rung.rung === 2);
  assert.equal(rung.table, 'big');
  assert.deepEqual(
    rung.shares.map(({ table, files }) => [table, files.map(({ bytes }) => bytes)]),
    [
      ['big', [700_000]],
      ['big', [500_000, 300_000]],
    ],
  );
  // Six units of a quarter of a worker each are foreseen.
  assert.equal(rung.buckets, 24);
  const alone = chooseRung(question({ split: { tables: ['big'], keys: 0 } }));
  assert.ok(alone.rung === 2 && alone.buckets === 1);
});

test('rows are exchanged where every unit would read too much, by the key that leaves least to it', () => {
  const tables = [big, middle, small];
  const exchanges = [[key('big', 'a')], [key('big', 'b'), key('middle', 'b')]];
  const rung = chooseRung(question({ tables, exchanges }));
  assert.ok(rung.rung === 3);
  assert.deepEqual(rung.tables, exchanges[1]);
  assert.deepEqual(
    rung.shares.map(({ table, files }) => `${table} ${files.length}`),
    ['big 1', 'big 2', 'middle 1'],
  );
  assert.equal(rung.buckets, 36);
});

test('without a rung it is said what stops each', () => {
  const tables = [big, middle, small];
  assert.deepEqual(chooseRung(question({ tables, exchanges: [[key('big', 'a')]] })), {
    rung: null,
    bytes: 2_300_000,
    worker: WORKER,
    stops: [
      { rung: 2, because: '0.8 MB of other tables would be read with every part of big, half of a worker is 0.5 MB' },
      { rung: 3, because: '0.8 MB of other tables would be read with every bucket, half of a worker is 0.5 MB' },
    ],
  });
  const none = chooseRung(question({ split: { stops: 'LIMIT' }, exchanges: [] }));
  assert.deepEqual(none.rung === null && none.stops.map(({ because }) => because), [
    'LIMIT',
    'no key by which its rows can be kept apart',
  ]);
  const uncut = chooseRung(question({ split: { tables: [], keys: 1 } }));
  assert.deepEqual(uncut.rung === null && uncut.stops[0]?.because, 'none of its tables can be read in parts');
});

test('a table without files has a unit all the same', () => {
  const rung = chooseRung(
    question({ tables: [tableOf('empty'), tableOf('huge', 2 * WORKER)], split: { tables: ['huge'], keys: 1 } }),
  );
  assert.ok(rung.rung === 2 && rung.shares.length === 1);
  const exchanges = [[key('empty', 'a'), key('huge', 'a')]];
  const split = { stops: 'LIMIT' };
  const moved = chooseRung(question({ tables: [tableOf('empty'), tableOf('huge', 2 * WORKER)], split, exchanges }));
  assert.deepEqual(moved.rung === 3 && moved.shares.map(({ files }) => files.length), [0, 1]);
});

test('units of the merge take buckets side by side, each once', () => {
  assert.deepEqual(spansOf(8, 600_000, WORKER), [
    { from: 0, to: 2 },
    { from: 2, to: 5 },
    { from: 5, to: 8 },
  ]);
  assert.deepEqual(spansOf(1, 5_000_000, WORKER), [{ from: 0, to: 1 }]);
  assert.deepEqual(spansOf(4, 0, WORKER), [{ from: 0, to: 4 }]);
});

test('row groups have half a bucket, within what DuckDB writes', () => {
  assert.deepEqual(
    [rowsPerGroup(0, 4), rowsPerGroup(800_000, 10), rowsPerGroup(9_000_000, 1)],
    [2_048, 40_000, 122_880],
  );
});

test('a worker has what the run was planned with, or what its function has', () => {
  const compute = DEFAULT_COMPUTE;
  assert.equal(workerBytes({ spec: { compute }, unit_bytes: 7 }), 7);
  const sized = (memoryMb: number, tmpMb: number): number =>
    workerBytes({ spec: { compute: { steps: { Stage: { memoryMb, tmpMb } } } } });
  assert.equal(sized(3_008, 10_240), 2_019_426_304);
  assert.equal(sized(10_240, 512), 512 * 2 ** 20);
});

test('sizes are told as people read them', () => {
  assert.deepEqual([38e9, 9.71e9, 5e8, 83e6, 1.5e6, 28_300].map(inGb), [
    '38 GB',
    '9.7 GB',
    '0.5 GB',
    '83 MB',
    '1.5 MB',
    '28 kB',
  ]);
});

test('what every unit reads counts as often as there are units', () => {
  assert.deepEqual(workOfRung(chooseRung(question({}))), {
    units: 2,
    merge_units: 1,
    bytes: 1_900_000,
    merge_bytes: 150_000,
  });
  const rung = chooseRung(question({ split: { stops: 'LIMIT' }, exchanges: [[key('big', 'a')]] }));
  assert.deepEqual(workOfRung(rung), { units: 2, merge_units: 6, bytes: 1_500_000, merge_bytes: 2_700_000 });
});

test('units that work at once take less time, and cost the same', () => {
  const work = { units: 4, merge_units: 1, bytes: 4e9, merge_bytes: 4e8 };
  const [slow, fast] = [1, 4].map((maxConcurrency) => costOfRung(work, { ...DEFAULT_COMPUTE, maxConcurrency }));
  assert.equal(slow?.usd, fast?.usd);
  assert.ok(slow && fast && slow.seconds > 3 * (fast.seconds - 7), JSON.stringify([slow, fast]));
  assert.deepEqual(fast, { seconds: 22, usd: 0.002633 });
  const none = explainRung(chooseRung(question({ split: { stops: 'LIMIT' } })), DEFAULT_COMPUTE);
  assert.match(none.remedy ?? '', /compute\.steps\.Stage\.memory/);
});
