import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { isGone, thisProcess } from '../../../lib/adapters/store/holder.ts';

describe('the name of a process', () => {
  it('is the same at every call, and not gone while the process runs', () => {
    assert.equal(thisProcess(), thisProcess());
    assert.equal(isGone(thisProcess()), false);
  });

  it('is gone once the process has ended', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    assert.equal(isGone(`${hostname()}:${child.pid}:`), true);
  });

  it('is never gone on another machine, where nobody can know', () => {
    assert.equal(isGone('elsewhere.invalid:1:1'), false);
    assert.equal(isGone('elsewhere.invalid:4194305:1'), false);
  });
});
