import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readModelTests } from '../../lib/compile/model-tests.ts';
import { createNotes } from '../../lib/compile/notes.ts';
import { parseYaml } from '../../lib/compile/test-yaml.ts';
import type { ModelTest } from '../../lib/core/model-test.ts';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import { seed } from '../../lib/define/index.ts';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, SHOP, shopWith } from './shop.ts';

let session: Session;
let spec: PipelineSpec;
before(async () => {
  session = await openSession();
  spec = await compileShop(session);
});
after(() => session[Symbol.asyncDispose]());

const CUSTOMERS = { customer_id: 'bigint', name: 'string', region: 'string' } as const;

type Read = { readonly tests: readonly ModelTest[]; readonly found: readonly string[] };

async function readYaml(text: string, stem = 'orders'): Promise<Read> {
  const notes = createNotes('test/orders.yml');
  const value = parseYaml(text, notes);
  return notes.found.length > 0 ? { tests: [], found: lines(notes) } : read(value, stem);
}

async function read(value: unknown, stem = 'orders'): Promise<Read> {
  const notes = createNotes('test/orders.yml');
  const tests = await readModelTests(value, stem, 'test/orders.yml', { spec, session, notes });
  return { tests, found: lines(notes) };
}

function lines({ found }: ReturnType<typeof createNotes>): readonly string[] {
  return found.map(({ place, got, expected }) => `${place}: got ${got}; expected ${expected}`);
}

/** A test of silver.orders with one thing in it changed. */
function orders(change: Readonly<Record<string, unknown>>): unknown {
  const whole = { given: { orders: [], 'silver.customers': [] }, expect: [] };
  return { tests: { t: { ...whole, ...change } } };
}

describe('mistakes in tests of models', () => {
  const cases: readonly (readonly [string, unknown, RegExp, string?])[] = [
    ['no map', 7, /^the file: got 7; expected \{ model, tests/],
    ['no tests', { tests: {} }, /^tests: got \{\}; expected at least one test by name/],
    [
      'an unknown property',
      { test: {}, tests: { t: { given: { orders: [], customers: [] }, expect: [] } } },
      /^test: got an unknown property; .*"tests"\?/,
    ],
    [
      'an unknown model',
      { model: 'silver.order', tests: { t: {} } },
      /^model: got "silver.order"; .*did you mean "silver.orders"\?/,
    ],
    [
      'a file named like no model',
      orders({}),
      /^the name of the file: got "ordres"; .*"orders"\?, or model: to name it/,
      'ordres',
    ],
    [
      'no expect',
      { tests: { t: { given: { orders: [], 'silver.customers': [] } } } },
      /^tests\.t\.expect: got nothing/,
    ],
    ['given that is no map', orders({ given: [] }), /^tests\.t\.given: got \[\]; expected rows by source or table/],
    [
      'an unknown source',
      orders({ given: { order: [] } }),
      /^tests\.t\.given\.order: got an unknown source or table; .*"orders"\?/,
    ],
    [
      'a source that is not read',
      orders({ given: { orders: [], 'silver.customers': [], customers: [] } }),
      /^tests\.t\.given\.customers: got a source that is not read/,
    ],
    [
      'a table that is not read',
      orders({ given: { orders: [], customers: [], 'gold.revenue': [] } }),
      /^tests\.t\.given\["gold.revenue"\]: got a table that is not read/,
    ],
    [
      'an input that is missing',
      orders({ given: { orders: [] } }),
      /^tests\.t\.given: got no customers, which silver.customers reads; expected .*or silver.customers itself/,
    ],
    [
      "the model's own table",
      orders({ given: { orders: [], customers: [], 'silver.orders': [] } }),
      /the model's own table; expected runs:/,
    ],
    [
      'rows that are no list',
      orders({ given: { orders: 5, 'silver.customers': [] } }),
      /^tests\.t\.given\.orders: got 5; expected a list of rows/,
    ],
    [
      'a row that is no map',
      orders({ given: { orders: [1], 'silver.customers': [] } }),
      /^tests\.t\.given\.orders\[0\]: got 1; expected a row/,
    ],
    [
      'an unknown column of a source',
      orders({ given: { orders: [{ order_id: 1 }], 'silver.customers': [] } }),
      /orders\[0\]\.order_id: got an unknown column; .*"Order Id"\?/,
    ],
    [
      'an unknown column of a table',
      orders({ given: { orders: [], 'silver.customers': [{ nme: 1 }] } }),
      /\[0\]\.nme: got an unknown column; .*"name"\?/,
    ],
    [
      'an unknown column that is expected',
      orders({ expect: [{ amuont: 1 }] }),
      /^tests\.t\.expect\[0\]\.amuont: got an unknown column; .*"amount"\?/,
    ],
    [
      'a value of another type in a table',
      orders({ given: { orders: [], 'silver.customers': [{ customer_id: 'x' }] } }),
      /\[0\]\.customer_id: got "x"; expected bigint/,
    ],
    [
      'an expected value that would be rounded',
      orders({ expect: { rows: [{ amount: '1.005' }] } }),
      /^tests\.t\.expect\.rows\[0\]\.amount: got "1.005"; expected decimal\(12,2\)/,
    ],
    [
      'a value that no file can hold',
      orders({ given: { orders: [{ note: () => 1 }], 'silver.customers': [] } }),
      /note: got a function; expected text/,
    ],
    ['nothing expected', orders({ expect: {} }), /^tests\.t\.expect: got nothing; expected rows, rejected or error/],
    [
      'an error beside rows',
      orders({ expect: { rows: [], error: 'x' } }),
      /^tests\.t\.expect: got an error beside rows/,
    ],
    [
      'an unknown column of rejected rows',
      orders({ expect: { rejected: [{ code: 'X' }] } }),
      /rejected\[0\]\.code: got an unknown column; .*"codes"\?/,
    ],
    [
      'a date that there is none of',
      orders({ run_date: '2026-02-30' }),
      /^tests\.t\.run_date: got "2026-02-30"; expected a date/,
    ],
    ['a run id with a space', orders({ run_id: 'a b' }), /^tests\.t\.run_id: got "a b"; expected 1 to 80 letters/],
    ['no runs', { tests: { t: { runs: [], expect: [] } } }, /^tests\.t\.runs: got \[\]; expected a list of runs/],
    [
      'runs and given',
      { tests: { t: { runs: [{ given: { orders: [], customers: [] } }], given: {}, expect: [] } } },
      /^tests\.t\.given: got given beside runs/,
    ],
    [
      'nothing expected of the last run',
      { tests: { t: { runs: [{ given: { orders: [], customers: [] } }] } } },
      /^tests\.t\.expect: got nothing/,
    ],
    [
      'two ends',
      { tests: { t: { runs: [{ given: { orders: [], customers: [] }, expect: [] }], expect: [] } } },
      /^tests\.t\.runs\[0\]\.expect: got a second expect/,
    ],
    [
      'a run id twice',
      {
        tests: {
          t: {
            runs: [
              { given: { orders: [], customers: [] }, run_id: 'a' },
              { given: {}, run_id: 'a' },
            ],
            expect: [],
          },
        },
      },
      /^tests\.t\.runs\[1\]\.run_id: got "a" again/,
    ],
    [
      'a file with a path',
      orders({ given: { orders: { 'a/b.csv': [] }, 'silver.customers': [] } }),
      /got "a\/b.csv"; expected the name of a file/,
    ],
  ];
  for (const [name, value, expected, stem] of cases) {
    test(name, async () => {
      const { tests, found } = await read(value, stem);
      assert.equal(found.length, 1, found.join('\n'));
      assert.match(found[0] ?? '', expected);
      assert.deepEqual(tests, []);
    });
  }

  test('a seed is there with the pipeline, and its table may be given in its place', async () => {
    const text = 'customer_id,name\n';
    const given = {
      definition: shopWith(['sources', 'customers'], seed('c.csv', { columns: CUSTOMERS })),
      sql: { 'c.csv': text },
    };
    const seeded = { spec: await compileShop(session, given), session };
    const problemsOfTest = async (inputs: object): Promise<readonly string[]> => {
      const notes = createNotes('f');
      await readModelTests(orders({ given: inputs }), 'orders', 'f', { ...seeded, notes });
      return lines(notes);
    };
    assert.deepEqual(await problemsOfTest({ orders: [] }), []);
    assert.deepEqual(await problemsOfTest({ orders: [], 'silver.customers': [{ region: 'a' }] }), []);
    assert.match(
      (await problemsOfTest({ orders: [], customers: [] })).join(),
      /customers: got a seed; expected .* silver.customers, its table/,
    );
  });

  test('variables', async () => {
    const vars = { least: { type: 'int', default: 1 } };
    const seeded = { spec: await compileShop(session, { definition: { ...SHOP, vars } }), session };
    const readVars = async (given: object) => {
      const notes = createNotes('f');
      const whole = orders({ vars: given });
      const [found] = await readModelTests(whole, 'orders', 'f', { ...seeded, notes });
      return { vars: found?.runs[0]?.vars, found: lines(notes) };
    };
    assert.deepEqual(await readVars({ least: '5' }), { vars: { least: '5' }, found: [] });
    assert.match(
      (await readVars({ lest: 5 })).found.join(),
      /^tests\.t\.vars\.lest: got an unknown variable; expected least; did you mean "least"\?$/,
    );
    assert.match((await readVars({ least: 'x' })).found.join(), /^tests\.t\.vars\.least: got "x"; expected int$/);
  });

  test('are all reported at once', async () => {
    const { found } = await read(
      orders({ given: { orders: [{ x: 1, y: 2 }], 'silver.customers': [{ region: {}, z: 1 }] }, run_id: '' }),
    );
    assert.equal(found.length, 4, found.join('\n'));
  });

  test('a model of two layers must be named with its layer', async () => {
    const twice = { ...spec, models: spec.models.map((model) => ({ ...model, name: 'orders' })) };
    const notes = createNotes('f');
    await readModelTests(orders({}), 'orders', 'f', { spec: twice, session, notes });
    assert.match(lines(notes).join(), /got orders, which is two models; expected model: /);
  });

  test('YAML that cannot be read has a line and a column', async () => {
    assert.deepEqual((await readYaml('tests:\n  a: 1\n  a: 2\n')).found, [
      'line 3, column 3: got Map keys must be unique; expected YAML 1.2',
    ]);
    assert.match((await readYaml('tests: [1')).found[0] ?? '', /^line 1, column \d+: got Flow sequence/);
  });
});

test('YAML keeps the digits of numbers, for files and for columns', async () => {
  const { tests, found } = await readYaml(`
tests:
  t:
    given:
      orders:
        - { Order Id: 12345678901234567, amount: 19.90, note: 007, tags: [a, 1.10] }
      silver.customers: &none []
    run_date: 2026-03-01T06:30:00+02:00
    expect:
      - { amount: 19.90, note: ~, order_id: 12345678901234567 }
`);
  assert.deepEqual(found, []);
  const [run] = tests[0]?.runs ?? [];
  assert.equal(run?.at, '2026-03-01T04:30:00.000Z');
  assert.equal(run?.runId, 'run-1');
  const [given] = run?.given ?? [];
  const row = given?.kind === 'source' && given.files[0]?.kind === 'rows' ? given.files[0].rows[0] : undefined;
  assert.deepEqual(row?.get('amount'), { kind: 'scalar', text: '19.90', json: '19.90' });
  assert.deepEqual(row?.get('note'), { kind: 'scalar', text: '007', json: '"007"' });
  assert.deepEqual(row?.get('Order Id'), { kind: 'scalar', text: '12345678901234567', json: '12345678901234567' });
  assert.deepEqual(run?.expected?.columns, ['order_id', 'amount', 'note']);
});

test('runs follow each other day by day, and each may say its own', async () => {
  const inputs = { orders: [], customers: [] };
  const { tests, found } = await read({
    tests: {
      t: {
        runs: [{ given: inputs }, { given: {} }, { given: {}, run_date: '2026-06-01', run_id: 'june' }],
        expect: [],
      },
    },
  });
  assert.deepEqual(found, []);
  const runs = tests[0]?.runs.map(({ runId, at }) => `${runId} ${at}`);
  assert.deepEqual(runs, [
    'run-1 2026-01-01T00:00:00.000Z',
    'run-2 2026-01-02T00:00:00.000Z',
    'june 2026-06-01T00:00:00.000Z',
  ]);
  const notes = createNotes('f');
  const whole = { tests: { t: { runs: [{ given: inputs }, { given: {}, run_date: '2026-06-01' }], expect: [] } } };
  const there = { ...spec, timezone: 'America/New_York' };
  const [one] = await readModelTests(whole, 'orders', 'f', { spec: there, session, notes });
  assert.deepEqual(
    one?.runs.map(({ at }) => at),
    ['2026-01-01T05:00:00.000Z', '2026-06-01T04:00:00.000Z'],
  );
});
