import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonOptions } from '../../lib/define/index.ts';
import { runSources } from './bad-lake.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_105);
const NUMBERS = 300 * Number(process.env['FUZZ'] ?? 1);

const columns: JsonOptions['columns'] = {
  n: 'int',
  text: 'string',
  exact: 'decimal(38,12)',
  any: { type: 'decimal(38,12)', parse: 'numeric' },
};

const digits = (least: number, most: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...'0123456789'), { minLength: least, maxLength: most }).map((all) => all.join(''));
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constant('0'),
      digits(0, 24).map((rest) => `7${rest}`),
    ),
    fc.oneof(
      fc.constant(''),
      digits(1, 12).map((d) => `.${d}`),
      digits(1, 6).map((d) => `.00000${d}`),
    ),
    fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom('e1', 'E-4', 'e+2') }),
  )
  .map((parts) => parts.join(''));
const numbers = [
  ...['1.10', '1.0', '100', '0.0000001', '1e-7', '1E3', '1.50e2', '0.1', '-0.0', '12345678901234567.12'],
  ...['123456789012345678901234567890', '0.30000000000000004441', '98765432109876543210.1000'],
  ...fc.sample(number, { numRuns: NUMBERS, seed: SEED }),
];

/** The number in units of 10^-12; undefined where it has finer digits. */
function exactUnits(text: string): bigint | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const shift = 12 - fraction.length + Number(exponent);
  const all = BigInt(whole + fraction);
  const divisor = 10n ** BigInt(Math.max(0, -shift));
  if (all % divisor !== 0n) return undefined;
  const units = shift >= 0 ? all * 10n ** BigInt(shift) : all / divisor;
  return sign === '-' ? -units : units;
}

const unitsOf = (value: unknown): bigint => BigInt(String(value).replace('.', ''));
const inRange = (units: bigint): boolean => units < 10n ** 38n && units > -(10n ** 38n);

const row = (text: string, n: number): string => `{"n":${n},"text":${text},"exact":${text},"any":${text}}`;
const PARTS = '{"a":[12345678901234567890.125,1.50],"b":"1.0000000000000000001"}';
const outcomes = runSources({
  lines: { json: { columns }, files: { 'a.json': numbers.map((text, n) => `${row(text, n)}\n`).join('') } },
  array: { json: { columns, layout: 'array' }, files: { 'a.json': `[${numbers.map(row).join(',\n')}]` } },
  nested: {
    json: {
      columns: {
        n: 'int',
        all: 'list<decimal(38,12)>',
        parts: 'struct<t: string, d: decimal(38,12), r: list<struct<x: double, i: bigint>>>',
      },
    },
    files: {
      'a.json': `${numbers.map((text, n) => `{"n":${n},"all":[${text},1.5],"parts":{"t":${text},"d":${text},"r":[{"x":${text},"i":7}]}}\n`).join('')}`,
    },
  },
  objects: {
    json: { columns: { n: 'int', text: 'string', more: 'string' } },
    files: { 'a.json': `{"n":1,"text":${PARTS},"more":1.50}\n{"n":2,"text":{"a":1.5},"more":"1.50"}\n` },
  },
});

for (const layout of ['lines', 'array'] as const) {
  test(`numbers in ${layout} keep their digits`, async () => {
    const { rows, quarantine } = (await outcomes)[layout];
    const seen = new Set(rows.map((r) => Number(r['n'])));
    for (const { n, text, exact, any } of rows) {
      const written = numbers[Number(n)] ?? '';
      const units = exactUnits(written);
      assert.deepEqual([unitsOf(exact), unitsOf(any)], [units, units], written);
      assert.equal(text, written.replace(/^(-?\d+\.\d+?)0+$/, '$1'), written);
    }
    for (const { raw, codes } of quarantine) {
      const [, n = ''] = /^\{"n":(\d+),/.exec(raw) ?? [];
      seen.add(Number(n));
      const units = exactUnits(numbers[Number(n)] ?? '');
      assert.ok(units === undefined || !inRange(units), raw);
      assert.deepEqual(codes, ['TYPE_ERROR', 'TYPE_ERROR'], raw);
    }
    assert.equal(seen.size, numbers.length);
  });
}

test('numbers in lists and structs keep their digits', async () => {
  const { rows, quarantine } = (await outcomes).nested;
  for (const { n, all, parts } of rows) {
    const written = numbers[Number(n)] ?? '';
    const units = exactUnits(written);
    const { t, d, r } = parts as { t: string; d: string; r: readonly { x: number; i: string | number }[] };
    assert.deepEqual(
      [(all as readonly string[]).map(unitsOf), unitsOf(d)],
      [[units, 1_500_000_000_000n], units],
      written,
    );
    assert.equal(t, written.replace(/^(-?\d+\.\d+?)0+$/, '$1'), written);
    assert.ok(Number(r[0]?.x) === Number(written) && Number(r[0]?.i) === 7, written);
  }
  for (const { raw } of quarantine) {
    const units = exactUnits(numbers[Number(/^\{"n":(\d+),/.exec(raw)?.[1])] ?? '');
    assert.ok(units === undefined || !inRange(units), raw);
  }
  assert.equal(rows.length + quarantine.length, numbers.length);
});

test('numbers inside an object in a text column keep their digits', async () => {
  const { objects } = await outcomes;
  assert.deepEqual(objects.rows, [
    { n: 1, text: '{"a":[12345678901234567890.125,1.5],"b":"1.0000000000000000001"}', more: '1.5' },
    { n: 2, text: '{"a":1.5}', more: '1.50' },
  ]);
});
