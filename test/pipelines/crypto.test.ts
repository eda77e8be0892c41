import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { generateCrypto, parseCryptoOptions } from '../../lib/generate/crypto.ts';
import pipeline from '../../pipelines/crypto/pipeline.ts';
import { openPipelineLake, runBatches } from './runs.ts';

type Landed = { readonly source: string; readonly file: string; readonly content: string };
type Snapshot = {
  readonly id: string;
  readonly current_price: number | null;
  readonly market_cap: number;
  readonly total_volume: number;
  readonly last_updated: string;
};
type Top = { readonly day: string; readonly coins: number; readonly cap: number; readonly price: number | null };

const TOP10 = `SELECT CAST(partition_date AS VARCHAR) AS day, coins, CAST(total_market_cap AS DOUBLE) AS cap,
  CAST(avg_price AS DOUBLE) AS price FROM t ORDER BY ALL`;

/** What gold must say, by a walk over the snapshots. */
function topTen(snapshots: readonly Snapshot[]): Top[] {
  const days = Map.groupBy(snapshots, ({ last_updated }) => last_updated.slice(0, 10));
  return Array.from(days, ([day, ofDay]) => {
    const latest = new Map<string, Snapshot>();
    for (const one of ofDay) {
      const known = latest.get(one.id);
      if (known === undefined || known.last_updated < one.last_updated) latest.set(one.id, one);
    }
    const top = [...latest.values()]
      .sort((a, b) => b.total_volume - a.total_volume || (a.id < b.id ? -1 : 1))
      .slice(0, 10);
    const prices = top.flatMap(({ current_price }) => current_price ?? []);
    const cap = top.reduce((sum, one) => sum + one.market_cap, 0);
    const price = prices.length === 0 ? null : prices.reduce((sum, one) => sum + one, 0) / prices.length;
    return { day, coins: top.length, cap, price };
  }).sort((a, b) => (a.day < b.day ? -1 : 1));
}

async function assertTopTen(batches: readonly (readonly Landed[])[], snapshots: readonly Snapshot[]): Promise<void> {
  const lake = await openPipelineLake(pipeline);
  try {
    await runBatches(lake, batches);
    const kept = await lake.rows('crypto_silver.markets', 'SELECT CAST(count(*) AS INTEGER) AS n FROM t');
    assert.deepEqual(kept, [{ n: new Set(snapshots.map((one) => `${one.id} ${one.last_updated}`)).size }]);
    const rounded = ({ price, ...rest }: Top): Top => ({ ...rest, price: price && Number(price.toFixed(6)) });
    const found = (await lake.rows('crypto_gold.daily_top10', TOP10)) as unknown as readonly Top[];
    assert.deepEqual(found.map(rounded), topTen(snapshots).map(rounded));
    const report = new TextDecoder().decode((await lake.store.read('exports/crypto/Final_Report.csv')).bytes);
    const [header, ...records] = report.split('\r\n').map((record) => record.split(','));
    assert.deepEqual(header, ['partition_date', 'coins', 'total_market_cap', 'avg_price']);
    // The last record ends in CRLF too.
    assert.deepEqual(records.pop(), ['']);
    const told = records.map(([day = '', coins, cap, price]): Top => {
      return { day, coins: Number(coins), cap: Number(cap), price: price === '' ? null : Number(price) };
    });
    assert.deepEqual(told.map(rounded), topTen(snapshots).map(rounded));
  } finally {
    lake.close();
  }
}

function read(source: string, path: string): Landed {
  return { source, file: basename(path), content: readFileSync(path, 'utf8') };
}

const parse = ({ content }: Landed): readonly Snapshot[] => JSON.parse(content) as readonly Snapshot[];

test('generated snapshots: each is kept, the latest of a day counts, in any order', async () => {
  const out = await mkdtemp(join(tmpdir(), 'strata-crypto-'));
  try {
    const session = await createDuckDbEngine().open({ memoryBytes: 1e9, threads: 2, scratch: out });
    await using _ = session;
    await generateCrypto(parseCryptoOptions({ out, coins: 14, days: 3, interval: '8h' }), session);
    const files = globSync(join(out, 'markets', '*.json'))
      .sort()
      .map((path) => read('markets', path));
    assert.equal(files.length, 9);
    const [first, ...others] = files.toReversed();
    assert.ok(first);
    // One of them is sent twice.
    await assertTopTen(
      [
        [first, ...others.slice(4)],
        [...others.slice(0, 4), { ...first, file: 'again.json' }],
      ],
      files.flatMap(parse),
    );
  } finally {
    await rm(out, { recursive: true });
  }
});

const REAL = fileURLToPath(new URL('../../../shared/data/crypto/markets_daily', import.meta.url));
const real = existsSync(REAL) ? {} : { skip: 'the real market files are not on this machine' };

test('real snapshots: sixty days of ten coins', real, async () => {
  const files = globSync(join(REAL, '*.json'))
    .sort()
    .map((path) => read('markets', path));
  const snapshots = files.flatMap(parse);
  assert.deepEqual([files.length, snapshots.length, topTen(snapshots).length], [60, 1380, 60]);
  await assertTopTen([files.slice(0, 30), files.slice(30)], snapshots);
});

test('of one snapshot that is sent with two sets of figures the larger volume counts, whatever arrives first', async () => {
  const at = (volume: number): Landed => ({
    source: 'markets',
    file: `${volume}.json`,
    content: JSON.stringify([
      {
        id: 'a',
        symbol: 'a',
        name: 'A',
        total_volume: volume,
        current_price: volume,
        last_updated: '2026-01-01T00:00:00Z',
      },
    ]),
  });
  for (const batches of [
    [[at(1)], [at(2)]],
    [[at(2)], [at(1)]],
  ]) {
    const lake = await openPipelineLake(pipeline);
    try {
      await runBatches(lake, batches);
      assert.deepEqual(await lake.rows('crypto_silver.markets', 'SELECT id, current_price FROM t'), [
        { id: 'a', current_price: '2.00000000' },
      ]);
    } finally {
      lake.close();
    }
  }
});
