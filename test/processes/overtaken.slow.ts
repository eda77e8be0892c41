import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CliLake, openCliLake } from '../cli/lake.ts';
import { type Disturbance, disturbed } from '../support/disturb-file-operations.ts';

const BIN = new URL('../../bin/strata.ts', import.meta.url).pathname;

/** A process that stands still loses its lock after so long; a lease is watched for as long again. */
const LEASE_MS = '600';
before(() => {
  process.env['STRATA_LEASE_MS'] = LEASE_MS;
});
after(() => {
  delete process.env['STRATA_LEASE_MS'];
});

const DEFINITION = `{ name: 'shop', sources: { orders: csv({ columns: { id: 'bigint', amount: 'bigint' } }) },
  silver: { orders: { from: 'orders', mode: append({ dedupe: { key: 'id' } }) } } }`;

function rows(first: number, count: number): string {
  return `id,amount\n${Array.from({ length: count }, (_, at) => `${first + at},1`).join('\n')}\n`;
}

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

function start(lake: CliLake, disturbance?: Disturbance, prefix: readonly string[] = []): ChildProcess {
  const { args, env } = disturbance === undefined ? { args: [], env: process.env } : disturbed(disturbance);
  const options = ['--root', lake.root, '--pipelines', join(lake.root, '../pipelines'), '--json', '--wait'];
  const [command = '', ...rest] = [...prefix, process.execPath, ...args, BIN, 'run', 'shop', ...options];
  return spawn(command, rest, { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function ended(child: ChildProcess): Promise<Ended> {
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (part: string) => {
      text[stream] += part;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...text };
}

/** Waits until the process has been stopped by a signal; false when it ended before. */
async function isStopped(child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null) {
    const text = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
    if (text.slice(text.lastIndexOf(')') + 2).startsWith('T')) return true;
    await sleep(10);
  }
  return false;
}

/** Each row is in the table once, and the accounts say so. */
async function checkRows(lake: CliLake, count: number, where: string): Promise<void> {
  const table = 'SELECT count(*) AS n, count(DISTINCT id) AS ids FROM shop_silver.orders';
  assert.deepEqual(await lake.json(0, 'query', table), [{ n: count, ids: count }], where);
  const accounts = 'SELECT sum("read")::BIGINT AS r, sum(accepted)::BIGINT AS a FROM shop_ops.accounting';
  assert.deepEqual(await lake.json(0, 'query', accounts), [{ r: count, a: count }], where);
}

const skip = existsSync('/proc/self/stat') ? false : 'this system does not tell whether a process is stopped';

/** Where the process stops: before it takes the lock, plans, publishes, says that it ended, and tidies up. */
const STOPS: readonly Omit<Disturbance, 'kind' | 'nth'>[] = [
  { operation: 'symlink', path: 'ops/shop/' },
  { operation: 'link', path: '/plan\\.json$' },
  { operation: 'link', path: 'silver/shop/orders/metadata/v2\\.' },
  { operation: 'link', path: 'ops/shop/files/metadata/v2\\.' },
  { operation: 'link', path: '_runs/[^/]+/result\\.json$' },
  { operation: 'unlink', path: '/_runs/' },
  { operation: 'rename', path: 'ops/shop/open-run\\.json$' },
];

describe('a process that is stopped, overtaken, and goes on', { skip }, () => {
  for (const stop of STOPS) {
    const where = JSON.stringify(stop);
    test(where, async () => {
      const lake = openCliLake('shop', DEFINITION);
      let child: ChildProcess | undefined;
      try {
        await lake.land('shop', 'orders', 'a.csv', rows(0, 10));
        await lake.json(0, 'run', 'shop');
        await lake.land('shop', 'orders', 'b.csv', rows(10, 10));
        child = start(lake, { kind: 'stop', nth: 1, ...stop });
        const first = ended(child);
        assert.ok(await isStopped(child), 'the run ended before it came to what it should stop at');
        await lake.land('shop', 'orders', 'c.csv', rows(20, 10));
        await lake.json(0, 'run', 'shop', '--wait');
        child.kill('SIGCONT');
        const { code, stdout } = await first;
        assert.ok(code === 0 || code === 3, `${where}: ended with ${code}: ${stdout}`);
        await lake.json(0, 'run', 'shop', '--wait');
        await checkRows(lake, 30, where);
        const { status } = await lake.json<{ status: string }>(0, 'run', 'shop', '--wait');
        assert.equal(status, 'NOTHING_TO_DO', where);
      } finally {
        child?.kill('SIGKILL');
        lake.close();
      }
    });
  }
});

const UNSHARE = ['unshare', '--pid', '--fork', '--mount-proc'];

function cannotUnshare(): string | false {
  try {
    execFileSync(UNSHARE[0] ?? '', [...UNSHARE.slice(1), 'true'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs the right to make PID namespaces (unshare as root)';
  }
}

test('processes of one host name in PID namespaces of their own take no lock of each other', {
  skip: cannotUnshare(),
}, async () => {
  const lake = openCliLake('shop', DEFINITION);
  process.env['STRATA_LEASE_MS'] = '60000';
  try {
    for (const [round, files] of [3, 3].entries()) {
      for (let file = 0; file < files; file += 1) {
        const at = round * files + file;
        await lake.land('shop', 'orders', `${at}.csv`, rows(at * 100, 100));
      }
      const runs = Array.from({ length: 3 }, () => ended(start(lake, undefined, UNSHARE)));
      for (const { code, stdout, stderr } of await Promise.all(runs)) {
        assert.equal(code, 0, stdout + stderr);
        assert.doesNotMatch(stderr, /unfinished run is resumed/, 'a live run was taken for one that is gone');
      }
    }
    await checkRows(lake, 600, 'three at once, twice');
  } finally {
    process.env['STRATA_LEASE_MS'] = LEASE_MS;
    lake.close();
  }
});
