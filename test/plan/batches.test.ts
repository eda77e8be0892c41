import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ModelMode } from '../../lib/core/spec.ts';
import { type BatchFiles, survivingFiles } from '../../lib/plan/batches.ts';

const files = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 });
const batches = fc
  .array(fc.record({ files, empty: fc.boolean(), counts: fc.boolean() }), { maxLength: 6 })
  .map((all): readonly BatchFiles<string>[] =>
    all.map((one, batch) => ({
      batch,
      // A file is its partition with its batch, so that each is told apart.
      files: one.counts && !one.empty ? one.files.map((partition) => `${partition}${batch}`) : [],
      counts: one.counts,
    })),
  );
const partitionOf = (file: string): string => file.slice(0, 1);

/** What a table holds after its batches, run one by one. */
function oneByOne(mode: ModelMode['kind'], all: readonly BatchFiles<string>[]): readonly string[] {
  let table: readonly string[] = [];
  for (const { files: added, counts } of all) {
    if (mode === 'full') table = counts ? added : table;
    else if (mode === 'replace') {
      const touched = new Set(added.map(partitionOf));
      table = [...table.filter((file) => !touched.has(partitionOf(file))), ...added];
    } else table = [...table, ...added];
  }
  return table;
}

describe('what stays of a table that is made anew from batches', () => {
  for (const mode of ['append', 'upsert', 'scd2', 'replace', 'full'] as const) {
    test(`${mode}: what runs of one batch each would have left`, () => {
      fc.assert(
        fc.property(batches, (all) => {
          assert.deepEqual([...survivingFiles(mode, all, partitionOf)].sort(), [...oneByOne(mode, all)].sort());
        }),
      );
    });
  }
});
