import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { measureTree, processorMs } from '../../bench/process-tree.ts';

describe('measuring a process with those that it starts', () => {
  it('reads what bash says of those that it has waited for', () => {
    assert.equal(processorMs('0m0.001s 0m0.002s\n1m0.053s 0m0.012s\n'), 60_065);
    assert.throws(() => processorMs('real 1.0'), /got "real 1\.0"/);
  });
  it('counts what a child of it does', async () => {
    const busy = 'const end = performance.now() + 150; while (performance.now() < end);';
    const starts = `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(busy)}])`;
    const { cpuMs } = await measureTree(process.execPath, ['-e', starts], tmpdir());
    const { cpuMs: alone } = await measureTree(process.execPath, ['-e', ''], tmpdir());
    assert.ok((cpuMs ?? 0) > (alone ?? 0) * 1.5, `${cpuMs} ms, and ${alone} ms where nothing is started`);
  });
  it('fails with what the process said', async () => {
    await assert.rejects(
      measureTree(process.execPath, ['-e', "console.error('no such table'); process.exit(3)"], tmpdir()),
      /ended with 3:\nno such table/,
    );
  });
});
