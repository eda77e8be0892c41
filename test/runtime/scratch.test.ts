import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { thisProcess } from '../../lib/adapters/store/holder.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { ownScratch, sweepScratch } from '../../lib/runtime/scratch.ts';
import { sql } from '../../lib/sql/fragment.ts';

const MODULE = fileURLToPath(new URL('../../lib/runtime/scratch.ts', import.meta.url));
const HOUR = 3_600_000;

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'strata-sweep-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

/** A folder with a spilled file, as old as that. */
function fill(path: string, ageMs = 0): string {
  mkdirSync(join(path, 'spill-1'), { recursive: true });
  writeFileSync(join(path, 'spill-1', 'duckdb_temp_storage_DEFAULT-0.tmp'), 'x');
  const at = new Date(Date.now() - ageMs);
  for (const one of [join(path, 'spill-1'), path]) utimesSync(one, at, at);
  return path;
}

/** The folder of a process that has ended without a chance to tidy up. */
function leftBehind(prefix = ''): string {
  const script = `import { ownScratch } from ${JSON.stringify(MODULE)};
process.stdout.write(ownScratch(${JSON.stringify(parent)}, ${JSON.stringify(prefix)}));`;
  return fill(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}

test('what a process has that is gone goes, what a living one has stays', async () => {
  const gone = leftBehind();
  const mine = fill(ownScratch(parent), 2 * HOUR);
  await sweepScratch(parent);
  assert.deepEqual([existsSync(gone), existsSync(mine)], [false, true]);
});

test('two lakes of one process have two folders', () => {
  assert.notEqual(ownScratch(parent), ownScratch(parent));
});

const elsewhere = `${encodeURIComponent(`other-host:${process.pid}:1`)}-0123456789ab`;
const CASES = [
  { name: 'of another host, two days old', folder: elsewhere, age: 48 * HOUR, stays: true },
  { name: 'of another host, eight days old', folder: elsewhere, age: 8 * 24 * HOUR, stays: false },
  { name: 'without an owner, of an hour ago', folder: 'orders-00000-0123456789ab', age: HOUR, stays: true },
  { name: 'without an owner, two days old', folder: 'orders-00000-0123456789ab', age: 48 * HOUR, stays: false },
];
for (const { name, folder, age, stays } of CASES) {
  test(`a folder ${name} ${stays ? 'stays' : 'goes'}`, async () => {
    const path = fill(join(parent, folder), age);
    await sweepScratch(parent);
    assert.equal(existsSync(path), stays);
  });
}

test('beside files of others only folders with the prefix and an owner that is gone go', async () => {
  const gone = leftBehind('strata-scratch-');
  const others = ['strata-scratch-notes', 'strata-kill-x', 'cache'].map((name) =>
    fill(join(parent, name), 9 * 24 * HOUR),
  );
  await sweepScratch(parent, 'strata-scratch-');
  assert.equal(existsSync(gone), false);
  assert.deepEqual(
    others.map((path) => existsSync(path)),
    [true, true, true],
  );
});

test('a process that ends, also by an error, leaves nothing', () => {
  const script = `import { mkdirSync } from 'node:fs';
import { ownScratch } from ${JSON.stringify(MODULE)};
mkdirSync(ownScratch(${JSON.stringify(parent)}), { recursive: true });
throw new Error('ended');`;
  assert.throws(() => execFileSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' }));
  assert.deepEqual(readdirSync(parent), []);
});

test('sessions that spill side by side have folders of their own, gone when they are closed', async () => {
  const scratch = join(parent, encodeURIComponent(thisProcess()));
  const options = { memoryBytes: 64e6, threads: 1, scratch };
  const engine = createDuckDbEngine();
  const sessions = [await engine.open(options), await engine.open(options)];
  for (const session of sessions) {
    await session.run({
      name: 'fill',
      text: sql`CREATE TABLE t AS SELECT i, md5(i::text) AS v FROM range(2000000) r(i)`,
    });
  }
  assert.equal(readdirSync(scratch).length, 2);
  for (const session of sessions) {
    const rows = await session.rows({ name: 'sum', text: sql`SELECT count(*) AS n, bit_xor(hash(i, v)) AS h FROM t` });
    assert.equal(rows[0]?.['n'], 2_000_000);
  }
  for (const session of sessions) await session[Symbol.asyncDispose]();
  assert.deepEqual(readdirSync(scratch), []);
});
