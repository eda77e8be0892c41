import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FACT_TABLES } from '../../lib/core/ops.ts';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { factsFolder } from '../../lib/lake/facts/facts-folder.ts';
import { vacuumTables } from '../../lib/runtime/maintain.ts';
import { dying, successor } from '../support/dying.ts';
import { counting, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';
import { contents, expire, keys, openShop, readAll } from './maintained-shop.ts';

const DAY = 24 * 3_600_000;

let made: TestLake;
before(async () => {
  made = await openShop();
});
after(() => made.close());

const at = (lake: TestLake, ms: number): TestLake =>
  lake.reopen((deps) => ({ ...deps, clock: { now: () => new Date(ms) } }));

/** The store of a test counts from the epoch on. */
const vacuumOn = (lake: TestLake, day: number, dryRun = false) =>
  vacuumTables(at(lake, day * DAY).deps, { target: 'shop', dryRun });

const namesOf = async (lake: TestLake, folder: string): Promise<readonly string[]> =>
  lake.store.folders(`ops/shop/${folder}/`);

test('runs are forgotten after a month, unless a table still has a snapshot of theirs; their ids are not used again', async () => {
  const lake = await made.copy();
  for (const key of ['_alerts/run-1.json', 'audit_log/fail/1.parquet', '_audit/fail/1.parquet'])
    await lake.store.write(`ops/shop/${key}`, new Uint8Array(9), { kind: 'any' });
  const all = ['run-1', 'run-2', 'run-3', 'run-4', 'run-5', 'run-6'];
  await vacuumOn(lake, 31);
  assert.deepEqual(await namesOf(lake, '_runs'), all, 'all tables have all snapshots');
  await expire(lake);
  const was = await contents(lake);
  await vacuumOn(lake, 29);
  assert.deepEqual(await namesOf(lake, '_runs'), all);
  const there = await keys(lake);
  await vacuumOn(lake, 31, true);
  assert.deepEqual(await keys(lake), there, 'a dry run only looks');
  await vacuumOn(lake, 31);
  assert.deepEqual(await namesOf(lake, '_runs'), ['run-6']);
  assert.deepEqual(
    (await keys(lake)).filter((key) => /\/(_alerts|_audit|audit_log)\//.test(key)),
    [],
  );
  assert.deepEqual(await contents(lake), was);
  await readAll(lake);
  await lake.land('rows', 'more.csv', 'id,amount\n7,70\n');
  const used = await lake.answer({ runId: 'run-1' });
  assert.ok(used.kind === 'ended' && used.refused === true, JSON.stringify(used));
  assert.match(used.result.error?.message ?? '', /run run-1 of shop: got the id of a run that has ended/);
  assert.equal((await lake.run({ runId: 'run-7' })).status, 'SUCCEEDED');
  assert.equal((await lake.answer({ runId: 'run-6' })).kind, 'ended');
});

test('a vacuum that dies anywhere loses no id', async () => {
  const lake = await made.copy();
  await expire(lake);
  const counted = dying(await lake.copy(), Number.POSITIVE_INFINITY);
  await vacuumOn(counted.lake, 31);
  const first = counted.changes();
  for (let n = Math.max(1, first - 60); n <= first; n += 7) {
    const one = await lake.copy();
    await vacuumOn(dying(one, n).lake, 31).catch(() => undefined);
    const left = new Set(await namesOf(one, '_runs'));
    const next = successor(one);
    await next.land('rows', 'more.csv', 'id,amount\n7,70\n');
    for (const runId of ['run-1', 'run-2', 'run-3'].filter((id) => !left.has(id))) {
      const used = await next.answer({ runId });
      assert.ok(used.kind === 'ended' && used.refused === true, `died before change ${n}: ${runId}`);
    }
    one.close();
  }
});

const KEEPER: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    retention: { condemned: '30d', facts: '20d' },
    sources: { rows: csv({ columns: { id: { type: 'int', required: true }, amount: 'int' } }) },
    silver: { items: { from: 'rows', mode: append() } },
  }),
};

async function rejected(lake: TestLake): Promise<readonly unknown[]> {
  const rows = await lake.rows('shop_ops.quarantine', "SELECT json_extract_string(raw, '$.id') AS id, status FROM t");
  return rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

test('condemned rows go when their time is over; what is held against others stays', async () => {
  const lake = await openTestLake(KEEPER);
  for (const n of [1, 2]) {
    await lake.land('rows', `${n}.csv`, `id,amount\n${n},10\n7,x\n`);
    assert.equal((await lake.run()).status, 'SUCCEEDED');
  }
  const rows = () => rejected(lake);
  const both = [
    { id: '7', status: 'condemned' },
    { id: '7', status: 'quarantined' },
  ];
  assert.deepEqual(await rows(), both);
  const vacuum = (day: string, dryRun = false) =>
    vacuumTables(at(lake, Date.parse(`${day}T12:00:00Z`)).deps, { target: 'shop', dryRun });
  const retired = async (day: string, dryRun = false) =>
    (await vacuum(day, dryRun)).tables.find(({ kind }) => kind === 'rows')?.rows;
  assert.equal(await retired('2026-01-30'), 0, 'not yet');
  assert.equal(await retired('2026-02-01', true), 1);
  assert.deepEqual(await rows(), both);
  assert.equal(await retired('2026-02-01'), 1);
  assert.deepEqual(await rows(), both.slice(1));
  assert.equal(await retired('2026-02-02'), 0);
  await lake.land('rows', '3.csv', 'id,amount\n3,10\n7,x\n');
  assert.equal((await lake.run()).accounting['rows']?.condemned, 1, 'the same row is known');
  assert.deepEqual(await rows(), both);
  lake.close();
});

test('facts of runs go when their time is over, those of columns with their runs', async () => {
  const lake = await openTestLake(KEEPER);
  await lake.land('rows', '1.csv', 'id,amount\n1,10\n');
  await lake.run({ runId: 'old' });
  // As many wait as are added together.
  for (let n = 0; n < 15; n += 1) {
    const none = { run_id: `none-${n}`, runs: [], model_runs: [], lineage: [], quality: [] };
    const bytes = new TextEncoder().encode(JSON.stringify(none));
    await lake.store.write(`${factsFolder('shop')}2026-${n}.json`, bytes, { kind: 'absent' });
  }
  const later = lake.reopen((deps) => ({ ...deps, ...counting(Date.parse('2026-01-19T00:00:00Z') / 1_000, 900_000) }));
  await later.land('rows', '2.csv', 'id,amount\n2,10\n');
  await later.run({ runId: 'new' });
  assert.equal((await lake.metadata('shop_ops.model_runs'))?.properties['strata.facts.retention-days'], '20');
  const vacuum = async (day: string, dryRun = false): Promise<number | undefined> => {
    const late = at(lake, Date.parse(`${day}T12:00:00Z`));
    const { tables, failed } = await vacuumTables(late.deps, { target: 'shop', dryRun });
    assert.deepEqual(failed, []);
    return tables.find(({ table }) => table === 'shop_ops.model_runs')?.rows;
  };
  const left = async (): Promise<unknown> =>
    Promise.all(
      FACT_TABLES.map(async (table) => {
        const rows = await lake.rows(
          `shop_ops.${table}`,
          'SELECT run_id, count(*)::INT AS n FROM t GROUP BY run_id ORDER BY run_id',
        );
        return rows.map(({ run_id, n }) => `${run_id} ${n}`);
      }),
    );
  const both = [
    ['new 1', 'old 1'],
    ['new 2', 'old 2'],
    ['new 2', 'old 2'],
  ];
  assert.deepEqual(await left(), both);
  assert.equal(await vacuum('2026-01-20'), 0, 'not yet');
  assert.equal(await vacuum('2026-01-22', true), 5);
  assert.deepEqual(await left(), both);
  assert.equal(await vacuum('2026-01-22'), 5);
  assert.deepEqual(await left(), [['new 1'], ['new 2'], ['new 2']]);
  assert.equal(await vacuum('2026-02-20'), 5);
  assert.deepEqual(await left(), [[], [], []]);
  lake.close();
});

test('a run that rejects rows while others are retired keeps its own', async () => {
  const lake = await openTestLake(KEEPER);
  for (const n of [1, 2]) {
    await lake.land('rows', `${n}.csv`, `id,amount\n${n},10\n7,x\n`);
    await lake.run();
  }
  await lake.land('rows', '3.csv', 'id,amount\n3,10\n8,y\n');
  const late = at(lake, Date.parse('2026-03-01T00:00:00Z'));
  let ran = false;
  const beside = late.reopen((deps) => ({
    ...deps,
    catalog: {
      ...deps.catalog,
      async commit(id, base, next) {
        if (id.name === 'quarantine' && !ran) {
          ran = true;
          assert.equal((await lake.run({ runId: 'beside' })).status, 'SUCCEEDED');
        }
        return deps.catalog.commit(id, base, next);
      },
    },
  }));
  await vacuumTables(beside.deps, { target: 'shop' });
  assert.ok(ran);
  const own = { id: '8', status: 'quarantined' };
  const old = [
    { id: '7', status: 'condemned' },
    { id: '7', status: 'quarantined' },
  ];
  assert.deepEqual(await rejected(lake), [...old, own], 'the run wins');
  await vacuumTables(late.deps, { target: 'shop' });
  assert.deepEqual(await rejected(lake), [...old.slice(1), own]);
  lake.close();
});
