import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { benchModes } from '../../lib/runtime/bench-modes.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';

const folder = mkdtempSync(join(tmpdir(), 'strata-modes-'));
// What others leave in the folder for temporary files is no matter of these.
process.env['TMPDIR'] = folder;
after(() => rmSync(folder, { recursive: true }));

const write = (path: string, text: string): void => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
};
const files = (): readonly string[] => readdirSync(join(folder, 'lake'), { recursive: true }).map(String).sort();

test('modes are compared by all of their rows before they are timed, in lakes of their own', async () => {
  let served = 0;
  const postgres = createServer((socket) => {
    served += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  after(() => postgres.close());
  await once(postgres, 'listening');
  process.env['MODES_URL'] = `postgres://u:p@127.0.0.1:${(postgres.address() as AddressInfo).port}/x`;
  write(
    'pipelines/shop/pipeline.ts',
    `export default { name: 'shop', sources: { items: { format: 'csv', columns: { id: 'int', n: 'int' } } },
      serve: { postgres: { url: { secret: 'MODES_URL' }, tables: { items: { from: 'silver.items' } } } },
      silver: { items: { from: 'items' } },
      gold: { total: { sql: 'total.sql', expect: { positive: 'n > 0' } } } };`,
  );
  write('pipelines/shop/total.sql', 'SELECT id, sum(n)::BIGINT AS n FROM silver.items GROUP BY id');
  write(
    'pipelines/shop/same.sql',
    'SELECT DISTINCT id, (sum(n) OVER (PARTITION BY id))::BIGINT AS n FROM silver.items',
  );
  // As many rows with one sum, of which two have each other's values.
  write('pipelines/shop/swapped.sql', 'SELECT 3 - id AS id, sum(n)::BIGINT AS n FROM silver.items GROUP BY id');
  write('pipelines/shop/failing.sql', 'SELECT id, 0::BIGINT AS n FROM silver.items');
  const lake = await openLocalLake({
    ...{ root: join(folder, 'lake'), pipelines: join(folder, 'pipelines') },
    log: { info: () => undefined, warn: () => undefined },
  });
  const bench = (modes: readonly string[], rounds = 1, onRun = (_mode: string, _round: number): void => undefined) =>
    benchModes(lake, { pipeline: 'shop', modes, rounds, onRun });
  await assert.rejects(
    bench(['base']),
    (error) => error instanceof InvalidInput && /shop has no modes: expected .*bench\.yml/.test(error.message),
  );
  write('pipelines/shop/bench.yml', 'modes: [');
  await assert.rejects(bench(['base']), /bench\.yml cannot be read:\n.*line 1/);
  write('pipelines/shop/bench.yml', `${BENCH}  threads: { thread: 2 }\n`);
  await assert.rejects(bench(['base']), /modes\.threads: got something else; expected .*thread/);
  write('pipelines/shop/bench.yml', BENCH);
  await assert.rejects(bench(['base', 'sam']), /no mode "sam" in .*bench\.yml: expected .*did you mean "same"\?/);
  await assert.rejects(
    bench(['nothing']),
    /modes\.nothing\.sql\.silver\.items: got no model with an SQL file of its own/,
  );
  write('lake/bronze/shop/items/a.csv', 'id,n\n1,1\n1,2\n2,4\n');
  const before = files();
  const ran: string[] = [];
  const modes = await bench(['base', 'same', 'swapped', 'failing'], 1, (mode, round) => ran.push(`${mode} ${round}`));
  // First all, and then those that are right, in turns.
  assert.deepEqual(ran, ['base 0', 'same 0', 'swapped 0', 'failing 0', 'base 1', 'same 1']);
  assert.deepEqual(
    modes.map(({ mode, differences, error, runs }) => [mode, differences, error === null, runs.length]),
    [
      ['base', [], true, 1],
      ['same', [], true, 1],
      ['swapped', ['shop_gold.total: 2 rows -> 2: 2 more, 2 less'], true, 0],
      ['failing', [], false, 0],
    ],
  );
  assert.match(modes[3]?.error ?? '', /expectation positive does not hold/);
  assert.ok(modes[1]?.runs.every(({ ms, cpu_ms }) => ms > 0 && cpu_ms > 0));
  assert.deepEqual(files(), before);
  assert.equal(served, 0);
  assert.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith('strata-bench-')),
    [],
  );
});

const BENCH = `modes:
  base: {}
  same: { threads: 1, memoryBytes: 200000000, settings: { unitBytes: 1000 }, sql: { gold.total: same.sql } }
  swapped: { sql: { gold.total: swapped.sql } }
  failing: { sql: { gold.total: failing.sql } }
  nothing: { sql: { silver.items: same.sql } }
`;
