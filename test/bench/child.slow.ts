import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { measureNode } from '../../bench/child.ts';

describe('measuring a process', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'strata-bench-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const script = async (text: string): Promise<string> => {
    const path = join(folder, 'script.mjs');
    await writeFile(path, text);
    return path;
  };

  it('returns what it prints, and sees the memory that it filled', async () => {
    const path = await script(
      'const b = Buffer.alloc(200_000_000, 1); process.stdout.write(process.argv[2] + b.length);',
    );
    const { ms, cpuMs, peakBytes, stdout } = await measureNode(path, ['argument '], folder);
    assert.equal(stdout, 'argument 200000000');
    assert.ok(ms > 0 && (cpuMs ?? 0) > 0);
    assert.ok((peakBytes ?? 0) > 200_000_000, `got ${peakBytes}`);
  });
  it('does not take its own memory for that of the process', async () => {
    const ballast = Buffer.alloc(300_000_000, 1);
    const { peakBytes } = await measureNode(await script(''), [], folder);
    assert.ok((peakBytes ?? Number.NaN) < ballast.length, `got ${peakBytes}`);
  });
  it('fails with what the process said', async () => {
    const path = await script("console.error('no such table'); process.exit(3)");
    await assert.rejects(measureNode(path, [], folder), /ended with 3:\nno such table/);
  });
});
