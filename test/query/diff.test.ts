import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { append, csv, definePipeline, unique, upsert } from '../../lib/define/index.ts';
import { currentSchema } from '../../lib/iceberg/schema.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { diffPipeline } from '../../lib/query/diff/diff-pipeline.ts';
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
    gold: { pay: { sql: 'pay.sql', expect: { once: unique('n') } } },
  }),
  sql: { 'pay.sql': 'SELECT count(*) AS n, sum(pay) AS pay FROM silver.people' },
};

/** Reads staff, and itself. */
const REPORT = {
  name: 'report',
  definition: definePipeline({
    name: 'report',
    sources: { notes: csv({ columns: { id: 'bigint' } }) },
    silver: { notes: { from: 'notes', mode: append() } },
    gold: { twice: { sql: 'twice.sql' }, thrice: { sql: 'thrice.sql' }, own: { sql: 'own.sql' } },
  }),
  sql: {
    'twice.sql': 'SELECT 2 * n AS n FROM staff.gold.pay',
    'thrice.sql': 'SELECT 3 * n / 2 AS n FROM gold.twice',
    'own.sql': 'SELECT count(*) AS n FROM silver.notes',
  },
};

let lake: TestLake;
const PEOPLE = 'id,at,name,pay,share,rate\n';

before(async () => {
  lake = await openTestLake(STAFF, { others: [REPORT] });
  await lake.land('people', 'a.csv', `${PEOPLE}1,1,Ann,10.00,0.50,1.5\n2,1,Bob,20.00,0.50,nan\n3,1,Cid,30.00,,0\n`);
  await lake.land('visits', 'a.csv', 'id,day\n1,1\n1,1\n2,\n');
  await succeed('r1');
  await lake.of('report').run({ runId: 'report-1' });
  await lake.land('people', 'b.csv', `${PEOPLE}2,2,Bob,25.00,0.51,nan\n4,2,Dan,5.00,1.00,2\n`);
  await lake.land('visits', 'b.csv', 'id,day\n1,1\n2,\n9,9\n');
  await succeed('r2');
  await lake.of('report').run({ runId: 'report-2' });
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

describe('a pipeline', () => {
  async function pipeline(from: string, to?: string, ignore: readonly string[] = []): Promise<readonly unknown[]> {
    const [spec, report] = [await lake.deps.specs('staff'), await lake.deps.specs('report')];
    const request = { pipeline: 'staff', from, ...(to === undefined ? {} : { to }), ignore, sample: 0 };
    const { equal, tables } = await diffPipeline(lake.deps, spec, [report, spec], request);
    assert.equal(
      equal,
      tables.every((table) => table.equal),
    );
    return tables.map((table) => {
      const { from: before, to: after, added, removed, changed } = table.rows;
      return [table.to.table, table.to.run_id, before, after, added, removed, changed];
    });
  }

  test('and what is computed from it elsewhere, whenever that was', async () => {
    assert.deepEqual(await pipeline('r1', 'r2'), [
      ['staff_silver.people__log', 'r2', 3, 5, 2, 0, null],
      ['staff_silver.people', 'r2', 3, 4, 1, 0, 1],
      ['staff_silver.visits', 'r2', 3, 6, 3, 0, null],
      ['staff_gold.pay', 'r2', 1, 1, 1, 1, 0],
      ['report_gold.twice', 'report-2', 1, 1, 1, 1, null],
      ['report_gold.thrice', 'report-2', 1, 1, 1, 1, null],
    ]);
  });

  test('of which a column of a key is left out is compared by rows', async () => {
    const people = (await pipeline('r1', 'r2', ['ID'])).find(
      (row) => Array.isArray(row) && row[0] === 'staff_silver.people',
    );
    assert.deepEqual(people, ['staff_silver.people', 'r2', 3, 4, 2, 1, null]);
  });

  test('that was not there yet has no rows', async () => {
    assert.deepEqual((await pipeline('2020-01-01', 'r1')).slice(1, 2), [['staff_silver.people', 'r1', 0, 3, 3, 0, 0]]);
  });

  test('that has no table is refused', async () => {
    const empty = await openTestLake(STAFF);
    const spec = await empty.deps.specs('staff');
    const request = { pipeline: 'staff', from: 'r1', ignore: [], sample: 0 };
    await assert.rejects(diffPipeline(empty.deps, spec, [spec], request), /pipeline staff has no table yet/);
    empty.close();
  });
});

test('files of which rows are deleted in place are read again, and no others', async () => {
  const { files, rows } = await diff('staff_silver.people', { from: 'r1', to: 'r2' });
  assert.deepEqual(files, { from: 1, to: 3, shared: 1 });
  assert.deepEqual(rows, { from: 3, to: 4, shared: 1, added: 1, removed: 0, changed: 1 });
  // Rows that are gone from files in both count for nothing.
  const same = await diff('staff_silver.people', { from: 'r2', to: 'r2' });
  assert.deepEqual(
    [same.rows, same.files.shared],
    [{ from: 4, to: 4, shared: 4, added: 0, removed: 0, changed: 0 }, 4],
  );
});

test('columns that were renamed, widened, dropped or added since are found by their ids', async () => {
  const table = await findTable(lake.deps.catalog, 'staff_silver.people');
  const from = sideAt(lake.deps, table, await momentOf(lake.deps, '--from', 'r1', [table]));
  const schema = currentSchema(table.metadata);
  const renamed: Readonly<Record<string, string>> = { id: 'key', name: 'id', at: 'at' };
  const fields = schema.fields
    .filter(({ name }) => name !== 'pay')
    .map((field) => ({
      ...field,
      name: renamed[field.name] ?? field.name,
      type: field.name === 'at' ? 'long' : field.type,
    }));
  const more = { id: 99, name: 'pay', required: false, type: 'string' };
  const now = { ...schema, 'schema-id': 9, fields: [...fields, more] };
  const metadata = { ...table.metadata, schemas: [...table.metadata.schemas, now], 'current-schema-id': 9 };
  const found = await diffSides(from, sideAt(lake.deps, { ...table, metadata }, undefined), {
    key: ['key'],
    tolerances: {},
    ignore: [],
    sample: 5,
  });
  assert.deepEqual(found.columns, {
    added: [{ name: 'pay', type: 'string' }],
    removed: [{ name: 'pay', type: 'decimal(12,2)' }],
    renamed: [
      { from: 'id', to: 'key' },
      { from: 'name', to: 'id' },
    ],
    retyped: [{ name: 'at', from: 'int', to: 'bigint' }],
    ignored: [],
  });
  const { added, removed, changed } = found.rows;
  assert.deepEqual([added, removed, changed], [1, 0, 1]);
  assert.deepEqual(found.sample.changed[0]?.key, { key: 2 });
  assert.deepEqual(found.sample.added[0]?.row, { key: 4, at: 2, id: 'Dan', share: '1.00', rate: 2 });
});

test('a change of columns is a difference, also where no row has changed', async () => {
  const table = await findTable(lake.deps.catalog, 'staff_silver.visits');
  const schema = currentSchema(table.metadata);
  const fields = schema.fields.map((field) => ({ ...field, name: `${field.name}_` }));
  const metadata = { ...table.metadata, schemas: [{ ...schema, 'schema-id': 9, fields }], 'current-schema-id': 9 };
  const [from, to] = [sideAt(lake.deps, table, undefined), sideAt(lake.deps, { ...table, metadata }, undefined)];
  const request = { key: null, tolerances: {}, ignore: [], sample: 0 };
  const found = await diffSides(from, to, request);
  assert.deepEqual([found.equal, found.rows.added, found.files.to], [false, 0, 0]);
  const ignore = schema.fields.map(({ name }) => `${name}_`);
  await assert.rejects(diffSides(from, to, { ...request, ignore }), /have no column in common that could be compared/);
});

test('another lake is compared by the names of columns', async () => {
  const other = await lake.copy();
  const table = await findTable(other.deps.catalog, 'staff_silver.people');
  const here = sideAt(lake.deps, await findTable(lake.deps.catalog, 'staff_silver.people'), undefined);
  const there = sideAt(other.deps, table, await momentOf(other.deps, '--to', 'r1', [table]));
  const found = await diffSides(here, there, { key: ['ID'], tolerances: {}, ignore: ['At', 'pay'], sample: 1 });
  assert.deepEqual([found.files.shared, found.columns.ignored, found.rows.removed], [0, ['at', 'pay'], 1]);
  assert.deepEqual(found.sample.changed, [{ key: { id: 2 }, changed: { share: { from: '0.51', to: '0.50' } } }]);
  other.close();
});

test('what is personal is compared, and not shown', async () => {
  const found = await diff('staff_silver.people', { from: 'r1', to: 'r2', hides: true });
  assert.deepEqual(found.masked, ['name', 'pay']);
  assert.deepEqual(
    found.values.find(({ column }) => column === 'pay'),
    { column: 'pay', changed: 1, tolerance: null, sum: null },
  );
  assert.deepEqual(found.sample.changed[0]?.changed['pay'], { from: null, to: null });
  assert.equal(found.sample.added[0]?.row['name'], '***');
});

test('of two tables of silver it is left out which run made a row', async () => {
  const table = await findTable(lake.deps.catalog, 'staff_silver.visits');
  const schema = currentSchema(table.metadata);
  const fields = [...schema.fields, { id: 98, name: 'run_id', required: false, type: 'string' }];
  const metadata = { ...table.metadata, schemas: [{ ...schema, fields }] };
  const side = sideAt(lake.deps, { ...table, metadata }, undefined);
  const other = { ...side, metadata: { ...metadata, 'table-uuid': 'another' } };
  const request = { key: null, tolerances: {}, ignore: [], sample: 0 };
  assert.deepEqual((await diffSides(side, other, request)).columns.ignored, ['run_id']);
  assert.deepEqual((await diffSides(side, side, request)).columns.ignored, []);
  const gold = { ...other, id: { ...other.id, layer: 'gold' } } as const;
  assert.deepEqual((await diffSides(side, gold, request)).columns.ignored, []);
});

test('what is no key and no tolerance is refused', async () => {
  const within = (key: readonly string[] | null, tolerances: Readonly<Record<string, string>>) =>
    diff('staff_silver.people', { from: 'r1', key, tolerances });
  await assert.rejects(within(null, { share: '1' }), /--tolerance share: got no key by which rows could be paired/);
  await assert.rejects(within(['id'], { ID: '1' }), /--tolerance id: got a column of the key/);
  await assert.rejects(within(['id'], { name: '1' }), /got the column name, which holds no numbers/);
  assert.equal((await within(['id'], { share: '0.01', pay: '5', at: '1' })).rows.changed, 0);
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
