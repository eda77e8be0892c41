import assert from 'node:assert/strict';
import type { Cell, GivenRow } from '../../lib/core/model-test.ts';
import type { Column } from '../../lib/core/types.ts';
import { sql } from '../../lib/sql/fragment.ts';
import {
  copyGiven,
  findMisfits,
  selectGivenTexts,
  selectRejected,
  selectTableTexts,
} from '../../lib/sql/given-rows.ts';
import { testSteps } from './golden-steps.ts';

const COLUMNS: readonly Column[] = [
  { name: 'i"d', type: { kind: 'int' } },
  { name: 'amount', type: { kind: 'decimal', precision: 5, scale: 2 } },
  { name: 'mean', type: { kind: 'double' } },
];
const text = (value: string): Cell => ({ kind: 'scalar', text: value, json: value });
const ROWS: readonly GivenRow[] = [
  new Map([
    ['i"d', text('1')],
    ['amount', text("o'x")],
    ['mean', text('0.3')],
  ]),
  new Map([
    ['i"d', { kind: 'null' }],
    ['amount', text('1.1')],
    ['mean', text('0.30000000000000004')],
  ]),
];
const ALIKE = [
  { 'i"d': '1', amount: null, mean: '0.3' },
  { 'i"d': null, amount: '1.10', mean: '0.3' },
];

testSteps({}, () => [
  { golden: 'given-misfits', statement: findMisfits(COLUMNS, ROWS), rows: [{ nth: 0, misfits: [1] }] },
  { golden: 'given-texts', statement: selectGivenTexts(COLUMNS, ROWS), rows: ALIKE },
  { golden: 'given-none', statement: selectGivenTexts(COLUMNS.slice(0, 1), []), rows: [] },
  { golden: 'given-file', statement: copyGiven(COLUMNS, ROWS, 'out/given.parquet') },
  {
    golden: 'given-made',
    statement: {
      name: 'tables',
      text: sql`CREATE SCHEMA ops; CREATE SCHEMA gold; CREATE TABLE gold.t AS FROM 'out/given.parquet';
CREATE TABLE ops.quarantine AS SELECT 's' AS source, 'f' AS source_file, 3 AS line, ['A'] AS codes, ['d'] AS details, 'x' AS raw, 'quarantined' AS status, 1 AS attempt, NULL AS business_key, 'r1' AS run_id`,
    },
  },
  { golden: 'given-table-texts', statement: selectTableTexts('gold', 't', COLUMNS), rows: ALIKE },
  {
    golden: 'given-rejected',
    statement: selectRejected('r1'),
    check: (rows) => assert.deepEqual(rows[0]?.['codes'], ['A']),
  },
]);
