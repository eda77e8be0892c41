import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { SourceSpec } from '../../lib/core/spec.ts';
import { NotAlone } from '../../lib/core/turns.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { type InspectedFiles, inspectFiles } from '../../lib/lake/batch/batch-files.ts';

const scratch = mkdtempSync(join(tmpdir(), 'strata-beside-'));
after(() => rmSync(scratch, { recursive: true }));

const SOURCE: SourceSpec = {
  name: 'orders',
  format: { kind: 'csv', delimiter: ',', quote: '"', escape: '"', header: true, encoding: 'utf-8', nullText: [''] },
  columns: [{ source: 'id', name: 'id', type: { kind: 'int' }, parse: { kind: 'auto' }, required: false, checks: [] }],
  key: [],
  drift: 'fail',
  ignore: [],
};

async function inspect(key: string, text: string | undefined, alone: boolean): Promise<InspectedFiles> {
  if (text !== undefined) writeFileSync(join(scratch, key), text);
  const settings = { memoryBytes: 2e8, threads: 1, scratch, holder: () => 'test', leaseMs: 1 };
  const ids = { unique: () => `${key}-${alone}`, uuid: () => 'id', snapshot: () => 1n };
  const turns = { atOnce: 2, alone: () => alone, take: <T>(act: () => Promise<T>) => act() };
  const deps = { engine: createDuckDbEngine(), ids, settings, turns };
  const landed = [{ key, etag: '1', size: 9 }];
  return inspectFiles(deps, SOURCE, landed, { paths: new Map([[key, join(scratch, key)]]) }, scratch);
}

test('a file at which something is thrown beside others is looked at again alone before it is rejected', async () => {
  // It is gone, which stands for any fault of the disk.
  await assert.rejects(inspect('gone.csv', undefined, false), NotAlone);
  const { readable, rejected } = await inspect('gone.csv', undefined, true);
  assert.deepEqual([readable, rejected.map(({ code }) => code)], [[], ['UNREADABLE_FILE']]);
});

test('what a file is says the same beside others', async () => {
  for (const alone of [false, true]) {
    const { rejected } = await inspect('other.csv', 'amount\n1\n', alone);
    assert.deepEqual(
      rejected.map(({ code }) => code),
      ['SCHEMA_ERROR'],
    );
  }
});
