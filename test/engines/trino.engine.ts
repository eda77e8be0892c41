import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTrinoEngine, parseTrino } from '../../lib/adapters/engines/trino.ts';
import { parseTableName } from '../../lib/core/tables.ts';
import { placeMetadata, plainTable } from '../../lib/lake/engines/staging.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { loadTable } from '../../lib/table/read.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { testDeployed } from './deployed.ts';
import { DAYS, LIB, land, landDays, openFolder, rowsOf, run, writeShop } from './lakes.ts';
import { testStopped } from './stopped.ts';
import { startTrino, type Trino } from './trino-server.ts';
import { testWrongDecimal } from './wrong-decimal.ts';

/** Trino, in whose words Athena takes its texts, computes gold models. */

let home: string;
let cloud: Cloud;
let trino: Trino;
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'strata-engines-'));
  cloud = await startCloud(join(home, 'clouds'));
  trino = await startTrino(join(home, 'trino'), cloud.catalog);
  process.env['STRATA_TRINO'] = trino.url;
});
after(async () => {
  await trino?.[Symbol.asyncDispose]();
  await cloud?.[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

describe('gold models by Trino, of lakes in S3 and Glue', { concurrency: false }, () => {
  testDeployed(() => ({ home, cloud, trino }));
});

describe('gold models by Trino, of lakes in folders', { concurrency: false }, () => {
  testWrongDecimal(() => home);
  testStopped(() => ({ home, trino }));

  test('lie in the months of UTC, whatever zone a text has its times in, and take the place of what lay there', async () => {
    const folder = join(home, 'zones', 'shop');
    mkdirSync(folder, { recursive: true });
    const text = (time: string): string => `SELECT ${time} AS t, count(*) AS n FROM silver.orders o GROUP BY 1`;
    writeFileSync(join(folder, 'months.sql'), text('o.t'));
    writeFileSync(join(folder, 'months.athena.sql'), text("at_timezone(o.t, 'Asia/Tokyo')"));
    writeFileSync(
      join(folder, 'pipeline.ts'),
      `import { append, csv, definePipeline, month } from '${LIB}';
export default definePipeline({
  name: 'shop',
  sources: { rows: csv({ columns: { t: 'timestamptz' } }) },
  silver: { orders: { from: 'rows', mode: append() } },
  gold: { months: { engine: 'athena', sql: { duckdb: 'months.sql', athena: 'months.athena.sql' }, partitionBy: [month('t')], refresh: 'touched' } },
});
`,
    );
    const lake = await openFolder(join(home, 'lake-zones'), 'shop', join(home, 'zones'));
    // In Tokyo the year has begun.
    const late = '2025-12-31 20:00:00+00';
    const tables = ['shop_silver.orders', 'shop_gold.months'];
    for (const [file, rows] of [
      ['a.csv', [late, '2026-01-10 00:00:00+00']],
      ['b.csv', [late]],
    ] as const) {
      await land(lake, 'rows', file, `t\n${rows.join('\n')}\n`);
      const { status, error } = await run(lake);
      assert.equal(status, 'SUCCEEDED', error?.message);
      assert.deepEqual(
        await rowsOf(lake, tables, 'SELECT t, n FROM gold.months ORDER BY ALL'),
        await rowsOf(lake, tables, 'SELECT t, count(*) AS n FROM silver.orders GROUP BY t ORDER BY ALL'),
      );
    }
  });

  test('are not published where a text is refused, gives another type or breaks an expectation', async () => {
    const texts: readonly (readonly [string, RegExp])[] = [
      [
        'SELECT day, count(*) AS n, no_such(amount) AS total FROM silver.orders GROUP BY day',
        /refuses its text: got line \d+:\d+: Function 'no_such' not registered/,
      ],
      [
        DAYS.replace('CAST(sum(amount) AS decimal(18,2))', 'sum(amount)'),
        /column total: got decimal\(38,2\); expected decimal\(18,2\)/,
      ],
      [
        DAYS.replace('GROUP BY day', 'GROUP BY day UNION ALL SELECT NULL, 0, 1.00'),
        /total: got decimal\(|expectation n > 0|more_than_none/,
      ],
    ];
    for (const [nth, [text, message]] of texts.entries()) {
      const pipelines = writeShop(join(home, `wrong-${nth}`), text, "expect: { more_than_none: 'n > 0' }");
      const lake = await openFolder(join(home, `lake-${nth}`), 'shop', pipelines);
      await landDays(lake, 'a.csv', 3);
      const { status, error, tables } = await run(lake);
      assert.equal(status, 'FAILED', text);
      assert.match(error?.message ?? '', message);
      assert.deepEqual([tables, await loadTable(lake.deps.catalog, parseTableName('shop_gold.days'))], [{}, undefined]);
    }
  });

  test('one token begins one statement, whoever asks, and a table is shown once', async () => {
    const pipelines = writeShop(join(home, 'tokens'), DAYS, '');
    const lake = await openFolder(join(home, 'lake-tokens'), 'shop', pipelines);
    const [one, other] = [createTrinoEngine(parseTrino(trino.url)), createTrinoEngine(parseTrino(trino.url))];
    const { store } = lake.deps;
    const table = plainTable([{ name: 'x', type: { kind: 'bigint' } }], store.location('gold/shop/t'), UUID, 0);
    const shown = await placeMetadata(store, 'gold/shop/t/', 't__strata_1', table);
    await one.show(shown);
    await other.show(shown);
    const statement = userSql('INSERT INTO "iceberg"."strata"."t__strata_1" SELECT 1');
    const key = 'ops/shop/_runs/r/1.json';
    const id = await one.start(statement, 'strata-token-of-a-unit-of-this-test', key);
    assert.equal(await other.start(statement, 'strata-token-of-a-unit-of-this-test', key), id);
    while ((await other.look(id)).kind === 'working') await sleep(50);
    assert.deepEqual(await other.look(id), { kind: 'done' });
    assert.deepEqual(await trino.rows('SELECT count(*) FROM iceberg.strata.t__strata_1'), [[1]]);
    assert.match((await other.shown('t__strata_1')) ?? '', /metadata\/0000[1-9]-/);
    await one.hide(['t__strata_1']);
    assert.equal(await other.shown('t__strata_1'), undefined);
  });
});

const UUID = '00000000-0000-4000-8000-000000000001';
