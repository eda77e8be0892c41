import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { full, seed, upsert } from '../../lib/define/index.ts';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, problemsOf, SHOP } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

const COLUMNS = { code: 'string', digits: 'int' } as const;
const FILES = { 'currencies.csv': 'code,digits\nEUR,2\n' };

function shopWithSeed(source: unknown, silver: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    ...SHOP,
    sources: { ...SHOP.sources, currencies: source },
    silver: { ...SHOP.silver, ...silver },
  };
}

describe('a seed', () => {
  test('travels in the spec, and has a table that is replaced whole', async () => {
    const spec = await compileShop(session, {
      definition: shopWithSeed(seed('currencies.csv', { columns: COLUMNS })),
      sql: FILES,
    });
    const source = spec.sources.find(({ name }) => name === 'currencies');
    assert.deepEqual(
      { ...source?.seed, name: '' },
      { path: 'currencies.csv', name: '', bytes: 18, text: FILES['currencies.csv'] },
    );
    assert.match(source?.seed?.name ?? '', /^currencies-[0-9a-f]{32}\.csv$/);
    const model = spec.models.find(({ id }) => id === 'silver.currencies');
    assert.ok(model?.layer === 'silver');
    assert.deepEqual([model.from, model.mode.kind], ['currencies', 'full']);
  });

  test('has the table that is declared for it, and its mode by itself', async () => {
    const silver = { money: { from: 'currencies', expect: { some: 'digits >= 0' } } };
    const definition = shopWithSeed(seed('currencies.csv', { columns: COLUMNS, delimiter: ';' }), silver);
    const spec = await compileShop(session, { definition, sql: { 'currencies.csv': 'code;digits\n' } });
    const tables = spec.models.filter((model) => model.layer === 'silver' && model.from === 'currencies');
    assert.deepEqual(
      tables.map(({ id }) => id),
      ['silver.money'],
    );
    assert.ok(tables[0]?.layer === 'silver' && tables[0].mode.kind === 'full');
    const named = shopWithSeed(seed('currencies.csv', { columns: COLUMNS }), {
      currencies: { from: 'currencies', mode: full() },
    });
    assert.equal((await problemsOf(session, { definition: named, sql: FILES })).length, 0);
  });

  const mistakes: readonly (readonly [string, unknown, Readonly<Record<string, string>>, RegExp])[] = [
    [
      'a file that is not there',
      seed('curencies.csv', { columns: COLUMNS }),
      FILES,
      /^sources\.currencies\.seed: got "curencies.csv", which is not there/,
    ],
    [
      'a file elsewhere',
      seed('../currencies.csv', { columns: COLUMNS }),
      FILES,
      /^sources\.currencies\.seed: got "\.\.\/currencies.csv"; expected the path of a .csv file inside/,
    ],
    [
      'a file of another kind',
      { ...seed('a.csv', { columns: COLUMNS }), seed: 'a.parquet' },
      FILES,
      /expected the path of a .csv file/,
    ],
    [
      'a file that is too large',
      seed('currencies.csv', { columns: COLUMNS }),
      { 'currencies.csv': `code,digits\n${'x'.repeat(1_000_000)}` },
      /got "currencies.csv" of 1.0 MB; expected 1 MB or less.* csv\(\) source/,
    ],
    [
      'a file that is not UTF-8',
      seed('currencies.csv', { columns: COLUMNS }),
      { 'currencies.csv': 'code,digits\n\uFFFD,1\n' },
      /bytes that are not UTF-8; expected text in UTF-8/,
    ],
    [
      'an option of csv() that it lacks',
      { ...seed('currencies.csv', { columns: COLUMNS }), encoding: 'latin-1' },
      FILES,
      /^sources\.currencies\.encoding: got an unknown property/,
    ],
  ];
  for (const [name, source, sql, expected] of mistakes) {
    test(name, async () => {
      const problems = await problemsOf(session, { definition: shopWithSeed(source), sql });
      assert.equal(problems.length, 1, JSON.stringify(problems));
      const [{ place, got, expected: wanted } = { place: '', got: '', expected: '' }] = problems;
      assert.match(`${place}: got ${got}; expected ${wanted}`, expected);
    });
  }

  test('another mode', async () => {
    const silver = { money: { from: 'currencies', mode: upsert({ key: 'code', sequence: 'digits' }) } };
    const problems = await problemsOf(session, {
      definition: shopWithSeed(seed('currencies.csv', { columns: COLUMNS }), silver),
      sql: FILES,
    });
    assert.deepEqual(
      problems.map(({ place, got }) => `${place}: ${got}`),
      ['silver.money.mode: upsert() of a seed'],
    );
  });

  test('a name that no table can have is one mistake', async () => {
    const definition = {
      ...SHOP,
      sources: { ...SHOP.sources, 'cur rencies': seed('currencies.csv', { columns: COLUMNS }) },
    };
    const problems = await problemsOf(session, { definition, sql: FILES });
    assert.equal(problems.filter(({ got }) => got.includes('cur rencies')).length, 1, JSON.stringify(problems));
  });
});
