import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { append, csv, definePipeline, upsert } from '../../lib/define/index.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { type DiffRequest, diffSides, type TableDiff } from '../../lib/query/diff/diff-tables.ts';
import { keyOfTable, usualKey } from '../../lib/query/diff/key-of-table.ts';
import { momentOf, sideAt } from '../../lib/query/diff/side.ts';
import { findTable } from '../../lib/query/find-table.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const STAFF = {
  name: 'staff',
  definition: definePipeline({
    name: 'staff',
    sources: {
      people: csv({
        columns: {
          id: { type: 'bigint', required: true },
          at: 'int',
          name: { type: 'string', personal: true },
          pay: { type: 'decimal(12,2)', personal: true },
          share: 'decimal(12,2)',
          rate: 'double',
        },
      }),
      visits: csv({ columns: { id: 'bigint', day: 'int' } }),
    },
    silver: {
      people: { from: 'people', mode: upsert({ key: ['id'], sequence: 'at', buckets: 4, writeMode: 'merge-on-read' }) },
      visits: { from: 'visits', mode: append() },
    },
    gold: {},
  }),
};

let lake: TestLake;
const PEOPLE = 'id,at,name,pay,share,rate\n';

before(async () => {
  lake = await openTestLake(STAFF);
  await lake.land('people', 'a.csv', `${PEOPLE}1,1,Ann,10.00,0.50,1.5\n2,1,Bob,20.00,0.50,nan\n3,1,Cid,30.00,,0\n`);
  await lake.land('visits', 'a.csv', 'id,day\n1,1\n1,1\n2,\n');
  await succeed('r1');
  await lake.land('people', 'b.csv', `${PEOPLE}2,2,Bob,25.00,0.51,nan\n4,2,Dan,5.00,1.00,2\n`);
  await lake.land('visits', 'b.csv', 'id,day\n1,1\n2,\n9,9\n');
  await succeed('r2');
});
after(() => lake.close());

async function succeed(runId: string): Promise<void> {
  const { status, error } = await lake.run({ runId });
  assert.equal(status, 'SUCCEEDED', error?.message);
}

type Asked = Partial<DiffRequest> & {
  readonly from?: string;
  readonly to?: string;
  readonly other?: string;
  readonly store?: ObjectStore;
  readonly hides?: boolean;
};

async function diff(
  name: string,
  { from, to, other, store = lake.store, hides = false, ...asked }: Asked = {},
): Promise<TableDiff> {
  const deps = { ...lake.deps, store, hidesPersonal: hides };
  const tables = { from: await findTable(deps.catalog, name), to: await findTable(deps.catalog, other ?? name) };
  const left = sideAt(deps, tables.from, await momentOf(deps, '--from', from, [tables.from]));
  const right = sideAt(deps, tables.to, await momentOf(deps, '--to', to, [tables.to]));
  const usual = usualKey(left, right, await lake.deps.specs('staff'));
  return diffSides(left, right, { key: usual, tolerances: {}, ignore: [], sample: 5, ...asked });
}

describe('one table at two moments', () => {
  test('rows are paired by the key that its pipeline has', async () => {
    const found = await diff('staff_silver.people', { from: 'r1', to: 'r2' });
    assert.deepEqual(found.key, ['id']);
    assert.equal(found.equal, false);
    const { from, to, added, removed, changed } = found.rows;
    assert.deepEqual({ from, to, added, removed, changed }, { from: 3, to: 4, added: 1, removed: 0, changed: 1 });
    assert.deepEqual(found.sample.changed, [
      {
        key: { id: 2 },
        changed: { at: { from: 1, to: 2 }, pay: { from: '20.00', to: '25.00' }, share: { from: '0.50', to: '0.51' } },
      },
    ]);
    assert.deepEqual(found.sample.added, [
      { row: { id: 4, at: 2, name: 'Dan', pay: '5.00', share: '1.00', rate: 2 }, times: 1 },
    ]);
    assert.equal(found.duplicates, null);
    const changes = Object.fromEntries(found.values.map(({ column, changed: rows }) => [column, rows]));
    assert.deepEqual(changes, { id: null, at: 1, name: 0, pay: 1, share: 1, rate: 0 });
    assert.equal(found.values.find(({ column }) => column === 'pay')?.sum?.delta, '10.00');
  });

  test('rows of a table without a key are counted', async () => {
    const found = await diff('staff_silver.visits', { from: 'r1', to: 'r2' });
    assert.equal(found.key, null);
    assert.deepEqual(found.rows, { from: 3, to: 6, shared: 3, added: 3, removed: 0, changed: null });
    assert.deepEqual(found.files, { from: 0, to: 1, shared: 1 });
  });

  test('only files are read that are not in both', async () => {
    for (const [from, to, files] of [
      ['r2', 'r2', []],
      ['r1', 'r2', [1]],
    ] as const) {
      const read: string[] = [];
      const borrow: ObjectStore['borrow'] = (objects) => {
        read.push(...objects.map((one) => (typeof one === 'string' ? one : one.key)));
        return lake.store.borrow(objects);
      };
      const found = await diff('staff_silver.visits', { from, to, store: { ...lake.store, borrow } });
      assert.deepEqual([found.equal, found.files.to], [files.length === 0, files.length]);
      assert.equal(read.filter((key) => key.startsWith('silver/')).length, files.length);
    }
  });
});

test('what is no key and no tolerance is refused', async () => {
  await assert.rejects(
    diff('staff_silver.people', { from: 'r9' }),
    (error) => error instanceof InvalidInput && /--from: got "r9"/.test(error.message),
  );
  await assert.rejects(
    diff('staff_silver.people', { from: 'r1', key: ['no'] }),
    /--key: got "no"; expected a column that both sides have, of id, at,/,
  );
  assert.equal(
    keyOfTable({ pipeline: 'staff', layer: 'silver', name: 'visits' }, await lake.deps.specs('staff')),
    null,
  );
});
