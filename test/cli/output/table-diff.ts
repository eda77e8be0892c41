import type { TableDiff } from '../../../lib/query/diff/diff-tables.ts';

export const SIDE = { table: 'p_gold.t', snapshot_id: '7', run_id: null, time: '2026-01-01T00:00:00.000Z' };
export const DIFF: TableDiff = {
  equal: false,
  from: { table: 'p_gold.t', snapshot_id: null, run_id: null, time: null },
  to: SIDE,
  key: ['a', 'b'],
  columns: {
    added: [{ name: 'new', type: 'int' }],
    removed: [{ name: 'old', type: 'string' }],
    renamed: [{ from: 'x', to: 'y' }],
    retyped: [{ name: 'z', from: 'int', to: 'bigint' }],
    ignored: ['run_id'],
  },
  rows: { from: 0, to: 1234, shared: 0, added: 1, removed: 2, changed: 3 },
  files: { from: 0, to: 1, shared: 0 },
  duplicates: {
    keys: 2,
    rows_from: 1,
    rows_to: 3,
    added: 10,
    removed: 20,
    sample: [{ key: { a: 1, b: null }, from: 0, to: 2 }],
  },
  values: [{ column: 'a', changed: null, tolerance: null, sum: { from: '1', to: '1', delta: '0' } }],
  sample: { added: [{ row: { times: 1 }, times: 2 }], removed: [], changed: [] },
  masked: [],
};
