import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ObjectNotFound } from '../../../lib/core/errors.ts';
import type { RunPlan } from '../../../lib/core/run.ts';
import { append, csv, definePipeline, unique, upsert } from '../../../lib/define/index.ts';
import { factsFolder, listWaiting } from '../../../lib/lake/facts/facts-folder.ts';
import { findWaiting } from '../../../lib/lake/facts/keep-facts.ts';
import { toldOf } from '../../../lib/lake/facts/told.ts';
import type { ObjectStore, Row } from '../../../lib/ports.ts';
import { queryRows } from '../../../lib/query/select.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../../support/test-lake.ts';

const PIPELINE: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    settings: { hourlyRate: 7.2 },
    sources: {
      orders: csv({ columns: { id: 'bigint', word: 'string', paid: 'boolean' } }),
      people: csv({
        columns: { id: { type: 'bigint', required: true }, mail: { type: 'string', personal: true }, at: 'date' },
      }),
    },
    silver: {
      orders: { from: 'orders', mode: append(), expect: { ids: { ...unique('id'), policy: 'warn' } } },
      people: { from: 'people', mode: upsert({ key: 'id', sequence: 'at' }) },
    },
    gold: { words: { sql: 'words.sql' } },
  }),
  // Some words bring it down.
  sql: {
    'words.sql':
      "SELECT word, sum(CAST(CASE word WHEN 'boom' THEN 'x' ELSE '1' END AS BIGINT))::BIGINT AS n FROM silver.orders GROUP BY word",
  },
};

const ORDERS = 'id,word,paid\n2,b,true\n10,a,false\n,,true\n';

describe('facts of a run', () => {
  let lake: TestLake;
  const facts = (sql: string): Promise<readonly Row[]> => queryRows(lake.deps, sql);
  before(async () => {
    lake = await openTestLake(PIPELINE);
    await lake.land('orders', '1.csv', ORDERS);
    await lake.land('orders', '2.csv', 'id,word,paid\n3,c,false\nx,c,false\n');
    await lake.land('people', '1.csv', 'id,mail,at\n1,a@x,2026-01-01\n1,b@x,2026-01-02\n');
    await lake.run({ runId: 'first' });
  });
  after(() => lake.close());

  test('the work of each model, by its times, rows, bytes and price', async () => {
    const rows = await facts(
      `SELECT model, level, status, units, rows_in, rows_out, error, cost_usd, duration_ms, bytes_read, bytes_written > 0 AS wrote,
        finished_at > started_at AS took, peak_memory_bytes, spilled_bytes FROM shop_ops.model_runs WHERE run_id = 'first' ORDER BY model`,
    );
    const told = rows.map(({ model, level, status, units, rows_in, rows_out, error, wrote, took }) => [
      ...[model, level, status, units, rows_in, rows_out, error, wrote, took],
    ]);
    assert.deepEqual(told, [
      ['gold.words', 1, 'SUCCEEDED', 1, null, 4, null, true, true],
      ['silver.orders', 0, 'SUCCEEDED', 1, 5, 4, null, true, true],
      ['silver.people', 0, 'SUCCEEDED', 2, 2, 1, null, true, true],
    ]);
    assert.deepEqual(
      rows.map((row) => row['cost_usd']),
      rows.map((row) => Number(((Number(row['duration_ms']) * 7.2) / 3_600_000).toFixed(9))),
    );
    const [gold, orders] = rows;
    const files = await lake.metadata('shop_silver.orders');
    assert.equal(orders?.['bytes_read'], ORDERS.length + 'id,word,paid\n3,c,false\nx,c,false\n'.length);
    assert.ok(Number(gold?.['bytes_read']) <= Number(files?.snapshots[0]?.summary['total-files-size']));
    assert.deepEqual([gold?.['peak_memory_bytes'], gold?.['spilled_bytes']], [null, null]);
  });

  test('the price of the run, by the hour of the machine', async () => {
    const [run] = await facts(`SELECT cost_usd, cost_rate, duration_ms FROM shop_ops.runs`);
    assert.equal(run?.['cost_rate'], '7.2 USD an hour');
    assert.equal(run?.['cost_usd'], Number(((Number(run?.['duration_ms']) * 7.2) / 3_600_000).toFixed(9)));
  });

  test('what each model read and wrote, by the snapshots of tables and the etags of files', async () => {
    const rows = await facts(
      `SELECT model, action, table_or_source, version, files, rows, bytes FROM shop_ops.lineage WHERE run_id = 'first' ORDER BY ALL`,
    );
    const snapshot = async (table: string): Promise<string> =>
      String((await lake.metadata(table))?.['current-snapshot-id']);
    const [person] = await facts("SELECT etag FROM shop_ops.files WHERE source = 'people'");
    const orders = await snapshot('shop_silver.orders');
    assert.deepEqual(
      rows.map(({ bytes: _, ...row }) => Object.values(row)),
      [
        ['gold.words', 'read', 'shop_silver.orders', orders, null, null],
        ['gold.words', 'write', 'shop_gold.words', await snapshot('shop_gold.words'), 1, 4],
        ['silver.orders', 'read', 'shop.orders', rows[2]?.['version'], 2, 5],
        ['silver.orders', 'write', 'shop_silver.orders', orders, 1, 4],
        ['silver.people', 'read', 'shop.people', person?.['etag'], 1, 2],
        ['silver.people', 'write', 'shop_silver.people', await snapshot('shop_silver.people'), 1, 1],
        ['silver.people', 'write', 'shop_silver.people__log', await snapshot('shop_silver.people__log'), 1, 2],
      ],
    );
    // Of several files a hash, the same for the same files.
    assert.match(String(rows[2]?.['version']), /^[0-9a-f]{64}$/);
    assert.ok(rows.every(({ bytes }) => Number(bytes) > 0));
  });

  test('what the columns of the files hold, nothing personal among it', async () => {
    const rows = await facts(
      `SELECT "table", "column", rows, nulls, distinct_estimate, min, max, unique_key_ok FROM shop_ops.quality WHERE run_id = 'first' ORDER BY ALL`,
    );
    assert.deepEqual(
      rows.map((row) => Object.values(row)),
      [
        ['shop_gold.words', 'n', 4, 0, 1, '1', '1', null],
        ['shop_gold.words', 'word', 4, 1, null, 'a', 'c', null],
        ['shop_silver.orders', 'id', 4, 1, 3, '2', '10', true],
        ['shop_silver.orders', 'paid', 4, 0, null, 'false', 'true', null],
        ['shop_silver.orders', 'word', 4, 1, null, 'a', 'c', null],
        ['shop_silver.people', 'at', 1, 0, 1, '2026-01-02', '2026-01-02', null],
        ['shop_silver.people', 'id', 1, 0, 1, '1', '1', true],
        ['shop_silver.people', 'mail', 1, 0, 1, null, null, null],
      ],
    );
  });

  test('wait in an object each, are read with the tables, and join them once', async () => {
    const count = async (): Promise<readonly unknown[]> => {
      const kept = (await lake.rows('shop_ops.model_runs')).length;
      const [all] = await facts('SELECT count(*) AS rows, count(DISTINCT run_id) AS runs FROM shop_ops.model_runs');
      return [kept, all?.['rows'], all?.['runs'], (await listWaiting(lake.store, 'shop')).length];
    };
    assert.deepEqual(await count(), [3, 3, 1, 0]);
    const land = (n: number): Promise<void> => lake.land('people', `${n}.csv`, `id,mail,at\n${n},a@x,2026-01-01\n`);
    await land(2);
    await lake.run({ runId: 'run-2' });
    assert.deepEqual(await count(), [3, 4, 2, 1]);
    // As thirteen more such runs would have left them.
    const [key = ''] = await listWaiting(lake.store, 'shop');
    const text = new TextDecoder().decode((await lake.store.read(key)).bytes);
    const leave = (n: number): Promise<unknown> => {
      const other = new TextEncoder().encode(text.replaceAll('run-2', `run-${n}`));
      return lake.store.write(key.replace('run-2', `run-${n}`), other, { kind: 'absent' });
    };
    for (let n = 3; n <= 15; n += 1) await leave(n);
    await land(15);
    await lake.run({ runId: 'run-15b' });
    assert.deepEqual(await count(), [3, 18, 16, 15]);
    await lake.land('orders', '3.csv', 'id,word,paid\n2,b,true\n');
    await lake.run({ runId: 'dry', dryRun: true });
    for (const [n, text] of ['{"run_id":', 'null', '{"runs":[1],"lineage":7}', '[]', '[{}]', '7'].entries()) {
      await lake.store.write(`${factsFolder('shop')}${n}.json`, new TextEncoder().encode(text), { kind: 'absent' });
    }
    assert.deepEqual(await count(), [3, 18, 16, 21], 'a dry run leaves none, and what is damaged has none');
    const onAws = lake.reopen((deps) => ({
      ...deps,
      peakMemory: () => 7e8,
      watchSpill: () => () => 3e6,
      settings: { ...deps.settings, billedBy: 'aws' },
    }));
    const { cost } = await onAws.run({ runId: 'fold' });
    assert.deepEqual(await count(), [20, 20, 17, 0]);
    assert.equal((await lake.answer()).kind, 'nothing');
    assert.deepEqual(await count(), [20, 20, 17, 0], 'nor one that found nothing to do');
    const [priced] = await facts("SELECT cost_usd, cost_rate FROM shop_ops.runs WHERE run_id = 'fold'");
    // What Commit takes after the row is written is not in it, and each look at this clock takes a second.
    const part = Number(priced?.['cost_usd']) / (cost?.usd ?? 0);
    assert.ok(part > 0.6 && part < 1, JSON.stringify([priced, cost]));
    assert.match(String(priced?.['cost_rate']), /^prices of us-east-1 of 20\d\d-\d\d-\d\d$/);
    const [models] = await facts(
      "SELECT sum(cost_usd) AS usd, max(peak_memory_bytes)::BIGINT AS peak, min(spilled_bytes)::BIGINT AS spilled FROM shop_ops.model_runs WHERE run_id = 'fold'",
    );
    assert.ok(Number(models?.['usd']) > 0 && Number(models?.['usd']) < Number(priced?.['cost_usd']));
    assert.deepEqual([models?.['peak'], models?.['spilled']].map(Number), [7e8, 3e6]);
    // One that was left behind after its rows had been added counts once.
    await leave(3);
    assert.deepEqual(await count(), [20, 20, 17, 1]);
    const broken = await facts(
      `SELECT unique_key_ok FROM shop_ops.quality WHERE run_id = 'fold' AND "table" = 'shop_silver.orders' AND "column" = 'id'`,
    );
    assert.deepEqual(broken, [{ unique_key_ok: false }]);
  });

  test('of a run that failed: the model that did, and what was undone with it, its words without values', async () => {
    await lake.land('orders', '4.csv', 'id,word,paid\n7,boom,true\n');
    const failed = await lake.run({ runId: 'failed' });
    assert.equal(failed.status, 'FAILED');
    const told = (table: string, columns: string): Promise<readonly Row[]> =>
      facts(`SELECT ${columns} FROM shop_ops.${table} WHERE run_id = 'failed' ORDER BY ALL`);
    const models = await told('model_runs', 'model, status, error, units, rows_in, rows_out, bytes_written');
    assert.deepEqual(
      models.map(({ error, ...row }) => [...Object.values(row), error === null ? null : String(error).split(':')[0]]),
      [
        ['gold.words', 'FAILED', 0, null, null, null, 'EngineError'],
        ['silver.orders', 'UNDONE', 1, 1, 1, models[1]?.['bytes_written'], null],
      ],
    );
    // The table of runs says no more of values than people are told.
    assert.match(
      String(models[0]?.['error']),
      /^EngineError: write gold.words \(pipelines\/shop\/words.sql\): Conversion Error: what the engine says of it is withheld/,
    );
    assert.deepEqual(
      (await told('lineage', 'model, action, table_or_source, version')).map((row) => Object.values(row)),
      [
        // What it was to read was never published.
        ['gold.words', 'read', 'shop_silver.orders', null],
        ['silver.orders', 'read', 'shop.orders', (await told('lineage', 'version'))[0]?.['version']],
      ],
    );
    assert.deepEqual(await told('quality', '*'), []);
    assert.deepEqual(await told('runs', 'status, cost_rate'), [{ status: 'FAILED', cost_rate: '7.2 USD an hour' }]);
  });

  test('wait for a large run, or for sixteen small ones', async () => {
    const planOf = (bytes: number): RunPlan =>
      ({
        run: { pipeline: 'shop', run_id: 'x', dry_run: false },
        created_at: '2027',
        sources: { a: { bytes } },
      }) as unknown as RunPlan;
    assert.equal((await findWaiting(lake.deps, planOf(2 ** 24 - 1))).due, false);
    assert.equal((await findWaiting(lake.deps, planOf(2 ** 24))).due, true);
  });

  test('that are added while somebody reads them are found in the tables', async () => {
    let asked = 0;
    const borrow: ObjectStore['borrow'] = (objects) => {
      if (JSON.stringify(objects).includes('/_facts/') && asked++ === 0) throw new ObjectNotFound('gone');
      return lake.store.borrow(objects);
    };
    const reader = { ...lake.deps, store: { ...lake.store, borrow } };
    const [all] = await queryRows(reader, 'SELECT count(*)::INT AS n FROM shop_ops.model_runs');
    const [calm] = await facts('SELECT count(*)::INT AS n FROM shop_ops.model_runs');
    assert.deepEqual([all, asked], [calm, 2]);
  });

  test('that cannot be told are a line in the log, and the run goes on', () => {
    const said: unknown[] = [];
    const log = { info: () => {}, warn: (event: string, fields?: object) => said.push([event, fields]) };
    assert.equal(
      toldOf({ log }, 'silver.orders', () => 7),
      7,
    );
    const failing = (): number => {
      throw new RangeError('x');
    };
    assert.equal(toldOf({ log }, 'silver.orders', failing), undefined);
    assert.deepEqual(said, [['facts could not be told', { of: 'silver.orders', cause: 'RangeError: x' }]]);
  });
});

test('of each table that SQL reads its bytes, of those that silver joins too', async () => {
  const columns = { id: 'bigint', name: 'string' } as const;
  const lake = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { people: csv({ columns }), orders: csv({ columns }) },
      silver: {
        people: { from: 'people' },
        orders: { from: 'orders', sql: 'orders.sql', mode: append({ dedupe: 'row' }) },
      },
      gold: { both: { sql: 'both.sql' } },
    }),
    sql: {
      'orders.sql': 'SELECT o.id, p.name FROM batch.orders o LEFT JOIN silver.people p ON o.id = p.id',
      'both.sql': 'SELECT o.id, p.name FROM silver.orders o JOIN silver.people p ON o.id = p.id',
    },
  });
  try {
    await lake.land('people', '1.csv', 'id,name\n1,a\n');
    await lake.land('orders', '1.csv', 'id,name\n1,x\n');
    await lake.run();
    await lake.land('orders', '2.csv', 'id,name\n2,y\n');
    await lake.run({ runId: 'second' });
    const sizeOf = async (table: string): Promise<string> => {
      const metadata = await lake.metadata(table);
      return `${metadata?.snapshots.at(-1)?.summary['total-files-size']}`;
    };
    const [people, orders] = [await sizeOf('shop_silver.people'), await sizeOf('shop_silver.orders')];
    const rows = await queryRows(
      lake.deps,
      `SELECT model, table_or_source, bytes::VARCHAR AS bytes FROM shop_ops.lineage
      WHERE run_id = 'second' AND action = 'read' AND table_or_source LIKE '%silver%' ORDER BY ALL`,
    );
    assert.deepEqual(
      rows.map((row) => Object.values(row)),
      [
        ['gold.both', 'shop_silver.orders', orders],
        ['gold.both', 'shop_silver.people', people],
        ['silver.orders', 'shop_silver.people', people],
      ],
    );
    const [row] = await queryRows(
      lake.deps,
      "SELECT bytes_read FROM shop_ops.model_runs WHERE run_id = 'second' AND model = 'silver.orders'",
    );
    assert.ok(Number(row?.['bytes_read']) >= Number(people) + 'id,name\n2,y\n'.length);
  } finally {
    lake.close();
  }
});
