import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MadeBy } from '../../lib/core/made-by.ts';
import type { ModelSpec } from '../../lib/core/spec.ts';
import { madeBefore, madeBy } from '../../lib/plan/made-by.ts';
import { compareChecks, compareMade } from '../../lib/plan/table-changes.ts';

const WAS: MadeBy = {
  ...{ release: '0.1.0', columns: 'c', sql: 's', written: 'w', mode: 'm', key: 'k', keyed: false, partitioning: 'p' },
  ...{ contract: { v: { type: 'int', rest: 'r' } }, format: 'f', rules: 'x' },
};
const model = (kind: string, layer = 'silver'): ModelSpec =>
  ({ id: `${layer}.t`, layer, mode: { kind } }) as unknown as ModelSpec;
const contract = (type: string, rest = 'r'): Partial<MadeBy> => ({ contract: { v: { type, rest } } });

const CASES: readonly (readonly [what: string, kind: string, is: Partial<MadeBy>, expected: string | undefined])[] = [
  ['nothing', 'append', {}, undefined],
  ['another release alone', 'append', { release: '0.2.0' }, undefined],
  ['SQL that another release compiles otherwise', 'append', { sql: 't' }, undefined],
  ['SQL', 'append', { sql: 't', written: 'u' }, 'backfill'],
  ['the key', 'append', { key: 'l' }, 'backfill'],
  ['the mode of rows', 'append', { mode: 'n' }, 'backfill'],
  ['rules of a keyed table', 'upsert', { mode: 'n' }, 'recompute'],
  ['how merges write', 'upsert', { write: 'merge-on-read' }, 'metadata'],
  ['rows to events', 'upsert', { mode: 'n', keyed: true }, 'backfill'],
  ['how files are read', 'append', { format: 'g' }, 'backfill'],
  ['expectations that reject', 'append', { rules: 'y' }, 'backfill'],
  ['partitioning', 'append', { partitioning: 'q' }, 'metadata'],
  ['partitions that files replace', 'replace', { partitioning: 'q' }, 'backfill'],
  ['columns', 'append', { columns: 'd' }, 'metadata'],
  ['a wider type', 'append', contract('bigint'), 'metadata'],
  ['a narrower type', 'append', { ...contract('int') }, undefined],
  ['another type', 'append', contract('string'), 'backfill'],
  ['a check', 'append', contract('int', 's'), 'backfill'],
  ['another type of a table that is replaced whole', 'full', contract('string'), 'metadata'],
  ['a new column', 'append', { contract: { ...WAS.contract, n: { type: 'int', rest: 'r' } } }, 'metadata'],
  [
    'a new column with a default',
    'append',
    { contract: { ...WAS.contract, n: { type: 'int', rest: 'r', filled: true } } },
    'backfill',
  ],
  ['a column that is gone', 'append', { contract: {} }, 'metadata'],
];

test('expectations that are new or others are told apart from all else that has changed', () => {
  const was = { ...WAS, checks: { a: '1', b: '2' } };
  const changed = (checks?: MadeBy['checks'], before: MadeBy = was): unknown =>
    compareChecks(model('append'), before, { ...WAS, checks })?.what;
  assert.equal(changed({ a: '1' }), undefined);
  assert.equal(changed(), undefined);
  assert.equal(changed({ a: '1', c: '3' }, WAS), undefined, 'a release that did not remember');
  assert.deepEqual(changed({ a: '1', b: '3', c: '4' }), ['expectation b', 'expectation c, new']);
  assert.deepEqual(changed({ toString: '1' }), ['expectation toString, new']);
  assert.equal(compareChecks(model('append'), was, { ...WAS, checks: { c: '1' } })?.kind, 'check');
  assert.equal(compareMade(model('append'), was, { ...WAS, checks: { c: '1' } }), undefined);
});

describe('how a model differs from what made its table', () => {
  for (const [what, kind, is, expected] of CASES) {
    test(what, () => {
      const change = compareMade(model(kind), WAS, { ...WAS, ...is });
      assert.equal(change?.kind, expected);
      assert.notDeepEqual(change?.what, []);
    });
  }

  test('gold is computed anew', () => {
    const gold = { ...WAS, contract: null, format: null };
    assert.equal(compareMade(model('', 'gold'), gold, { ...gold, sql: 't', written: 't' })?.kind, 'recompute');
  });

  test('types are named with their sides', () => {
    const change = compareMade(model('append'), WAS, { ...WAS, ...contract('decimal(9,2)') });
    assert.deepEqual(change?.what, ['v is int in the table and decimal(9,2) in the pipeline']);
    const more = compareMade(
      model('append'),
      { ...WAS, ...contract('decimal(9,2)') },
      { ...WAS, ...contract('decimal(12,2)') },
    );
    assert.equal(more?.kind, 'metadata');
  });
});

type Named = { readonly name: string; readonly source?: string; readonly renamedFrom?: readonly string[] };

/** A table of three columns that was made under other names, and the model of now. */
function renamedTable(now: { readonly amount: Named; readonly sql: string; readonly condition: string }): unknown {
  const source = (amount: Named) => ({
    name: 's',
    format: { kind: 'csv' },
    key: [amount.name],
    columns: [
      { source: 'id', name: 'id', type: { kind: 'int' }, parse: { kind: 'auto' }, required: true, checks: [] },
      {
        ...{ source: amount.source ?? amount.name, name: amount.name, type: { kind: 'int' }, parse: { kind: 'auto' } },
        ...{ required: false, checks: [{ kind: 'sql', condition: `${amount.name} > id`, code: 'C' }] },
        ...(amount.renamedFrom === undefined ? {} : { renamedFrom: amount.renamedFrom }),
      },
    ],
  });
  const silver = (amount: Named, sql: string, condition: string) => ({
    ...{ id: 'silver.t', name: 't', layer: 'silver', from: 's', sql, partitionBy: [{ column: amount.name }] },
    columns: [{ name: 'id' }, { name: amount.name }],
    mode: {
      kind: 'upsert',
      key: ['id'],
      sequence: amount.name,
      track: [amount.name],
      deleteWhen: `${amount.name} < 0`,
      tieBreak: null,
      validTo: null,
    },
    expect: [{ kind: 'row', policy: 'drop', name: 'e', condition, code: 'E' }],
    renamed: { [amount.name]: amount.renamedFrom ?? [] },
  });
  const before: Named = { name: 'amount' };
  const was = madeBy(
    { sources: [source(before)] } as never,
    { ...silver(before, 'SELECT id, amount AS "amount" FROM batch.s', "amount <> 'amount'") } as never,
  );
  const model = { ...silver(now.amount, now.sql, now.condition) } as never;
  const { is, renamed } = madeBefore({ sources: [source(now.amount)] } as never, model, was, {
    now: ['id', 'amount'],
    ever: new Set(['id', 'amount']),
  });
  const change = compareMade(model, was, is, renamed);
  return change && { kind: change.kind, what: change.what };
}

describe('a column that has another name', () => {
  const value = { name: 'value', renamedFrom: ['amount'] };
  const sql = 'SELECT id, value AS "value" FROM batch.s';
  const condition = "value <> 'amount'";

  test('is no other column, wherever it is named', () => {
    assert.deepEqual(renamedTable({ amount: value, sql, condition }), {
      kind: 'metadata',
      what: ['column value, amount before'],
    });
  });

  test('may come under another name in files alone', () => {
    const amount = { name: 'amount', source: 'Betrag', renamedFrom: ['amount'] };
    const as = { sql: 'SELECT id, amount AS "amount" FROM batch.s', condition: "amount <> 'amount'" };
    assert.equal(renamedTable({ amount, ...as }), undefined);
  });

  test('is more than renamed where text or other words differ', () => {
    assert.deepEqual(renamedTable({ amount: value, sql: sql.replace('id,', 'id + 1,'), condition }), {
      kind: 'backfill',
      what: ['the SQL', 'column value, amount before'],
    });
    assert.deepEqual(renamedTable({ amount: value, sql, condition: "value <> 'value'" }), {
      kind: 'backfill',
      what: ['expectations that reject rows', 'column value, amount before'],
    });
  });
});

describe('a keyed table', () => {
  const keyed = (kind: string, track: readonly string[], more: object = {}) =>
    ({
      ...{ id: 'silver.t', name: 't', layer: 'silver', from: 's', sql: 'q', partitionBy: [], expect: [], columns: [] },
      mode: { kind, key: ['id'], sequence: 'q', track, deleteWhen: null, tieBreak: null, validTo: null, ...more },
    }) as never;
  const sources = { sources: [{ name: 's', format: {}, key: [], columns: [] }] } as never;
  const ever = new Set(['id', 'q', 'a', 'b']);

  test('says how its merges write now, which is no rule of its rows', () => {
    const wrote = (writeMode?: string) => keyed('scd2', ['a'], writeMode === undefined ? {} : { writeMode });
    const change = (was?: string, is?: string): unknown => {
      const made = madeBefore(sources, wrote(is), madeBy(sources, wrote(was)), { now: ['id', 'q', 'a'], ever });
      const found = compareMade(wrote(is), madeBy(sources, wrote(was)), made.is);
      return found && [found.kind, ...found.what];
    };
    assert.deepEqual(change(undefined, 'merge-on-read'), ['metadata', 'writeMode, merge-on-read now']);
    assert.deepEqual(change('merge-on-read', undefined), ['metadata', 'writeMode, copy-on-write now']);
    assert.equal(change(undefined, 'copy-on-write'), undefined);
    assert.equal(change('merge-on-read', 'merge-on-read'), undefined);
  });

  for (const [what, kind, was, now, expected] of [
    ['tracks the same in another order', 'scd2', ['a', 'b'], ['b', 'a'], undefined],
    ['tracks a column too that it never had', 'scd2', ['a'], ['a', 'new'], undefined],
    ['tracks a column too that it has', 'scd2', ['a'], ['a', 'b'], 'recompute'],
    ['tracks a column no more', 'scd2', ['a', 'b'], ['a'], 'recompute'],
    ['has the latest rows, whatever it tracks', 'upsert', ['a', 'b'], ['a', 'new'], undefined],
  ] as const) {
    test(what, () => {
      const before = madeBy(sources, keyed(kind, was));
      const model = keyed(kind, now);
      const { is } = madeBefore(sources, model, before, { now: ['id', 'q', 'a', 'b'], ever });
      assert.equal(compareMade(model, before, is)?.kind, expected);
    });
  }
});
