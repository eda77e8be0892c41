import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, problemsOf, SHOP } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

const LEAST = { type: 'decimal(10,2)', default: '10.00' } as const;
const revenue = (condition: string) => ({
  'gold/revenue.sql': `select region, sum(amount) as revenue\nfrom silver.orders\nwhere ${condition}\ngroup by region`,
});

describe('variables', () => {
  test('stand in the spec with their types and defaults, and models with those that they use', async () => {
    const vars = { least: LEAST, since: { type: 'date', default: null, description: 'From then on.' } };
    const spec = await compileShop(session, { definition: { ...SHOP, vars }, sql: revenue("amount > var('least')") });
    assert.deepEqual(spec.vars, [
      { name: 'least', type: { kind: 'decimal', precision: 10, scale: 2 }, value: '10.00', description: null },
      { name: 'since', type: { kind: 'date' }, value: null, description: 'From then on.' },
    ]);
    const [customers, orders, model] = spec.models;
    assert.deepEqual([customers?.vars, orders?.vars, model?.vars], [undefined, undefined, { least: '10.00' }]);
    assert.match(model?.sql ?? '', /var\('least'\)/);
  });

  test('have the type that they are declared with, not that of the text', async () => {
    const sql = { 'gold/revenue.sql': "select var('least') as least, var('least') * 2 as twice from silver.orders" };
    const spec = await compileShop(session, { definition: { ...SHOP, vars: { least: LEAST } }, sql });
    assert.deepEqual(
      spec.models.at(-1)?.columns.map(({ type }) => type),
      [
        { kind: 'decimal', precision: 10, scale: 2 },
        { kind: 'decimal', precision: 18, scale: 2 },
      ],
    );
  });

  test('may have one of some values, as these are typed, or NULL', async () => {
    const vars = { least: { ...LEAST, in: [5, '10'] }, since: { type: 'date', default: null, in: ['2026-01-01'] } };
    const spec = await compileShop(session, { definition: { ...SHOP, vars } });
    assert.deepEqual(
      spec.vars?.map((one) => one.in),
      [['5', '10'], ['2026-01-01']],
    );
  });

  test('a pipeline without them is as it was', async () => {
    assert.equal('vars' in (await compileShop(session)), false);
  });

  const mistakes: readonly (readonly [string, unknown, string, RegExp])[] = [
    ['no type', { least: { default: 1 } }, 'true', /^vars\.least\.type: got nothing; expected a type/],
    [
      'an unknown type',
      { least: { type: 'money', default: 1 } },
      'true',
      /^vars\.least\.type: got "money"; expected a type/,
    ],
    [
      'no default',
      { least: { type: 'int' } },
      'true',
      /^vars\.least\.default: got nothing; expected a value of the type, or null/,
    ],
    [
      'a default of another type',
      { least: { type: 'int', default: '1.5' } },
      'true',
      /^vars\.least\.default: got "1.5"; expected int/,
    ],
    [
      'a default that it may not have',
      { least: { ...LEAST, in: [5, '10.5'] } },
      'true',
      /^vars\.least\.default: got "10\.00"; expected one of 5, 10\.5/,
    ],
    [
      'nothing that it may have',
      { least: { ...LEAST, in: [] } },
      'true',
      /^vars\.least\.in: got .*expected a list of at least one/,
    ],
    [
      'values that it may have of another type',
      { least: { ...LEAST, in: ['10', 'ten'] } },
      'true',
      /^vars\.least\.in\[1\]: got "ten"; expected decimal\(10,2\)/,
    ],
    [
      'NULL among them',
      { least: { ...LEAST, in: [10, null] } },
      'true',
      /^vars\.least\.in\[1\]: got null; expected a value/,
    ],
    ['a name that is none', { 'Least-1': LEAST }, 'true', /^vars\["Least-1"\]: got "Least-1"; expected a name/],
    ['an unknown property', { least: { ...LEAST, typ: 1 } }, 'true', /^vars\.least\.typ: got an unknown property/],
    [
      'an unknown variable in SQL',
      { least: LEAST },
      "amount > var('lest')",
      /^line 3, column 16: got the unknown variable "lest"; vars has least; did you mean "least"\?/,
    ],
    [
      'a variable where there are none',
      undefined,
      "amount > var('least')",
      /got the unknown variable "least"; the pipeline declares no vars/,
    ],
    [
      'a name that SQL makes',
      { least: LEAST },
      "amount > var('le' || 'ast')",
      /^line 3, column 16: got var\(\) of something other than one name in quotes/,
    ],
  ];
  for (const [name, vars, condition, expected] of mistakes) {
    test(`${name} is a mistake`, async () => {
      const definition = vars === undefined ? SHOP : { ...SHOP, vars };
      const problems = await problemsOf(session, { definition, sql: revenue(condition) });
      assert.equal(problems.length, 1, JSON.stringify(problems));
      const [{ place, got, expected: wanted } = { place: '', got: '', expected: '' }] = problems;
      assert.match(`${place}: got ${got}; expected ${wanted}`, expected);
    });
  }

  test('an unknown variable in a condition is a mistake there', async () => {
    const silver = {
      ...SHOP.silver,
      orders: { ...SHOP.silver?.['orders'], expect: { large: "amount > var('nope')" } },
    };
    const [problem, ...more] = await problemsOf(session, { definition: { ...SHOP, silver, vars: { least: LEAST } } });
    assert.deepEqual(more, []);
    assert.match(
      `${problem?.place}: ${problem?.got}`,
      /^silver\.orders\.expect\.large: .*the unknown variable "nope"; vars has least/,
    );
  });
});
