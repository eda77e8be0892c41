import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Expectation } from '../../lib/core/spec.ts';
import {
  checkExpectation,
  countOffending,
  createAudited,
  offendingRows,
  previewRows,
  sampleOffending,
} from '../../lib/sql/audit.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();

before(async () => {
  await db.table('memory.main."ta""ble"', 'id INTEGER, country VARCHAR', [
    "1, 'DE'",
    "1, 'FR'",
    "2, 'FR'",
    '3, NULL',
    '3, NULL',
    "4, 'DE'",
    "4, 'DE'",
    "4, 'DE'",
  ]);
  await db.run(createAudited('main', 'ta"ble'));
});

const common = { name: 'n', policy: 'fail' } as const;

/** Expectation -> what offends. */
const CASES: readonly (readonly [name: string, expectation: Expectation, broken: number])[] = [
  ['unique counts keys, not rows', { kind: 'unique', columns: ['id'], ...common }, 3],
  [
    'unique looks at all of the columns, nulls being equal',
    { kind: 'unique', columns: ['id', 'country'], ...common },
    2,
  ],
  ['rowCount at its bounds', { kind: 'rowCount', min: 8, max: 8, ...common }, 0],
  ['rowCount below the least', { kind: 'rowCount', min: 9, max: null, ...common }, 1],
  ['rowCount above the most', { kind: 'rowCount', min: null, max: 7, ...common }, 1],
  ['rowCount outside of both', { kind: 'rowCount', min: 9, max: 12, ...common }, 1],
  ['row is broken where it is false', { kind: 'row', condition: "country = 'DE'", code: 'C', ...common }, 2],
  ['row keeps its condition together', { kind: 'row', condition: 'id < 3 OR id > 3', code: 'C', ...common }, 2],
  ['sql says itself what offends', { kind: 'sql', query: 'SELECT country FROM this WHERE id > 3', ...common }, 3],
  ['sql may begin with WITH', { kind: 'sql', query: 'WITH x AS (FROM this) FROM x WHERE id = 2', ...common }, 1],
];

for (const [name, expectation, broken] of CASES) {
  test(name, async () => {
    const [row, ...others] = await db.rows(checkExpectation(expectation));
    assert.equal(row?.['broken'], broken);
    const said = broken > 0 && ['unique', 'rowCount'].includes(expectation.kind);
    assert.equal(row?.['examples'] !== null, said, 'examples of nothing, or of rows');
    assert.deepEqual(others, []);
    const offending = offendingRows(expectation);
    assert.deepEqual(await db.rows(countOffending('count', offending)), [{ broken }]);
    assert.equal((await db.rows(sampleOffending('sample', offending, 2))).length, Math.min(broken, 2));
  });
}

test('examples are keys, three at most, and none of those that are personal', async () => {
  const keys: Expectation = { kind: 'unique', columns: ['country'], ...common };
  const examples = async (personal: readonly string[]): Promise<unknown> =>
    (await db.rows(checkExpectation(keys, personal)))[0]?.['examples'];
  assert.match(String(await examples([])), /'country': DE, 'rows': \d/);
  assert.ok(String(await examples(['id'])).split('}, {').length <= 3);
  assert.equal(await examples(['country']), null);
});

test('a preview is no longer than asked, and shows the columns of the table', async () => {
  assert.deepEqual(await db.rows(previewRows('main', 'ta"ble', 1)), [{ id: 1, country: 'DE' }]);
  assert.deepEqual(await db.rows(previewRows('main', 'ta"ble', 0)), []);
  assert.equal((await db.rows(previewRows('main', 'ta"ble', 99))).length, 8);
});
