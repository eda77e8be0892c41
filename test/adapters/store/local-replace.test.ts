import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createLocalStore } from '../../../lib/adapters/store/local.ts';
import { claimOf } from '../../../lib/adapters/store/local-replace.ts';
import type { ObjectStore } from '../../../lib/ports.ts';
import { bytesOf, increment, textOf } from '../../ports/store-contract.ts';
import { type Disturbance, disturbed } from '../../support/disturb-file-operations.ts';

const PROCESS = fileURLToPath(new URL('store-process.ts', import.meta.url));

let root: string;
let store: ObjectStore;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'strata-replace-'));
  store = createLocalStore({ root });
});
beforeEach(() => rm(join(root, 'ops'), { recursive: true, force: true }));
after(() => rm(root, { recursive: true, force: true }));

async function content(key: string): Promise<string> {
  return textOf((await store.read(key)).bytes);
}

/** A writer that ended after it had claimed the place of `ops/a`, before it took it. */
async function claimed(text: string): Promise<void> {
  await mkdir(join(root, 'ops'), { recursive: true });
  await writeFile(join(root, 'ops/.strata-dead.tmp'), text);
  await symlink('.strata-dead.tmp', claimOf(join(root, 'ops/a'), await stat(join(root, 'ops/a'), { bigint: true })));
}

describe('a file takes the place of another without a lock', () => {
  it('carries out what a writer that is gone had claimed, before its own', async () => {
    await store.write('ops/a', bytesOf('1'), { kind: 'any' });
    const { etag } = await store.read('ops/a');
    await claimed('2');
    assert.equal(await content('ops/a'), '1');
    assert.deepEqual(await store.write('ops/a', bytesOf('3'), { kind: 'match', etag }), { kind: 'conflict' });
    assert.equal(await content('ops/a'), '2');
    await store.write('ops/a', bytesOf('4'), { kind: 'any' });
    assert.equal(await content('ops/a'), '4');
    assert.deepEqual(await readdir(join(root, 'ops')), ['a']);
  });

  it('clears away a claim whose file is gone, and one on a state that has passed', async () => {
    await store.write('ops/a', bytesOf('1'), { kind: 'any' });
    await claimed('2');
    await rm(join(root, 'ops/.strata-dead.tmp'));
    assert.equal((await store.write('ops/a', bytesOf('3'), { kind: 'any' })).kind, 'written');
    assert.deepEqual(await readdir(join(root, 'ops')), ['a']);
    await claimed('4');
    await writeFile(join(root, 'ops/a'), 'by hand');
    assert.equal((await store.write('ops/a', bytesOf('5'), { kind: 'any' })).kind, 'written');
    assert.equal(await content('ops/a'), '5');
  });

  it('is not held up by a lock that another release or machine left', async () => {
    await store.write('ops/a', bytesOf('1'), { kind: 'any' });
    await symlink('elsewhere:1:1', join(root, 'ops/.strata-0123456789abcdef01234567.lock'));
    assert.equal((await store.write('ops/a', bytesOf('2'), { kind: 'any' })).kind, 'written');
  });
});

const skip = existsSync('/proc/self/stat') ? false : 'this system does not tell whether a process is stopped';
const STOPS: readonly Omit<Disturbance, 'kind' | 'nth'>[] = [
  { operation: 'symlink' },
  { operation: 'rename' },
  { operation: 'unlink', path: '\\.next$' },
];

describe('a process that is stopped while it replaces a file', { skip }, () => {
  for (const stop of STOPS) {
    it(`holds up nobody and undoes nothing when it wakes: ${JSON.stringify(stop)}`, async () => {
      await store.write('ops/counter', bytesOf('0'), { kind: 'absent' });
      const child = startStopped({ kind: 'stop', nth: 1, ...stop });
      try {
        await stopped(child);
        await increment(store, 'ops/counter', 5);
        assert.ok(['5', '6'].includes(await content('ops/counter')));
        child.kill('SIGCONT');
        const [code] = await once(child, 'exit');
        assert.equal(code, 0);
        assert.equal(await content('ops/counter'), '30', 'each of 25 and 5 increments counts once');
        assert.deepEqual(await readdir(join(root, 'ops')), ['counter']);
      } finally {
        child.kill('SIGKILL');
      }
    });
  }

  for (const stop of STOPS) {
    it(`killed there leaves nothing in the way: ${JSON.stringify(stop)}`, async () => {
      await store.write('ops/counter', bytesOf('0'), { kind: 'absent' });
      const child = startStopped({ kind: 'kill', nth: 1, ...stop });
      await once(child, 'exit');
      await increment(store, 'ops/counter', 5);
      assert.ok(['5', '6'].includes(await content('ops/counter')));
      for (const name of await readdir(join(root, 'ops'))) {
        if (name.endsWith('.next'))
          await assert.rejects(stat(join(root, 'ops', await readlink(join(root, 'ops', name)))));
      }
    });
  }
});

function startStopped(disturbance: Disturbance): ChildProcess {
  const { args, env } = disturbed(disturbance);
  return spawn(process.execPath, [...args, PROCESS, 'count', root], { env: { ...env }, stdio: 'inherit' });
}

/** Waits until the process has been stopped by a signal. */
async function stopped(child: ChildProcess): Promise<void> {
  for (;;) {
    assert.equal(child.exitCode, null, 'the process ended before it came to what it should stop at');
    const text = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
    if (text.slice(text.lastIndexOf(')') + 2).startsWith('T')) return;
    await sleep(10);
  }
}
