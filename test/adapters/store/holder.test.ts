import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { isGone, type ProcessSpace, thisProcess } from '../../../lib/adapters/store/holder.ts';

const HERE: ProcessSpace = { host: 'laptop', boot: 'boot-1', namespace: '4026531836' };

/** The name of a process of this machine that has ended, as one in `space` would have it. */
async function ended(space?: ProcessSpace): Promise<string> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return thisProcess(space).replace(`:${process.pid}:`, `:${child.pid}:`);
}

describe('the name of a process', () => {
  it('is the same at every call, and not gone while the process runs', () => {
    assert.equal(thisProcess(), thisProcess());
    assert.equal(isGone(thisProcess()), false);
    assert.equal(isGone(thisProcess(HERE), HERE), false);
  });

  it('is gone once the process has ended, or its number is that of a later one', async () => {
    assert.equal(isGone(await ended()), true);
    assert.equal(isGone(await ended(HERE), HERE), true);
    const [host, pid, start, ...rest] = thisProcess(HERE).split(':');
    if (start !== '') assert.equal(isGone([host, pid, '1', ...rest].join(':'), HERE), true);
  });

  it('is gone whatever the machine is called by now', async () => {
    assert.equal(isGone(await ended(HERE), { ...HERE, host: 'renamed' }), true);
  });

  const elsewhere: readonly (readonly [string, ProcessSpace])[] = [
    ['another PID namespace, as in containers with one host name', { ...HERE, namespace: '4026532999' }],
    ['another boot, be it of this machine or of one with its name', { ...HERE, boot: 'boot-2' }],
    ['a system that tells no boot', { ...HERE, boot: '' }],
    ['another host where there are no namespaces', { host: 'other', boot: 'darwin', namespace: '' }],
  ];
  for (const [where, space] of elsewhere) {
    it(`is never gone in ${where}`, async () => {
      const reader = space.namespace === '' ? { ...space, host: 'laptop' } : HERE;
      assert.equal(isGone(await ended(space), reader), false);
    });
  }

  it('is never gone under a name that another release or a person wrote', () => {
    for (const name of ['laptop:4194305:1', 'elsewhere.invalid:1:1', 'run:r-1', '', 'a:b:c:boot-1:4026531836']) {
      assert.equal(isGone(name, HERE), false, name);
    }
  });
});
