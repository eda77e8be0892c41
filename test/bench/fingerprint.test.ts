import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  compareFingerprints,
  type Fingerprint,
  type FingerprintSpec,
  parseFingerprint,
  renderFingerprint,
  renderSums,
} from '../../bench/fingerprint.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Session } from '../../lib/ports.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

const SALES: FingerprintSpec = { table: 'gold.sales', key: ['region', 'id'], measures: ['revenue', 'share'] };

describe('the fingerprint of a relation', () => {
  let session: Session;
  before(async () => {
    session = await createDuckDbEngine().open({ memoryBytes: 2e8, threads: 2, scratch: '/tmp' });
  });
  after(() => session[Symbol.asyncDispose]());

  const fingerprint = async (values: string): Promise<Fingerprint> => {
    const from = `(SELECT region, id, CAST(revenue AS DECIMAL(12,2)) AS revenue, CAST(share AS DOUBLE) AS share FROM (VALUES ${values}) v(region, id, revenue, share))`;
    const [row = {}] = await session.rows({ name: 'fingerprint', text: userSql(renderFingerprint(SALES, from)) });
    return parseFingerprint(SALES, row);
  };

  it('counts rows and keys, a null in a key included, and adds up exactly', async () => {
    assert.deepEqual(await fingerprint("('EU', 1, 10.10, 0.1), (NULL, 1, 0.02, 0.2), (NULL, 2, NULL, NULL)"), {
      table: 'gold.sales',
      rows: '3',
      keys: '3',
      sums: { revenue: '10.120000', share: '0.300000' },
    });
  });
  it('shows a repeated key', async () => {
    const { rows, keys } = await fingerprint("('EU', 1, 1, 1), ('EU', 1, 2, 2)");
    assert.deepEqual([rows, keys], ['2', '1']);
  });
  it('of a table whose rows may be equal counts rows in the place of keys', async () => {
    const spec = { ...SALES, key: [] };
    const from = '(SELECT 1.0 AS revenue, 1.0 AS share FROM range(2))';
    const [row = {}] = await session.rows({ name: 'fingerprint', text: userSql(renderFingerprint(spec, from)) });
    assert.deepEqual(parseFingerprint(spec, row).keys, '2');
  });
  it('of no rows has no sums', async () => {
    const from = "(SELECT '' AS region, 1 AS id, 1.0 AS revenue, 1.0 AS share WHERE false)";
    const [row = {}] = await session.rows({ name: 'fingerprint', text: userSql(renderFingerprint(SALES, from)) });
    assert.deepEqual(parseFingerprint(SALES, row).sums, { revenue: 'null', share: 'null' });
  });
  it('of floating point numbers does not depend on the order of the rows', async () => {
    const numbers = Array.from({ length: 5000 }, (_, i) => `('r', ${i}, 1, ${i / 7})`);
    const forward = await fingerprint(numbers.join(', '));
    const backward = await fingerprint(numbers.reverse().join(', '));
    assert.deepEqual(forward, backward);
  });
});

describe('comparing fingerprints', () => {
  const one: Fingerprint = { table: 't', rows: '2', keys: '2', sums: { revenue: '1.50' } };
  const cases: readonly (readonly [string, readonly Fingerprint[], readonly Fingerprint[], readonly string[]])[] = [
    ['equal tables', [one], [{ ...one }], []],
    ['no tables', [], [], []],
    [
      'another sum',
      [one],
      [{ ...one, sums: { revenue: '1.51' } }],
      ['t: got 2 rows, 2 keys, revenue 1.50; expected 2 rows, 2 keys, revenue 1.51'],
    ],
    [
      'another row count',
      [one],
      [{ ...one, rows: '3' }],
      ['t: got 2 rows, 2 keys, revenue 1.50; expected 3 rows, 2 keys, revenue 1.50'],
    ],
    [
      'a repeated key on both sides',
      [{ ...one, keys: '1' }],
      [{ ...one, keys: '1' }],
      ['t: 2 rows have 1 different keys'],
    ],
    ['a table of one side', [one], [{ ...one, table: 'u' }], ['t: only on one side']],
    ['a table too few', [], [one], ['0 tables against 1']],
  ];
  for (const [name, ours, theirs, expected] of cases) {
    it(name, () => assert.deepEqual(compareFingerprints(ours, theirs), expected));
  }
  it('shows sums in the order of the measures', () => {
    assert.equal(renderSums({ ...one, sums: { b: '2', a: '1' } }), '2 rows, 2 keys, b 2, a 1');
  });
});
