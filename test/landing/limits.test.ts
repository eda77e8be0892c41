import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readHead } from '../../lib/landing/file-bytes.ts';
import { parseHeader } from '../../lib/landing/header.ts';
import { inflate } from '../../lib/landing/inflate.ts';
import { MOST_COLUMNS } from '../../lib/landing/limits.ts';

const CSV = {
  ...({ kind: 'csv', delimiter: ',', quote: '"', escape: '"', header: true, encoding: 'utf-8' } as const),
  nullText: [''],
} as const;

function headerOf(columns: number): Uint8Array {
  return Buffer.from(Array.from({ length: columns }, (_, i) => `c${i}`).join(','));
}

test('a header may have as many columns as the limit says, and not one more', () => {
  const most = parseHeader(headerOf(MOST_COLUMNS), CSV);
  assert.equal(most.kind === 'header' && most.names.length, MOST_COLUMNS);
  const more = parseHeader(headerOf(MOST_COLUMNS + 1), CSV);
  assert.match(more.kind === 'damaged' ? more.reason : '', /has 5001 columns; at most 5000 are read\. Land them/);
});

async function inflated(
  free: number,
  others: number,
): Promise<{ readonly kind: string; readonly left: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-limits-'));
  try {
    await writeFile(join(folder, 'a.gz'), gzipSync(Buffer.alloc(1_000_000)));
    if (others > 0) await writeFile(join(folder, 'others'), Buffer.alloc(others));
    const head = await readHead(join(folder, 'a.gz'));
    assert.ok(head);
    const outcome = await inflate(head, join(folder, 'a'), async () => free).catch((cause: Error) => ({
      kind: 'thrown',
      reason: cause.message,
    }));
    if ('reason' in outcome)
      assert.match(outcome.reason, /more than \d+ bytes; the disk has room for \d+\. Land it in parts/);
    return { kind: outcome.kind, left: (await readdir(folder)).filter((name) => name === 'a') };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a file that inflates to less than the disk has room for is inflated', async () => {
  assert.deepEqual(await inflated(2_000_000, 0), { kind: 'inflated', left: ['a'] });
});

test('a file that inflates to more is stopped, and leaves nothing', async () => {
  assert.deepEqual(await inflated(900_000, 0), { kind: 'damaged', left: [] });
});

test('a file is not blamed for the room that others take', async () => {
  assert.deepEqual(await inflated(900_000, 500_000), { kind: 'thrown', left: [] });
});
