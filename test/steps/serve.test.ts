import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidInput, Unavailable } from '../../lib/core/errors.ts';
import { append, csv, secret, upsert } from '../../lib/define/index.ts';
import { isBehind } from '../../lib/lake/serve/served.ts';
import type { Sink, SinkRun } from '../../lib/ports.ts';
import { listTables } from '../../lib/query/list-tables.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { compactTables } from '../../lib/runtime/compact.ts';
import { createMemorySink, type MemorySink } from '../ports/memory-sink.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const TABLES = {
  people: { from: 'silver.people', key: 'id' },
  visits: { from: 'silver.visits', mode: 'append' },
  totals: { from: 'gold.totals' },
} as const;

function staff(tables: object = TABLES, personal = false): TestPipeline {
  const text = { type: 'string', ...(personal ? { personal } : {}) } as const;
  return {
    name: 'staff',
    definition: {
      name: 'staff',
      serve: { postgres: { url: secret('REPORTS_URL'), schema: 'hr', tables } },
      sources: {
        people: csv({
          columns: {
            id: { type: 'bigint', required: true },
            name: text,
            seq: { type: 'int', required: true },
            op: 'string',
          },
        }),
        visits: csv({ columns: { id: 'bigint', place: text } }),
      },
      silver: {
        people: {
          from: 'people',
          sql: 'people.sql',
          mode: upsert({ key: 'id', sequence: 'seq', deleteWhen: "op = 'D'" }),
        },
        visits: { from: 'visits', mode: append() },
      },
      gold: { totals: { sql: 'totals.sql' } },
    },
    sql: {
      'people.sql': "SELECT id, replace(name, '~', chr(0)) AS name, seq, op FROM batch.people",
      'totals.sql':
        'SELECT place, count(*) AS n, [1.5, NULL] AS l, {a: max(id)} AS s FROM silver.visits GROUP BY place',
    },
  };
}

type Served = {
  readonly lake: TestLake;
  readonly memory: MemorySink;
  broken: Error | undefined;
  readonly asked: SinkRun[];
};

/** A lake with a sink that can be broken, before or after what it does. */
async function openServed(pipeline = staff()): Promise<Served & AsyncDisposable> {
  const opened = await openTestLake(pipeline);
  const memory = createMemorySink();
  const asked: SinkRun[] = [];
  const state = { broken: undefined as Error | undefined };
  const sink: Sink = {
    async publish(run) {
      asked.push(run);
      if (state.broken !== undefined) throw state.broken;
      return memory.sink.publish(run);
    },
  };
  const lake = opened.reopen((deps) => ({ ...deps, sink: () => sink }));
  const close = async (): Promise<void> => opened.close();
  return Object.assign(state, { lake, memory, asked, [Symbol.asyncDispose]: close });
}

/** Rows come in any order. */
function sorted(rows: ReturnType<MemorySink['tables']['get']> = [], by: string): NonNullable<typeof rows> {
  return rows.toSorted((a, b) => String(a[by]).localeCompare(String(b[by])));
}

const quick = { retryIntervalMs: 0 };

test('a run serves its tables whole at first, then what has changed, and nothing that has not', async () => {
  await using served = await openServed();
  const { lake, memory } = served;
  await lake.land('people', 'a.csv', 'id,name,seq,op\n1,ann,1,\n2,"",1,\n3,cid,1,\n');
  await lake.land('visits', 'a.csv', 'id,place\n1,x\n1,x\n2,y\n');
  const ahead = await planRun(lake.deps, 'staff');
  assert.deepEqual(ahead.serves, [
    { to: 'hr.people', from: 'silver.people' },
    { to: 'hr.visits', from: 'silver.visits' },
    { to: 'hr.totals', from: 'gold.totals' },
  ]);
  assert.equal(ahead.exports, undefined);
  const first = await lake.run();
  const how = ({ serve }: typeof first): unknown =>
    serve?.tables.map(({ to, from, how, rows }) => [to, from, how, rows]);
  assert.deepEqual(how(first), [
    ['hr.people', 'silver.people', 'whole', 3],
    ['hr.visits', 'silver.visits', 'whole', 3],
    ['hr.totals', 'gold.totals', 'whole', 2],
  ]);
  assert.equal(first.serve?.error, null);
  assert.ok(first.steps.some(({ step }) => step === 'Serve'));
  assert.deepEqual(sorted(memory.tables.get('hr.totals'), 'place'), [
    { place: 'x', n: '2', l: '{"1.5",NULL}', s: '{"a":1}' },
    { place: 'y', n: '1', l: '{"1.5",NULL}', s: '{"a":2}' },
  ]);
  assert.deepEqual(await planRun(lake.deps, 'staff').then(({ status, serves }) => [status, serves]), [
    'NOTHING_TO_DO',
    undefined,
  ]);
  await lake.land('people', 'b.csv', 'id,name,seq,op\n1,anna,2,\n2,bob,2,D\n4,dan,2,\n');
  await lake.land('visits', 'b.csv', 'id,place\n1,x\n');
  assert.deepEqual(how(await lake.run()), [
    ['hr.people', 'silver.people', 'changes', 2],
    ['hr.visits', 'silver.visits', 'changes', 1],
    ['hr.totals', 'gold.totals', 'whole', 2],
  ]);
  assert.deepEqual(
    sorted(memory.tables.get('hr.people'), 'id').map(({ id, name }) => [id, name]),
    [
      ['1', 'anna'],
      ['3', 'cid'],
      ['4', 'dan'],
    ],
  );
  assert.equal(memory.tables.get('hr.visits')?.length, 4);
  // A compaction changes no rows: nothing is behind.
  const { deps } = lake;
  const compacted = await compactTables(deps, { pipeline: 'staff', compact: { all: true, min_files: 2 } });
  assert.equal(compacted.kind, 'ended');
  assert.equal((await lake.answer()).kind, 'nothing');
  await lake.land('visits', 'c.csv', 'id,place\n1,z\n');
  assert.deepEqual(how(await lake.run()), [
    ['hr.people', 'silver.people', 'unchanged', 0],
    ['hr.visits', 'silver.visits', 'changes', 1],
    ['hr.totals', 'gold.totals', 'whole', 3],
  ]);
});

test('a run that cannot be served has published all the same, and the next one serves it without new files', async () => {
  await using served = await openServed();
  const { lake, memory } = served;
  await lake.land('visits', 'a.csv', 'id,place\n1,x\n');
  assert.equal((await lake.run({ dryRun: true })).status, 'DRY_RUN');
  assert.deepEqual(served.asked, []);
  served.broken = new InvalidInput('no such door');
  const first = await lake.run(quick);
  assert.deepEqual([first.status, first.error, first.serve?.tables], ['SUCCEEDED', null, []]);
  assert.deepEqual(first.serve?.error, { name: 'InvalidInput', message: 'no such door' });
  assert.equal((await lake.rows('staff_silver.visits')).length, 1);
  const behind = async (): Promise<unknown> =>
    (await listTables(lake.deps)).flatMap(({ name, served: to = [] }) =>
      to.map((one) => [name, one.to, one.behind, one.why]),
    );
  assert.deepEqual(await behind(), [
    ['staff_gold.totals', 'hr.totals', true, 'no such door'],
    ['staff_silver.people', 'hr.people', true, 'no such door'],
    ['staff_silver.visits', 'hr.visits', true, 'no such door'],
  ]);
  // What passes is tried again until it is too long.
  served.broken = new Unavailable('away');
  served.asked.length = 0;
  assert.equal((await lake.run(quick)).serve?.error?.name, 'Unavailable');
  assert.equal(served.asked.length, 7);
  served.broken = undefined;
  const second = await lake.run();
  assert.deepEqual([second.status, second.serve?.error, Object.keys(second.tables)], ['SUCCEEDED', null, []]);
  assert.equal(memory.tables.get('hr.visits')?.length, 1);
  assert.deepEqual(await behind(), [
    ['staff_gold.totals', 'hr.totals', false, null],
    ['staff_silver.people', 'hr.people', false, null],
    ['staff_silver.visits', 'hr.visits', false, null],
  ]);
  assert.equal((await lake.answer()).kind, 'nothing');
});

test('a run that dies while it serves is served by the next one before that does its own', async () => {
  await using served = await openServed();
  const { lake, memory } = served;
  await lake.land('visits', 'a.csv', 'id,place\n1,x\n');
  const stop = new AbortController();
  const dying = lake.reopen((deps) => ({
    ...deps,
    sink: () => ({
      async publish(run) {
        await memory.sink.publish(run);
        stop.abort(new Error('killed'));
        throw new Unavailable('killed');
      },
    }),
  }));
  await assert.rejects(dying.run({ ...quick, runId: 'first', interrupted: stop.signal }), /killed/);
  await lake.land('visits', 'b.csv', 'id,place\n2,y\n');
  const next = await lake.run({ ...quick, runId: 'second' });
  assert.deepEqual(
    served.asked.map(({ run_id }) => run_id),
    ['first', 'second'],
  );
  assert.deepEqual([...memory.book.keys()], ['staff first', 'staff second']);
  assert.deepEqual(
    next.serve?.tables.map(({ how }) => how),
    ['whole', 'changes', 'whole'],
  );
  assert.equal(memory.tables.get('hr.visits')?.length, 2);
});

const WRONG: readonly (readonly [string, object, readonly (readonly [string, string])[], RegExp])[] = [
  [
    'a NUL in a text, by its row',
    { people: TABLES.people },
    [['people', 'id,name,seq,op\n1,ann,1,\n7,a~b,1,\n']],
    /staff_silver\.people, served as hr\.people: got a NUL character in name of the row with id = 7; expected text without/,
  ],
  [
    'a key that two rows have',
    { visits: { from: 'silver.visits', key: 'place' } },
    [['visits', 'id,place\n1,x\n2,y\n3,x\n']],
    /staff_silver\.visits, served as hr\.visits: got 2 rows of place = x; expected one row for each place/,
  ],
  [
    'a key without a value',
    { visits: { from: 'silver.visits', key: 'place' } },
    [['visits', 'id,place\n1,x\n2,\n']],
    /got a row of place = NULL; expected one row for each place, and no NULL in it/,
  ],
];

for (const [what, tables, files, message] of WRONG) {
  test(`rows that cannot be served are named: ${what}`, async () => {
    await using served = await openServed(staff(tables));
    for (const [source, text] of files) await served.lake.land(source, 'a.csv', text);
    const { status, serve } = await served.lake.run(quick);
    assert.equal(status, 'SUCCEEDED');
    assert.match(serve?.error?.message ?? '', message);
    assert.equal(served.memory.tables.size, 0);
  });
}

test('a key that a row of before has is found too, in whatever file', async () => {
  const visits = { visits: { from: 'silver.visits', key: 'id' } };
  await using served = await openServed(staff(visits));
  const { lake, memory } = served;
  await lake.land('visits', 'a.csv', 'id,place\n1,x\n2,y\n');
  assert.equal((await lake.run()).serve?.error, null);
  await lake.land('visits', 'b.csv', 'id,place\n3,z\n');
  assert.deepEqual(
    (await lake.run()).serve?.tables.map(({ how, rows }) => [how, rows]),
    [['changes', 1]],
  );
  await lake.land('visits', 'c.csv', 'id,place\n2,z\n');
  assert.match(
    (await lake.run(quick)).serve?.error?.message ?? '',
    /got 2 rows of id = 2; expected one row for each id/,
  );
  // Also where its file has become another.
  await compactTables(lake.deps, { pipeline: 'staff', compact: { all: true, min_files: 2 } });
  assert.match((await lake.run(quick)).serve?.error?.message ?? '', /got 2 rows of id = 2;/);
  assert.deepEqual(
    sorted(memory.tables.get('hr.visits'), 'id').map(({ id, place }) => `${id} ${place}`),
    ['1 x', '2 y', '3 z'],
  );
});

test('no error of a pipeline with personal columns says what is in them', async () => {
  const messageOf = async (tables: object, source: string, text: string): Promise<string> => {
    await using served = await openServed(staff(tables, true));
    await served.lake.land(source, 'a.csv', text);
    const { serve } = await served.lake.run(quick);
    assert.deepEqual(
      served.asked.map(({ hidesValues }) => hidesValues),
      [true],
    );
    return serve?.error?.message ?? '';
  };
  const visits = { visits: { from: 'silver.visits', key: 'place' } };
  assert.match(await messageOf(visits, 'visits', 'id,place\n1,x\n2,y\n3,x\n'), /got 2 rows of place = \*\*\*;/);
  assert.match(await messageOf(visits, 'visits', 'id,place\n1,x\n2,\n'), /got a row of place = NULL;/);
  const nul = 'id,name,seq,op\n7,a~b,1,\n';
  const keyed = { people: { from: 'silver.people', key: ['id', 'name'] } };
  assert.match(await messageOf(keyed, 'people', nul), /in name of the row with id = 7, name = \*\*\*;/);
  const whole = { people: { from: 'silver.people' } };
  assert.match(await messageOf(whole, 'people', nul), /in name of the row with id = 7, seq = 1, op = NULL;/);
});

test('what is served is behind until it has the rows of the table, whatever their files', () => {
  const state = { to: 's.t', from: 'gold.t', snapshot_id: null, run_id: null };
  assert.equal(isBehind(state, undefined), true);
  assert.equal(isBehind({ ...state, run_id: 'r' }, undefined), false);
  assert.equal(isBehind({ ...state, run_id: 'r', snapshot_id: '1' }, undefined), true);
});
