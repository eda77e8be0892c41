import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { generateCrypto, parseCryptoOptions } from '../../lib/generate/crypto.ts';

type Snapshot = Readonly<Record<'current_price' | 'market_cap' | 'total_volume' | 'market_cap_rank', number>>;

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'strata-generate-crypto-'));
});
after(() => rm(root, { recursive: true }));

async function generate(name: string, changes: object, threads = 2) {
  const out = join(root, name);
  const options = parseCryptoOptions({ out, coins: '3', days: 2, interval: '12h', ...changes });
  const session = await createDuckDbEngine().open({ memoryBytes: 500_000_000, threads, scratch: root });
  await using _ = session;
  return { out, files: await generateCrypto(options, session) };
}

test('a file for each snapshot, and the last of each day again', async () => {
  const { out, files } = await generate('names', {});
  assert.deepEqual(
    files.map(({ table, path, rows }) => [table, path.slice(out.length + 1), rows]),
    [
      ['markets', 'markets/markets-2026-01-01T0000.json', 3],
      ['markets', 'markets/markets-2026-01-01T1200.json', 3],
      ['markets', 'markets/markets-2026-01-02T0000.json', 3],
      ['markets', 'markets/markets-2026-01-02T1200.json', 3],
      ['closes', 'closes/closes-2026-01-01.json', 3],
      ['closes', 'closes/closes-2026-01-02.json', 3],
    ],
  );
  const text = (name: string) => readFile(join(out, name), 'utf8');
  assert.equal(await text('closes/closes-2026-01-01.json'), await text('markets/markets-2026-01-01T1200.json'));
  assert.notEqual(await text('closes/closes-2026-01-02.json'), await text('closes/closes-2026-01-01.json'));
});

test('equal options give equal bytes with one thread and with four, another seed others', async () => {
  const bytes = async (name: string, changes: object, threads: number) => {
    const { files } = await generate(name, { coins: 5_000, days: 1, ...changes }, threads);
    return Promise.all(files.map(({ path }) => readFile(path, 'utf8')));
  };
  const one = await bytes('one', {}, 1);
  assert.deepEqual(await bytes('four', {}, 4), one);
  for (const [at, text] of (await bytes('seed', { seed: 7 }, 2)).entries()) assert.notEqual(text, one[at]);
});

test('changes of price, cap and volume are spread as they are declared', async () => {
  const { files } = await generate('spread', { coins: 9_999, days: 1 });
  const [file] = files;
  assert.ok(file);
  const rows = JSON.parse(await readFile(file.path, 'utf8')) as readonly Snapshot[];
  const deviation = (of: (row: Snapshot) => number): [mean: number, deviation: number] => {
    const logs = rows.map((row) => Math.log(of(row)));
    const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
    return [mean, Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / logs.length)];
  };
  const near = ([mean, spread]: [number, number], expected: number) => {
    assert.ok(Math.abs(mean) < expected / 20, `mean ${mean}`);
    assert.ok(Math.abs(spread / expected - 1) < 0.05, `deviation ${spread}, declared ${expected}`);
  };
  near(
    deviation((row) => row.current_price / (50_000 / row.market_cap_rank ** 1.5)),
    0.08,
  );
  near(
    deviation((row) => row.market_cap / (1e12 / row.market_cap_rank ** 1.2)),
    0.05,
  );
  near(
    deviation((row) => row.total_volume / (0.05 * row.market_cap)),
    0.4,
  );
});

test('options that make no sample are refused together, and so are files of another one', async () => {
  assert.throws(
    () => parseCryptoOptions({ out: 'x', coins: '0', interval: '7h', days: 'many' }),
    (error) =>
      error instanceof InvalidInput &&
      ['coins: got "0"', 'interval: got "7h"', 'days: got "many"'].every((part) => error.message.includes(part)),
  );
  const { out } = await generate('left', { days: 1 });
  await writeFile(join(out, 'markets', 'markets-2026-03-01T0000.json'), '[]');
  await assert.rejects(
    generate('left', { days: 1 }),
    /holds 1 markets files of another sample, such as markets-2026-03-01T0000/,
  );
  assert.equal((await readdir(join(out, 'markets'))).length, 3);
});
