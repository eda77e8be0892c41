import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_RULES, type MaintenanceRules, rulesOf } from '../../lib/core/maintenance-rules.ts';
import { findDue, operationsOf, type PipelineFacts, type TableFacts } from '../../lib/plan/maintenance-due.ts';

const HOUR = 3_600_000;
const QUIET: TableFacts = {
  table: 'shop_silver.items',
  grown: 0,
  addedBytes: 1_000,
  targetBytes: 128 * 2 ** 20,
  deleteFiles: 0,
  deletedPercent: 0,
  manifests: 5,
  expirable: 0,
};
const facts = (table: Partial<TableFacts>, more: Partial<PipelineFacts> = {}): PipelineFacts => ({
  runs: 20,
  sinceVacuumMs: HOUR,
  tables: [{ ...QUIET, ...table }],
  ...more,
});

const CASES: readonly (readonly [string, PipelineFacts, Partial<MaintenanceRules>, readonly string[]])[] = [
  ['a quiet table', facts({}), {}, []],
  ['one file less than is worth it', facts({ grown: 15 }), {}, []],
  ['small files', facts({ grown: 16 }), {}, ['compact shop_silver.items: 16 small files since the last time']],
  ['few runs since the last time', facts({ grown: 500 }, { runs: 19 }), {}, []],
  ['large files', facts({ grown: 100, addedBytes: 100 * 2 ** 20 }), {}, []],
  [
    'files of 95 MB, where 128 MB are wanted',
    facts({ grown: 100, addedBytes: 95 * 2 ** 20 }),
    {},
    ['compact shop_silver.items: 100 small files since the last time'],
  ],
  [
    'deletes of another engine',
    facts({ deleteFiles: 16 }),
    {},
    ['compact shop_silver.items: 16 files of deleted rows'],
  ],
  ['rows that are deleted in place, not yet many', facts({ deletedPercent: 9 }), {}, []],
  [
    'rows that are deleted in place',
    facts({ deletedPercent: 10 }),
    {},
    ['compact shop_silver.items: 10 % of its rows are deleted in place'],
  ],
  ['manifests', facts({ manifests: 100 }), {}, ['compact shop_silver.items: 100 manifests']],
  ['a summary that counts no manifests', facts({ manifests: undefined }), {}, []],
  ['old snapshots', facts({ expirable: 20 }), {}, ['expire shop_silver.items: 20 snapshots past their age']],
  [
    'a day since the last vacuum',
    facts({}, { sinceVacuumMs: 24 * HOUR }),
    {},
    ['vacuum: nothing was removed for 24 h'],
  ],
  [
    'other rules',
    facts({ grown: 3 }, { runs: 2 }),
    { everyRuns: 2, compactAfter: 3 },
    ['compact shop_silver.items: 3 small files since the last time'],
  ],
];

for (const [what, given, rules, expected] of CASES) {
  test(`maintenance that is due: ${what}`, () => {
    const due = findDue(given, { ...DEFAULT_RULES, ...rules });
    assert.deepEqual(
      due.map(({ operation, table, why }) => `${[operation, table].filter((text) => text !== null).join(' ')}: ${why}`),
      expected,
    );
  });
}

test('operations are done once each, in an order: what a compaction leaves behind may be forgotten after it', () => {
  const due = findDue(
    {
      runs: 30,
      sinceVacuumMs: 48 * HOUR,
      tables: [
        { ...QUIET, expirable: 30 },
        { ...QUIET, grown: 30 },
      ],
    },
    DEFAULT_RULES,
  );
  assert.deepEqual(operationsOf(due), ['compact', 'expire', 'vacuum']);
});

test('the rules of a pipeline: defaults, its own, and none', () => {
  assert.equal(DEFAULT_RULES.olderThanMs, 168 * HOUR);
  assert.deepEqual(rulesOf({}), DEFAULT_RULES);
  assert.deepEqual(rulesOf({ maintenance: { keep: 9, schedule: 'rate(1 day)' } }), { ...DEFAULT_RULES, keep: 9 });
  assert.equal(rulesOf({ maintenance: null }), undefined);
});
