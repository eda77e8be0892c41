import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateRetail, parseRetailOptions } from '../../lib/generate/retail.ts';
import { vacuumTables } from '../../lib/runtime/maintain.ts';
import type { Cloud } from './cloud.ts';
import { assertOwnRows, DAYS, keysOf, land, landDays, rowsOf, run, withTexts, writeShop } from './lakes.ts';
import type { Trino } from './trino-server.ts';

export type Deployed = { readonly home: string; readonly cloud: Cloud; readonly trino: Trino };

/** Trino computes gold models of lakes in S3, whose tables and its own it finds in Glue, as Athena does. */
export function testDeployed(given: () => Deployed): void {
  test('all of the retail sample have the rows that DuckDB makes of their own texts', async () => {
    const { home, cloud, trino } = given();
    const lake = await cloud.open('retail', 'retail', withTexts(home, 'retail'), trino);
    const out = join(home, 'generated');
    {
      await using session = await lake.deps.engine.open({ ...lake.deps.settings, folders: undefined });
      await generateRetail(
        parseRetailOptions({ out, transactions: 2000, customers: 100, products: 40, files: 1 }),
        session,
      );
    }
    for (const path of globSync('*/*.csv', { cwd: out })) {
      const [source = '', file = ''] = path.split('/');
      await land(lake, source, file, readFileSync(join(out, path), 'utf8'));
    }
    const result = await run(lake);
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    await assertOwnRows(lake);
  });

  test('101 partitions, an INSERT that is killed, an answer that comes late, a run of which a vacuum finds what it left', async () => {
    const { home, cloud, trino } = given();
    const pipelines = writeShop(join(home, 'cloud'), DAYS, "partitionBy: [identity('day')]");
    const lake = await cloud.open('cloud', 'shop', pipelines, trino);
    await landDays(lake, 'a.csv', 101);
    const before = await begun(trino);
    let looks = 0;
    const remainingMs = (): number => {
      looks += 1;
      return looks < 4 ? 0 : 600_000;
    };
    const late = await run(lake, { runId: 'late' }, { remainingMs });
    assert.equal(late.status, 'SUCCEEDED', late.error?.message);
    assert.deepEqual(
      [late.tables['shop_gold.days']?.rows_added, late.tables['shop_gold.days']?.files_added],
      [101, 101],
    );
    const asked = (await begun(trino)).slice(before.length);
    assert.deepEqual(
      asked.map((text) => /^INSERT INTO "glue"."cloud_shop_gold"."days__strata_\w+_(out|list)"/.exec(text)?.[1]),
      ['list', 'out', 'out'],
    );

    await landDays(lake, 'b.csv', 3);
    const killing = killFirst(trino);
    const killed = await run(lake, { runId: 'killed' });
    assert.match(await killing, /^\d{8}_/);
    assert.equal(killed.status, 'SUCCEEDED', killed.error?.message);
    await assertOwnRows(lake);
    // Of 101 partitions that the table has: a hundred, one, and which others there are. What was killed is begun anew, alone.
    const units = (await begun(trino)).slice(before.length + asked.length).map(unitOf);
    assert.deepEqual([...new Set(units.map(([unit]) => unit))].sort(), ['0', '1', '2']);
    assert.deepEqual(units.filter(([, attempt]) => attempt === '2').length, 1);
    assert.equal(units.length, 4);
    const names = "SELECT table_name FROM glue.information_schema.tables WHERE table_schema = 'cloud_shop_gold'";
    assert.deepEqual(await trino.rows(names), [['days']]);
    assert.deepEqual(
      await trino.rows('SELECT count(*), CAST(sum(total) AS varchar) FROM glue.cloud_shop_gold.days'),
      (
        await rowsOf(lake, ['shop_gold.days'], 'SELECT count(*)::INT AS n, sum(total)::VARCHAR AS total FROM gold.days')
      ).map(({ n, total }) => [n, total]),
      'Trino reads the table itself as DuckDB does',
    );

    const adopted = await keysOf(lake, 'gold/shop/days/staged/');
    const orphan = 'gold/shop/days/staged/gone/0123456789abcdef/gold.days-00000-1';
    for (const file of ['data/a.parquet', 'metadata/00000-a.metadata.json'])
      await lake.deps.store.write(`${orphan}/${file}`, new Uint8Array([1]), { kind: 'any' });
    const clock = { now: () => new Date(Date.now() + 8 * 86_400_000) };
    const { tables } = await vacuumTables({ ...lake.deps, clock }, { target: 'shop_gold.days' });
    assert.equal(tables[0]?.files, 2, JSON.stringify(tables));
    assert.deepEqual(await keysOf(lake, 'gold/shop/days/staged/'), adopted);
    await assertOwnRows(lake);
  });
}

/** A statement's unit, and which attempt it is. */
function unitOf(text: string): readonly string[] {
  return /__strata_[0-9a-f]+_(\d+)_(\d+)_/.exec(text)?.slice(1) ?? [];
}

/** Kills the first INSERT that begins from now on, and answers its id. */
async function killFirst(trino: Trino): Promise<string> {
  const before = new Set((await inserts(trino)).map(([id]) => id));
  for (let tries = 0; tries < 3000; tries += 1) {
    for (const [id, state] of await inserts(trino)) {
      if (before.has(id) || ['FINISHED', 'FAILED'].includes(String(state))) continue;
      const killed = await trino
        .rows(`CALL system.runtime.kill_query(query_id => '${id}', message => 'by the test')`)
        .then(
          () => true,
          () => false,
        );
      if (killed) return String(id);
    }
    await sleep(5);
  }
  return 'nothing was killed';
}

/** The statements that runs have begun, in their order. */
async function begun(trino: Trino): Promise<readonly string[]> {
  const texts = await trino.rows(
    "SELECT query FROM system.runtime.queries WHERE source LIKE 'strata-%' ORDER BY created",
  );
  return texts.map(([text]) => String(text));
}

function inserts(trino: Trino): Promise<readonly (readonly unknown[])[]> {
  return trino.rows("SELECT query_id, state FROM system.runtime.queries WHERE source LIKE 'strata-%'");
}
