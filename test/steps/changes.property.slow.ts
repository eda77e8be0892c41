import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { append, csv, definePipeline, full, month, query, replace, scd2, upsert } from '../../lib/define/index.ts';
import { dying, successor } from '../support/dying.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

/** Lives of a lake; CHANGE_CASES more or fewer of them. */
const CASES = Number(process.env['CHANGE_CASES'] ?? 6);
const SEED = Number(process.env['CHANGE_SEED'] ?? Date.now() % 2 ** 31);

const MODES = {
  append: () => ({ mode: append(), partitionBy: [month('day')] }),
  'append, dedupe by row': () => ({ mode: append({ dedupe: 'row' }) }),
  'append, dedupe by key': () => ({ mode: append({ dedupe: { key: 'id' } }) }),
  replace: () => ({ mode: replace(), partitionBy: [month('day')] }),
  full: () => ({ mode: full() }),
  upsert: () => ({ mode: upsert({ key: 'id', sequence: 'day', buckets: 2 }) }),
  'upsert by two columns': (code: string) => ({ mode: upsert({ key: ['id', code], sequence: 'day', buckets: 3 }) }),
  scd2: () => ({ mode: scd2({ key: 'id', sequence: 'day', buckets: 2 }) }),
  'scd2, one column tracked': () => ({ mode: scd2({ key: 'id', sequence: 'day', track: ['amount'], buckets: 2 }) }),
} as const;

const SQL = {
  all: 'SELECT * FROM batch.orders',
  doubled: 'SELECT id, day, code, amount * 2 AS amount FROM batch.orders',
  named: "SELECT id, day, code || '!' AS code, amount, length(code) AS letters FROM batch.orders",
} as const;

const GOLD = {
  totals: 'SELECT day, count(*) AS orders, sum(amount) AS amount FROM silver.orders GROUP BY day',
  counts: 'SELECT day, count(*) AS n FROM silver.orders GROUP BY day',
} as const;

const AMOUNTS = ['decimal(10,2)', 'decimal(12,2)', 'double', 'string'] as const;

/** What a pipeline may be. */
type Shape = {
  readonly mode: keyof typeof MODES;
  readonly sql: keyof typeof SQL;
  readonly gold: keyof typeof GOLD;
  readonly touched: boolean;
  readonly amount: (typeof AMOUNTS)[number];
  readonly note: 'none' | 'plain' | 'default';
  /** Whether `code` is called `kind` now. */
  readonly renamed: boolean;
  readonly required: boolean;
  readonly checked: boolean;
  /** The mode of another table of the same source; null where there is none. */
  readonly twin: keyof typeof MODES | null;
};

const FIRST: Shape = {
  mode: 'append',
  sql: 'all',
  gold: 'totals',
  touched: false,
  amount: 'decimal(10,2)',
  note: 'none',
  renamed: false,
  required: false,
  checked: false,
  twin: null,
};

const mode = fc.constantFrom(...(Object.keys(MODES) as (keyof typeof MODES)[]));
const edit: fc.Arbitrary<Partial<Shape>> = fc.oneof(
  fc.record({ mode }),
  fc.record({ sql: fc.constantFrom('all' as const, 'doubled' as const, 'named' as const) }),
  fc.record({ gold: fc.constantFrom('totals' as const, 'counts' as const) }),
  fc.record({ touched: fc.boolean() }),
  fc.record({ amount: fc.constantFrom(...AMOUNTS) }),
  fc.record({ note: fc.constantFrom('none' as const, 'plain' as const, 'default' as const) }),
  fc.record({ renamed: fc.boolean() }),
  fc.record({ required: fc.boolean() }),
  fc.record({ checked: fc.boolean() }),
  fc.record({ twin: fc.option(mode, { freq: 2 }) }),
);

function pipelineOf(shape: Shape): TestPipeline {
  // Text can be neither multiplied nor added up.
  const sql = shape.amount === 'string' && shape.sql === 'doubled' ? 'all' : shape.sql;
  const gold = shape.amount === 'string' ? 'counts' : shape.gold;
  const code = shape.renamed ? 'kind' : 'code';
  const table = (of: keyof typeof MODES): object => ({ from: 'orders', sql: 'orders.sql', ...MODES[of](code) });
  const notes = { none: {}, plain: { note: 'string' }, default: { note: { type: 'string', default: 'nothing' } } };
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: {
        orders: csv({
          drift: 'ignore',
          columns: {
            id: 'bigint',
            day: 'date',
            // A name comes back as it went, so that each shape reads the files of all.
            [code]: { type: 'string', required: shape.required, renamedFrom: shape.renamed ? 'code' : 'kind' },
            amount: shape.amount,
            ...notes[shape.note],
          } as never,
        }),
      },
      silver: {
        orders: table(shape.mode),
        ...(shape.twin === null ? {} : { twin: table(shape.twin) }),
      },
      gold: {
        totals: {
          sql: 'totals.sql',
          ...(shape.touched ? { partitionBy: [month('day')], refresh: 'touched' } : {}),
          ...(shape.checked ? { expect: { some: query('SELECT * FROM this WHERE day IS NULL AND false') } } : {}),
        },
      },
    } as Parameters<typeof definePipeline>[0]),
    sql: { 'orders.sql': SQL[sql].replaceAll('code', code), 'totals.sql': GOLD[gold] },
  };
}

const cell = fc.record({
  id: fc.integer({ min: 1, max: 6 }),
  day: fc.constantFrom('2026-01-05', '2026-01-09', '2026-02-06', '2026-02-31', '2026-03-01', ''),
  code: fc.constantFrom('a', 'b', ''),
  amount: fc.constantFrom('1.00', '2.50', '-1.00', 'x', ''),
  note: fc.constantFrom('n', ''),
});
const file = fc.record({ noted: fc.boolean(), rows: fc.array(cell, { maxLength: 6 }) });

type Act =
  | { readonly act: 'edit'; readonly edit: Partial<Shape> }
  | { readonly act: 'land'; readonly file: { readonly noted: boolean; readonly rows: readonly Cell[] } }
  | { readonly act: 'correct'; readonly at: number; readonly file: Extract<Act, { act: 'land' }>['file'] }
  | { readonly act: 'run' | 'backfill'; readonly forward: boolean; readonly dies: number | null };
type Cell = {
  readonly id: number;
  readonly day: string;
  readonly code: string;
  readonly amount: string;
  readonly note: string;
};

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: edit.map((edit): Act => ({ act: 'edit', edit })) },
  { weight: 4, arbitrary: file.map((file): Act => ({ act: 'land', file })) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('correct' as const), at: fc.nat({ max: 20 }), file }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('run' as const),
      forward: fc.boolean(),
      dies: fc.option(fc.integer({ min: 1, max: 120 }), { freq: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('backfill' as const),
      forward: fc.constant(false),
      dies: fc.option(fc.integer({ min: 1, max: 120 }), { freq: 2 }),
    }),
  },
);

function textOf({ noted, rows }: { readonly noted: boolean; readonly rows: readonly Cell[] }): string {
  const lines = rows.map(
    ({ id, day, code, amount, note }) => `${id},${day},${code},${amount}${noted ? `,${note}` : ''}\n`,
  );
  return `id,day,code,amount${noted ? ',note' : ''}\n${lines.join('')}`;
}

type Life = { lake: TestLake; shape: Shape; readonly landed: Map<string, string>; runs: number };

/** What a run may answer that has not done what was asked: it says which command does. */
const CHOICE = /strata (backfill|rebuild|run)/;

async function step(life: Life, one: Act): Promise<void> {
  switch (one.act) {
    case 'edit': {
      life.shape = { ...life.shape, ...one.edit };
      const spec = await compileTest(pipelineOf(life.shape), life.lake.scratch);
      life.lake = life.lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
      return;
    }
    case 'land': {
      const name = `f${String(life.landed.size).padStart(3, '0')}.csv`;
      const text = textOf(one.file);
      life.landed.set(name, text);
      return life.lake.land('orders', name, text);
    }
    case 'correct':
      return correct(life, one);
    default: {
      life.runs += 1;
      const asked = {
        runId: `run-${life.runs}`,
        ...(one.act === 'backfill' ? { backfill: {} } : {}),
        ...(one.forward ? { forward_only: true } : {}),
      };
      if (one.dies !== null) {
        await dying(life.lake, one.dies).lake.answer(asked);
        life.lake = successor(life.lake);
        return;
      }
      const answer = await life.lake.answer(asked);
      if (answer.kind !== 'ended' || answer.result.status === 'SUCCEEDED') return;
      assert.match(answer.result.error?.message ?? '', CHOICE, JSON.stringify(answer.result.error));
    }
  }
}

/** Lands a file that runs have taken once more, with other content that is to take its place. */
async function correct(life: Life, { at, file }: Extract<Act, { act: 'correct' }>): Promise<void> {
  const ledger = await life.lake.rows('shop_ops.files').catch(() => []);
  const taken = [...new Set(ledger.map(({ key }) => nameOf(key)))].sort();
  const name = taken[at % taken.length];
  if (name === undefined) return;
  const before = life.landed.get(name) ?? '';
  const after = textOf(file);
  await life.lake.land('orders', name, after);
  life.runs += 1;
  const answer = await life.lake.answer({
    runId: `run-${life.runs}`,
    reprocess: { source: 'orders', files: [name] },
  });
  if (answer.kind === 'ended' && answer.result.status === 'SUCCEEDED') {
    life.landed.set(name, after);
    return;
  }
  assert.match(JSON.stringify(answer), CHOICE);
  await life.lake.land('orders', name, before);
}

function nameOf(key: unknown): string {
  return String(key).split('/').at(-1) ?? '';
}

/** What a lake has that was always what this one has become, and in which runs took the files that they took here. */
async function freshLake(life: Life): Promise<TestLake> {
  const ledger = await life.lake.rows(
    'shop_ops.files',
    'SELECT key, arg_min(run_id, ingested_at) AS run, min(ingested_at) AS since FROM t GROUP BY key ORDER BY since, key',
  );
  const batches = Map.groupBy(ledger, (row) => String(row['run']));
  const fresh = await openTestLake(pipelineOf(life.shape));
  for (const files of batches.values()) {
    for (const { key } of files) {
      const name = nameOf(key);
      await fresh.land('orders', name, life.landed.get(name) ?? '');
    }
    assert.equal((await fresh.run()).status, 'SUCCEEDED');
  }
  assert.equal(ledger.length, life.landed.size);
  return fresh;
}

const BOOKS = {
  'shop_silver.orders': 'SELECT * FROM t ORDER BY ALL',
  'shop_silver.twin': 'SELECT * FROM t ORDER BY ALL',
  'shop_gold.totals': 'SELECT * FROM t ORDER BY ALL',
  'shop_ops.quarantine': `SELECT source_file, line FROM t WHERE status <> 'released' ORDER BY ALL`,
} as const;

async function books(lake: TestLake, twin: Shape['twin']): Promise<unknown> {
  const all: Record<string, unknown> = {};
  for (const [table, select] of Object.entries(BOOKS)) {
    if (twin !== null || table !== 'shop_silver.twin') all[table] = await lake.rows(table, select);
  }
  return all;
}

test(`after a backfill a lake is as if its pipeline had always been this one (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 14 }), file, async (acts, first) => {
      const life: Life = { lake: await openTestLake(pipelineOf(FIRST)), shape: FIRST, landed: new Map(), runs: 0 };
      try {
        for (const one of [{ act: 'land' as const, file: first }, ...acts]) await step(life, one);
        const peace = { forward: true, dies: null } as const;
        await step(life, { act: 'run', ...peace });
        // Twice: the first may have finished what had begun before.
        for (let n = 0; n < 2; n += 1) {
          const done = await life.lake.run({ runId: `last-${n}`, backfill: {} });
          assert.equal(done.status, 'SUCCEEDED', done.error?.message);
        }
        const fresh = await freshLake(life);
        try {
          assert.deepEqual(await books(life.lake, life.shape.twin), await books(fresh, life.shape.twin));
        } finally {
          fresh.close();
        }
      } finally {
        life.lake.close();
      }
    }),
    { numRuns: CASES, seed: SEED },
  );
});
