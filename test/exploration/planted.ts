import type { Bounds } from './explore.ts';
import type { Mistake } from './mistakes.ts';
import type { Scenario } from './play.ts';
import type { Schedule } from './scheduler.ts';

/** A planted mistake, where it is searched for, and the least that has to happen for it to show. */
export type Planted = Mistake & {
  readonly scenario: Scenario;
  readonly bounds: Bounds;
  readonly schedule: Schedule;
  /** What the invariant says that does not hold. */
  readonly shows: RegExp;
};

const RUNS: Scenario = { runs: 2, actors: { a: 'run', b: 'run' } };
const ALONE: Scenario = { runs: 2, actors: { a: 'run' } };
const VACUUMED: Scenario = { runs: 2, actors: { a: 'run', b: 'vacuum' } };
const ONE_PAUSE: Bounds = { pauses: 1, faults: 0 };
const ONE_CRASH: Bounds = { pauses: 0, faults: 1, kinds: ['crash'] };
const ONE_WEEK: Bounds = { pauses: 1, faults: 1, kinds: ['late'] };
const ONE_REFUSAL: Bounds = { pauses: 0, faults: 1, kinds: ['refused'] };

/** Lines of the product as they are there, and as they must not be. */
export const PLANTED: readonly Planted[] = [
  {
    name: 'no-fence',
    file: 'lib/lake/run/fence.ts',
    changes: [['return { store: fencedStore(deps, run),', 'return { store: deps.store,']],
    scenario: RUNS,
    bounds: ONE_WEEK,
    schedule: {
      first: 'a',
      events: [{ actor: 'a', before: 'write ops/shop/_runs/run-a/committing.json', what: 'late', next: 'b' }],
    },
    shows: /a has been overtaken, and goes on to write ops/,
  },
  {
    name: 'lease-not-checked-at-commit',
    file: 'lib/lake/run/fence.ts',
    changes: [
      ['      await requireHeld(deps, run);\n      return deps.catalog.commit', '      return deps.catalog.commit'],
    ],
    scenario: RUNS,
    bounds: { pauses: 2, faults: 1, kinds: ['late'], at: /^(write .*committing|read .*run-a\/plan)\.json$/ },
    schedule: {
      first: 'a',
      events: [
        { actor: 'a', before: 'write ops/shop/_runs/run-a/committing.json', what: 'late', next: 'b' },
        { actor: 'b', before: 'read ops/shop/_runs/run-a/plan.json', what: 'pause', next: 'a' },
      ],
    },
    shows: /a has been overtaken, and goes on to write gold/,
  },
  {
    name: 'mark-after-the-first-publication',
    file: 'lib/steps/commit/commit.ts',
    changes: [
      ['  if (!run.dry_run) await decideToCommit(deps.store, run, deps.clock.now().toISOString());\n', ''],
      [
        '    await publishBooks(deps, plan, sources, books);',
        '    await decideToCommit(deps.store, run, deps.clock.now().toISOString());\n' +
          '    await publishBooks(deps, plan, sources, books);',
      ],
    ],
    scenario: ALONE,
    bounds: ONE_REFUSAL,
    schedule: {
      first: 'a',
      events: [{ actor: 'a', before: 'write gold/shop/total/metadata/v3.metadata.json', what: 'refused' }],
    },
    shows: /shop_silver.items: snapshot \d+ cannot be read/,
  },
  {
    name: 'undone-although-published',
    file: 'lib/lake/run/decision.ts',
    changes: [
      [
        '(store, runFolder.committing(run), decision)).undo !== undefined;',
        '(store, runFolder.committing(run), decision)) !== undefined;',
      ],
    ],
    scenario: ALONE,
    bounds: ONE_REFUSAL,
    schedule: {
      first: 'a',
      events: [{ actor: 'a', before: 'write gold/shop/total/metadata/v3.metadata.json', what: 'refused' }],
    },
    shows: /shop_silver.items: snapshot \d+ cannot be read/,
  },
  {
    name: 'vacuum-by-age-alone',
    file: 'lib/lake/maintain/vacuum-table.ts',
    changes: [
      [
        'orphansOf(deps, id, Math.min(before, needs.since), needs, counted)',
        'orphansOf(deps, id, before, needs, counted)',
      ],
    ],
    scenario: VACUUMED,
    bounds: ONE_WEEK,
    schedule: {
      first: 'a',
      events: [{ actor: 'a', before: 'write ops/shop/_runs/run-a/tables/silver.items.json', what: 'late', next: 'b' }],
    },
    shows: /no object |cannot be read/,
  },
  {
    name: 'folders-of-runs-by-age-alone',
    file: 'lib/lake/maintain/vacuum-runs.ts',
    changes: [['return at !== undefined && at < before ? [{ id, at }] : [];', 'return [{ id, at: at ?? before }];']],
    scenario: VACUUMED,
    bounds: ONE_WEEK,
    schedule: {
      first: 'a',
      events: [{ actor: 'a', before: 'write ops/shop/_runs/run-a/tables/silver.items.json', what: 'late', next: 'b' }],
    },
    shows: /no object /,
  },
  {
    name: 'removed-before-forgotten',
    file: 'lib/lake/maintain/expire-table.ts',
    changes: [
      [
        '    if (expiry !== undefined) last.expiry = expiry;',
        '    if (expiry !== undefined) last.expiry = expiry;\n' +
          '    if (expiry !== undefined) await removeRecorded(deps.store, record, fullName(id), ' +
          'filesBelow(deps.store, id, unneededFiles(deps.store, expiry.unneeded), counted));',
      ],
      ['  await removeRecorded(deps.store, record, fullName(id), files);\n', ''],
    ],
    scenario: { runs: 2, actors: { a: 'expire' } },
    bounds: ONE_CRASH,
    schedule: {
      first: 'a',
      events: [{ actor: 'a', before: 'write silver/shop/items/metadata/v3.metadata.json', what: 'crash' }],
    },
    shows: /snapshot \d+ cannot be read/,
  },
  {
    name: 'commit-without-comparing',
    file: 'lib/adapters/catalog/file.ts',
    changes: [[".write(key, bytes, { kind: 'absent' })", ".write(key, bytes, { kind: 'any' })"]],
    scenario: { runs: 2, actors: { a: 'run', b: 'compact' } },
    bounds: ONE_PAUSE,
    schedule: {
      first: 'b',
      events: [{ actor: 'b', before: 'write silver/shop/items/metadata/v3.metadata.json', what: 'pause', next: 'a' }],
    },
    shows: /rows of items/,
  },
  {
    name: 'lock-taken-without-comparing',
    file: 'lib/lake/run/lock.ts',
    changes: [
      [
        '  return swapJson(store, lockKey(of), seen?.etag, lock);',
        '  return seen === undefined\n' +
          '    ? swapJson(store, lockKey(of), undefined, lock)\n' +
          "    : store.write(lockKey(of), new TextEncoder().encode(JSON.stringify(lock)), { kind: 'any' }).then(() => true);",
      ],
    ],
    scenario: RUNS,
    bounds: { pauses: 2, faults: 0 },
    schedule: {
      first: 'a',
      events: [
        { actor: 'a', before: 'write ops/shop/lock.json', what: 'pause', next: 'b' },
        { actor: 'b', before: 'read silver/shop/items/metadata/v2.metadata.json', what: 'pause', next: 'a' },
      ],
    },
    shows: /b has been overtaken, and goes on to write ops/,
  },
  {
    name: 'epochs-that-begin-anew',
    file: 'lib/lake/run/lock.ts',
    changes: [['const last = seen?.lock.epoch ?? (await readOpenRun(deps.store, run)).epoch;', 'const last = 0;']],
    scenario: RUNS,
    bounds: ONE_WEEK,
    schedule: {
      first: 'a',
      events: [{ actor: 'a', before: 'write ops/shop/_runs/run-a/committing.json', what: 'late', next: 'b' }],
    },
    shows: /a has been overtaken, and goes on to write ops/,
  },
  {
    name: 'unfinished-run-left-behind',
    file: 'lib/steps/open/open.ts',
    changes: [
      [
        '    if (unfinished !== undefined) {',
        '    if (unfinished !== undefined && unfinished.run.run_id === run.run_id) {',
      ],
    ],
    scenario: RUNS,
    bounds: ONE_CRASH,
    schedule: {
      first: 'a',
      events: [{ actor: 'a', before: 'write silver/shop/items/metadata/version-hint.text', what: 'crash', next: 'b' }],
    },
    shows: /rows of items/,
  },
  {
    name: 'own-commit-not-recognised',
    file: 'lib/table/commit.ts',
    changes: [
      [
        '  if (rewrite === true || runId === undefined) return undefined;',
        '  if (rewrite !== undefined || runId !== undefined) return undefined;',
      ],
    ],
    scenario: ALONE,
    bounds: { pauses: 0, faults: 1, kinds: ['lost'] },
    schedule: { first: 'a', events: [{ actor: 'a', before: 'publish ops/shop/runs/data/*', what: 'lost' }] },
    shows: /the ledger/,
  },
  {
    name: 'committed-before-the-books',
    file: 'lib/steps/commit/commit.ts',
    changes: [
      [
        '    await publishBooks(deps, plan, sources, books);',
        '    await writeOnce(deps.store, runFolder.commit(run), { tables, accounting: books.accounting, ...measure(RECORDING) });\n' +
          '    await publishBooks(deps, plan, sources, books);',
      ],
    ],
    scenario: RUNS,
    bounds: ONE_CRASH,
    schedule: {
      first: 'a',
      events: [{ actor: 'a', before: 'publish ops/shop/accounting/data/*', what: 'crash', next: 'b' }],
    },
    shows: /rows of items/,
  },
  {
    name: 'files-rewritten-that-are-gone',
    file: 'lib/lake/maintain/commit-table.ts',
    changes: [
      [
        'planned.files.every((file) => isAsPlanned(file, live.get(file.path)))',
        "planned.files.every((file) => file !== undefined || isAsPlanned(file, live.get('')))",
      ],
    ],
    scenario: { runs: 2, actors: { a: 'compact', b: 'rollback' } },
    bounds: ONE_PAUSE,
    schedule: {
      first: 'a',
      events: [{ actor: 'a', before: 'read silver/shop/items/metadata/v2.metadata.json', what: 'pause', next: 'b' }],
    },
    shows: /rows of items/,
  },
  {
    name: 'run-beside-an-unfinished-rollback',
    file: 'lib/steps/open/open.ts',
    changes: [['    await requireNoRollback(deps.store, pointer.run);\n', '']],
    scenario: { runs: 2, actors: { a: 'rollback', b: 'run' } },
    bounds: ONE_CRASH,
    schedule: {
      first: 'a',
      events: [{ actor: 'a', before: 'write silver/shop/items/metadata/version-hint.text', what: 'crash', next: 'b' }],
    },
    shows: /rows of items/,
  },
  {
    name: 'rollback-on-top-of-an-expiry',
    file: 'lib/lake/maintain/rollback.ts',
    changes: [[', { asPrepared: true });', ');']],
    scenario: { runs: 2, compacted: true, actors: { a: 'expire', b: 'rollback' } },
    bounds: { pauses: 2, faults: 0, at: /^write .*\/v\d+\.metadata\.json$/ },
    schedule: {
      first: 'a',
      events: [
        { actor: 'a', before: 'write silver/shop/items/metadata/v4.metadata.json', what: 'pause', next: 'b' },
        { actor: 'b', before: 'write silver/shop/items/metadata/v4.metadata.json', what: 'pause', next: 'a' },
      ],
    },
    shows: /snapshot \d+ cannot be read/,
  },
];
