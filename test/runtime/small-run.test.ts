import assert from 'node:assert/strict';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { openLocalLake } from '../../lib/runtime/local.ts';

/** What a small run asks of the engine, counted: work that is done twice shows here, without a clock. */

const folder = mkdtempSync(join(tmpdir(), 'strata-small-'));
after(() => rmSync(folder, { recursive: true }));

const SALES = 'SELECT word, count(*) AS n FROM silver.orders GROUP BY word';
const PIPELINE = {
  name: 'shop',
  sources: { orders: { format: 'csv', columns: { id: 'bigint', word: 'string' } } },
  silver: { orders: { from: 'orders' } },
  gold: { words: { sql: 'words.sql' }, totals: { sql: 'totals.sql' } },
};

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

test('a run of one file for three tables opens few databases, and one with nothing new fewer', async () => {
  write('pipelines/shop/pipeline.js', `export default ${JSON.stringify(PIPELINE)};\n`);
  write('pipelines/shop/words.sql', SALES);
  write('pipelines/shop/totals.sql', 'SELECT sum(n) AS n FROM gold.words');
  const databases = mock.method(DuckDBInstance, 'create');
  // Every other way of asking ends in this one.
  const statements = mock.method(DuckDBConnection.prototype, 'run');
  const counts: (readonly [kind: string, databases: number, statements: number])[] = [];
  for (const file of ['1', '2', undefined]) {
    if (file !== undefined) write(`lake/bronze/shop/orders/${file}.csv`, `id,word\n${file},a\n`);
    databases.mock.resetCalls();
    statements.mock.resetCalls();
    const silent = { info: () => undefined, warn: () => undefined };
    const settings = { memoryBytes: 5e8, threads: 2, log: silent };
    const lake = await openLocalLake({ root: join(folder, 'lake'), pipelines: join(folder, 'pipelines'), ...settings });
    const answer = await lake.run({ pipeline: 'shop' });
    counts.push([answer.kind, databases.mock.callCount(), statements.mock.callCount()]);
  }
  // The facts of the second wait for company: that nothing was spilled is known.
  const waiting = globSync('lake/ops/shop/_facts/*.json', { cwd: folder }).map((file) =>
    readFileSync(join(folder, file)),
  );
  const told = waiting.map((text) => JSON.parse(text.toString('utf8')) as { model_runs: { spilled_bytes: unknown }[] });
  assert.deepEqual(
    told.map(({ model_runs }) => model_runs.map(({ spilled_bytes }) => spilled_bytes)),
    [[0, 0, 0]],
  );
  const [first, second, idle] = counts;
  assert.deepEqual(
    counts.map(([kind, n]) => [kind, n]),
    [
      ['ended', 3],
      ['ended', 3],
      ['nothing', 2],
    ],
  );
  assert.ok((first?.[2] ?? 0) <= 121 && (second?.[2] ?? 0) <= 115 && (idle?.[2] ?? 0) <= 58, JSON.stringify(counts));
});
