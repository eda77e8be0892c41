import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ModelSpec } from '../../lib/core/spec.ts';
import { RUN_ID } from '../../lib/iceberg/snapshot.ts';
import type { NestedField, Schema, Snapshot, TableMetadata } from '../../lib/iceberg/types.ts';
import { computedBy, type UpstreamState } from '../../lib/query/diff/downstream.ts';
import { keyOfTable } from '../../lib/query/diff/key-of-table.ts';
import { columnsDiffer, matchColumns } from '../../lib/query/diff/match-columns.ts';
import { sampleMetadata } from '../ports/sample-metadata.ts';

function schema(...fields: readonly (readonly [id: number, name: string, type: NestedField['type']])[]): Schema {
  return {
    type: 'struct',
    'schema-id': 0,
    fields: fields.map(([id, name, type]) => ({ id, name, type, required: false })),
  };
}

const BEFORE = schema(
  [1, 'id', 'long'],
  [2, 'price', 'int'],
  [3, 'gone', 'string'],
  [4, '_row_hash', 'string'],
  [5, 'Day', 'date'],
);
const AFTER = schema(
  [1, 'id', 'long'],
  [2, 'amount', 'long'],
  [6, 'gone', 'int'],
  [7, 'price', 'double'],
  [5, 'day', 'date'],
);

describe('columns', () => {
  test('of one table are the same by field id, whatever they are called', () => {
    const { columns, changes } = matchColumns(BEFORE, AFTER, 'id');
    assert.deepEqual(
      columns.map(({ name, from, type }) => [name, from.name, type.kind]),
      [
        ['id', 'id', 'bigint'],
        ['amount', 'price', 'bigint'],
        ['day', 'Day', 'date'],
      ],
    );
    assert.deepEqual(changes, {
      added: [
        { name: 'gone', type: 'int' },
        { name: 'price', type: 'double' },
      ],
      removed: [{ name: 'gone', type: 'string' }],
      renamed: [
        { from: 'price', to: 'amount' },
        { from: 'Day', to: 'day' },
      ],
      retyped: [{ name: 'amount', from: 'int', to: 'bigint' }],
    });
  });

  test('of two tables are the same by name', () => {
    const { columns, changes } = matchColumns(BEFORE, AFTER, 'name');
    assert.deepEqual(
      columns.map(({ name, type }) => [name, type.kind]),
      [
        ['id', 'bigint'],
        ['gone', 'string'],
        ['price', 'double'],
        ['day', 'date'],
      ],
    );
    assert.deepEqual([changes.added, changes.removed], [[{ name: 'amount', type: 'bigint' }], []]);
  });

  test('differ in any of these ways', () => {
    const none = { added: [], removed: [], renamed: [], retyped: [] };
    assert.equal(columnsDiffer(none), false);
    const [column, renamed] = [
      { name: 'a', type: 'int' },
      { from: 'a', to: 'b' },
    ];
    for (const one of [
      { added: [column] },
      { removed: [column] },
      { renamed: [renamed] },
      { retyped: [{ name: 'a', ...renamed }] },
    ]) {
      assert.equal(columnsDiffer({ ...none, ...one }), true);
    }
  });
});

describe('the key of a table', () => {
  const keyed = { kind: 'upsert', key: ['id'] };
  const KEYS: readonly (readonly [string, unknown, readonly string[] | null])[] = [
    ['upsert', { layer: 'silver', mode: keyed, expect: [] }, ['id']],
    ['scd2', { layer: 'silver', mode: { ...keyed, kind: 'scd2' }, expect: [] }, ['id', 'valid_from']],
    [
      'dedupe by key',
      { layer: 'silver', mode: { kind: 'append', dedupe: { by: 'key', columns: ['a', 'b'] } }, expect: [] },
      ['a', 'b'],
    ],
    ['dedupe by row', { layer: 'silver', mode: { kind: 'append', dedupe: { by: 'row' } }, expect: [] }, null],
    ['append', { layer: 'silver', mode: { kind: 'append', dedupe: null }, expect: [] }, null],
    ['unique', { layer: 'gold', expect: [{ kind: 'rowCount' }, { kind: 'unique', columns: ['x'] }] }, ['x']],
    ['unique hashes', { layer: 'gold', expect: [{ kind: 'unique', columns: ['_row_hash'] }] }, null],
    ['gold', { layer: 'gold', expect: [] }, null],
  ];
  for (const [what, model, key] of KEYS) {
    test(`${what} is ${key ?? 'none'}`, () => {
      const layer = (model as ModelSpec).layer;
      const spec = {
        models: [
          { ...(model as ModelSpec), name: 'other' },
          { ...(model as ModelSpec), name: 't' },
        ],
      };
      assert.deepEqual(keyOfTable({ pipeline: 'p', layer, name: 't' }, spec), key);
      assert.equal(keyOfTable({ pipeline: 'p', layer: 'ops', name: 't' }, spec), null);
      assert.equal(keyOfTable({ pipeline: 'p', layer, name: 't' }, undefined), null);
    });
  }
});

/** Snapshots by id, each with what it says that it was computed from. */
function table(
  ...made: readonly (readonly [id: bigint, inputs?: Readonly<Record<string, string | null>>])[]
): TableMetadata {
  const snapshots = made.map(
    ([id, inputs]): Snapshot => ({
      'snapshot-id': id,
      'sequence-number': id,
      'timestamp-ms': id,
      'manifest-list': '',
      summary: {
        operation: 'append',
        [RUN_ID]: `r${id}`,
        ...(inputs ? { 'strata.inputs': JSON.stringify(inputs) } : {}),
      },
    }),
  );
  const log = snapshots.map((one) => ({ 'timestamp-ms': one['timestamp-ms'], 'snapshot-id': one['snapshot-id'] }));
  return { ...sampleMetadata(), snapshots, 'snapshot-log': log };
}

describe('a table that is computed from others', () => {
  const sales = table([1n], [2n], [3n]);
  const at = (id: bigint | undefined): UpstreamState => ({
    metadata: sales,
    snapshot: sales.snapshots.find((one) => one['snapshot-id'] === id),
  });
  const of = {
    id: { pipeline: 'q', layer: 'gold', name: 'twice' },
    reads: [{ model: 'p.gold.sales', table: 'p_gold.sales' }],
  } as const;
  const input = (id: string | null) => ({ 'p.gold.sales': id, 'p.gold.other': '9' });
  const made = table([10n, input(null)], [11n, input('1')], [12n, input('1')], [13n, input('3')], [14n, input('8')]);
  /** A table that was computed twice, and whose files were then rewritten by who keeps no inputs. */
  const rewritten = (first: bigint, second: bigint): TableMetadata => {
    const { snapshots, ...other } = table([first, input('1')], [second, input('3')], [second + 1n]);
    const replace = { operation: 'replace' } as const;
    return {
      ...other,
      snapshots: snapshots.map((one) =>
        one['snapshot-id'] > second ? { ...one, 'parent-snapshot-id': second, summary: replace } : one,
      ),
    };
  };
  const CASES: readonly (readonly [
    what: string,
    metadata: TableMetadata,
    at: bigint | undefined,
    expected: bigint | undefined,
  ])[] = [
    ['nothing had been there', made, undefined, 14n],
    ['nothing had been there, and it was computed since', table([10n, input(null)], [11n, input('1')]), undefined, 10n],
    [
      'it was computed twice from what was there',
      table([11n, input('1')], [12n, input('1')], [13n, input('3')]),
      1n,
      12n,
    ],
    ['it was not computed anew', table([11n, input('1')], [13n, input('3')]), 2n, 11n],
    ['it was computed from the last', made, 3n, 14n],
    ['it was first computed from what came later', table([13n, input('3')]), 2n, undefined],
    ['another engine wrote it', table([11n, input('1')], [12n]), 1n, 12n],
    ['another engine rewrote the files of what came later', rewritten(11n, 12n), 1n, 11n],
    ['another engine rewrote its files', rewritten(11n, 12n), 3n, 13n],
  ];
  for (const [what, metadata, moment, expected] of CASES) {
    test(what, () => {
      assert.equal(computedBy(metadata, of, new Map([['p_gold.sales', at(moment)]]))?.['snapshot-id'], expected);
    });
  }
});
