import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { closeBreaker, readBreaker } from '../../lib/lake/ops/breaker.ts';
import { releaseQuarantine } from '../../lib/lake/ops/release.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const HEADER = 'id,amount,currency\n';

function payments(options: Record<string, unknown> = {}, silver: Record<string, unknown> = {}): TestPipeline {
  return {
    name: 'bank',
    definition: definePipeline({
      name: 'bank',
      sources: {
        payments: csv({
          key: ['id'],
          columns: {
            id: { type: 'string', required: true },
            amount: { type: 'decimal(10,2)', required: true },
            currency: { type: 'string', in: ['EUR', 'GBP'] },
          },
        }),
      },
      silver: { payments: { from: 'payments', mode: append({ dedupe: 'row' }), ...silver } },
      gold: { total: { sql: 'total.sql' } },
      ...options,
    } as Parameters<typeof definePipeline>[0]),
    sql: { 'total.sql': 'SELECT sum(amount) AS amount FROM silver.payments' },
  };
}

async function withLake(pipeline: TestPipeline, use: (lake: TestLake) => Promise<void>): Promise<void> {
  const lake = await openTestLake(pipeline);
  try {
    await use(lake);
  } finally {
    lake.close();
  }
}

async function landAndRun(lake: TestLake, name: string, lines: readonly string[]): Promise<Record<string, number>> {
  await lake.land('payments', name, `${HEADER}${lines.join('\n')}\n`);
  const result = await lake.run();
  assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
  const { tables, ...counts } = result.accounting['payments'] ?? {};
  assert.equal(tables, undefined);
  return counts;
}

const QUARANTINE = 'SELECT source_file, line, codes, attempt, status FROM t ORDER BY quarantined_at, source_file, line';

describe('loop prevention', () => {
  test('a row that is in quarantine is condemned when it comes again', async () => {
    await withLake(payments(), async (lake) => {
      const first = await landAndRun(lake, 'a.csv', ['1,5.00,XXX', '2,6.00,EUR']);
      assert.deepEqual(first, { read: 2, accepted: 1, quarantined: 1, condemned: 0, duplicates: 0 });
      const second = await landAndRun(lake, 'b.csv', ['1,5.00,XXX', '3,7.00,EUR']);
      assert.deepEqual(second, { read: 2, accepted: 1, quarantined: 0, condemned: 1, duplicates: 0 });
      const properties = (await lake.metadata('bank_ops.quarantine'))?.properties;
      assert.equal(properties?.['strata.quarantine.condemned-retention-days'], '2557');
      const third = await landAndRun(lake, 'c.csv', ['1,5.00,XXX']);
      assert.equal(third['condemned'], 1);
      const rows = await lake.rows('bank_ops.quarantine', QUARANTINE);
      assert.deepEqual(
        rows.map((r) => [r['status'], (r['codes'] as string[])[0]]),
        [
          ['quarantined', 'DOMAIN_ERROR'],
          ['condemned', 'DUPLICATE_FAILURE'],
          ['condemned', 'DUPLICATE_FAILURE'],
        ],
      );
    });
  });

  test('a malformed record is remembered by its text', async () => {
    await withLake(payments(), async (lake) => {
      assert.equal((await landAndRun(lake, 'a.csv', ['1,5.00']))['quarantined'], 1);
      const again = await landAndRun(lake, 'b.csv', ['1,5.00', '2,1.00,EUR']);
      assert.deepEqual(again, { read: 2, accepted: 1, quarantined: 0, condemned: 1, duplicates: 0 });
    });
  });

  const tries = ['7,1.00,XX1', '7,2.00,XX2', '7,3.00,XX3', '7,4.00,EUR', '8,1.00,EUR'];
  const expected = [
    ['quarantined', 'DOMAIN_ERROR', 1],
    ['quarantined', 'DOMAIN_ERROR', 2],
    ['quarantined', 'DOMAIN_ERROR', 3],
    ['condemned', 'MAX_ATTEMPTS', 4],
  ];
  test('a key that was rejected three times is condemned at its fourth arrival, even a good one', async () => {
    await withLake(payments(), async (lake) => {
      for (const [i, line] of tries.entries()) await landAndRun(lake, `${i}.csv`, [line]);
      const rows = await lake.rows('bank_ops.quarantine', QUARANTINE);
      assert.deepEqual(
        rows.map((r) => [r['status'], (r['codes'] as string[])[0], r['attempt']]),
        expected,
      );
    });
  });
  test('the same when all arrive in one batch', async () => {
    await withLake(payments(), async (lake) => {
      const counts = await landAndRun(lake, 'all.csv', tries);
      assert.deepEqual(counts, { read: 5, accepted: 1, quarantined: 3, condemned: 1, duplicates: 0 });
      const rows = await lake.rows('bank_ops.quarantine', QUARANTINE);
      assert.deepEqual(
        rows.map((r) => [r['status'], (r['codes'] as string[])[0], r['attempt']]),
        expected,
      );
    });
  });

  test('two rejections are forgiven: the third arrival counts as attempt 3 and is accepted', async () => {
    await withLake(
      payments({}, { metadata: ['attempt', 'source_file', 'run_id', 'row_hash', 'ingested_at'] }),
      async (lake) => {
        await landAndRun(lake, 'a.csv', ['7,1.00,XX1', '7,2.00,XX2']);
        await landAndRun(lake, 'b.csv', ['7,4.00,EUR', '9,1.00,GBP']);
        const rows = await lake.rows(
          'bank_silver.payments',
          'SELECT id, attempt, source_file, length(row_hash) AS hash FROM t ORDER BY id',
        );
        assert.deepEqual(rows, [
          { id: '7', attempt: 3, source_file: 'bronze/bank/payments/b.csv', hash: 64 },
          { id: '9', attempt: 1, source_file: 'bronze/bank/payments/b.csv', hash: 64 },
        ]);
      },
    );
  });

  test('released rows are tried again and stay on record', async () => {
    await withLake(payments(), async (lake) => {
      await landAndRun(lake, 'a.csv', ['1,5.00,XXX', '2,5.00,YYY']);
      assert.equal(
        await releaseQuarantine(lake.deps, 'bank', 'release-1', { code: 'DOMAIN_ERROR', source: 'payments' }),
        2,
      );
      assert.equal(await releaseQuarantine(lake.deps, 'bank', 'release-2', {}), 0);
      const again = await landAndRun(lake, 'b.csv', ['1,5.00,XXX']);
      assert.equal(again['quarantined'], 1);
      const rows = await lake.rows('bank_ops.quarantine', QUARANTINE);
      assert.deepEqual(
        rows.map((r) => r['status']),
        ['released', 'released', 'quarantined'],
      );
    });
  });
});

describe('append by key with onDuplicate condemn', () => {
  const pipeline = payments(
    {},
    { mode: append({ dedupe: { key: 'id' }, onDuplicate: 'condemn' }), metadata: ['row_hash'] },
  );
  const lines = ['1,5.00,EUR', '1,5.00,EUR', '1,6.00,EUR', '2,1.00,GBP'];
  const total = { read: 4, accepted: 2, quarantined: 0, condemned: 1, duplicates: 1 };
  test('an equal row is a duplicate, a different one with the key is condemned', async () => {
    await withLake(pipeline, async (lake) => {
      assert.deepEqual(await landAndRun(lake, 'a.csv', lines), total);
      const rows = await lake.rows('bank_ops.quarantine', QUARANTINE);
      assert.deepEqual(rows, [
        {
          source_file: 'bronze/bank/payments/a.csv',
          line: 4,
          codes: ['DUPLICATE_FAILURE'],
          attempt: 1,
          status: 'condemned',
        },
      ]);
    });
  });
  test('the same one by one', async () => {
    await withLake(pipeline, async (lake) => {
      const sum: Record<string, number> = {};
      for (const [i, line] of lines.entries()) {
        for (const [name, n] of Object.entries(await landAndRun(lake, `${i}.csv`, [line])))
          sum[name] = (sum[name] ?? 0) + n;
      }
      assert.deepEqual(sum, total);
    });
  });
});

describe('circuit breaker', () => {
  const pipeline = payments({ breaker: { rows: 2, window: '1h' } });
  const bad = ['1,5.00,AAA', '2,5.00,BBB', '3,5.00,CCC'];
  test('too many rows of one code halt the run before it publishes, until a person closes it', async () => {
    await withLake(pipeline, async (lake) => {
      await landAndRun(lake, 'good.csv', ['9,1.00,EUR']);
      await lake.land('payments', 'bad.csv', `${HEADER}${bad.join('\n')}\n8,1.00,EUR\n`);
      const halted = await lake.run();
      assert.equal(halted.status, 'FAILED');
      assert.match(
        halted.error?.message ?? '',
        /3 rows with DOMAIN_ERROR within 3600 s, limit 2, such as bronze\/bank\/payments\/bad\.csv:2; bronze\/bank\/payments\/bad\.csv:3; /,
      );
      assert.equal((await lake.rows('bank_silver.payments')).length, 1);
      assert.equal((await readBreaker(lake.store, 'bank'))?.rows, 3);

      const refused = await lake.run();
      assert.equal(refused.status, 'FAILED');
      assert.match(refused.error?.message ?? '', /is open.*strata breaker close bank/);

      assert.equal(await closeBreaker(lake.store, 'bank', new Date()), true);
      const passed = await lake.run();
      assert.equal(passed.accounting['payments']?.quarantined, 3, 'a person has looked: the same files pass');
      assert.equal(await readBreaker(lake.store, 'bank'), undefined, 'and the breaker counts again');
      await lake.land('payments', 'more.csv', `${HEADER}4,1.00,DDD\n`);
      assert.equal((await lake.run()).status, 'FAILED');
    });
  });
  test('rows of earlier runs count while they are in the window', async () => {
    await withLake(pipeline, async (lake) => {
      await landAndRun(lake, 'a.csv', bad.slice(0, 2));
      await lake.land('payments', 'b.csv', `${HEADER}${bad[2]}\n`);
      assert.equal((await lake.run()).status, 'FAILED');
    });
    await withLake(payments({ breaker: { rows: 2, window: '1s' } }), async (lake) => {
      await landAndRun(lake, 'a.csv', bad.slice(0, 2));
      assert.equal((await landAndRun(lake, 'b.csv', bad.slice(2)))['quarantined'], 1);
    });
  });
  test('rows that a backfill reads again count once', async () => {
    await withLake(pipeline, async (lake) => {
      await landAndRun(lake, 'a.csv', bad.slice(0, 2));
      const again = await lake.run({ backfill: {} });
      assert.equal(again.accounting['payments']?.quarantined, 2);
      assert.equal(await readBreaker(lake.store, 'bank'), undefined);
      await lake.land('payments', 'b.csv', `${HEADER}${bad[2]}\n`);
      assert.equal((await lake.run()).status, 'FAILED');
      assert.equal((await readBreaker(lake.store, 'bank'))?.rows, 3);
    });
  });
});
