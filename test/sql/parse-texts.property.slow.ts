import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { byFormats, parseTexts, type Rule } from './parsed-texts.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_103);
/** FUZZ=20 looks at twenty times as many texts. */
const TEXTS = 24 * Number(process.env['FUZZ'] ?? 1);

const number = (least: number, most: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.integer({ min: least, max: most }), fc.constantFrom(1, 2, 2, 2))
    .map(([n, width]) => String(n).padStart(width, '0'));
const day = fc
  .tuple(fc.constantFrom('2024', '2025', '1969', '24', '0000'), number(0, 13), number(0, 32))
  .map((parts) => parts.join('-'));
const hour = fc
  .tuple(fc.constantFrom(' ', 'T', ''), number(0, 24), number(0, 60), fc.constantFrom(':00', ':59.5', ':60', ''))
  .map(([between, h, m, s]) => `${between}${h}:${m}${s}`);
const zone = fc.constantFrom(
  ...['', '', '', 'Z', '+05:30', '-0800', '+02', '+99:00', ' Europe/Rome', ' America/New_York', ' UTC', ' x'],
);
const moment = fc
  .tuple(day, fc.option(hour, { nil: '' }), zone)
  .map((parts) => parts.join(''))
  .chain((text) => fc.constantFrom(text, text, text, `${text} `, `${text}x`, 'epoch', 'infinity'));

const TIMES = ['date', 'timestamp', 'timestamptz'];
const FORMATS = [
  byFormats('%Y-%m-%dT%H:%M:%S%z', '%Y-%m-%d %H:%M:%S'),
  byFormats('%Y-%m-%d %H:%M:%S%z'),
  byFormats('%Y-%m-%d %H:%M:%S %Z', '%Y-%m-%d %H:%M', '%Y-%m-%d'),
];
const RULES: readonly Rule[] = TIMES.flatMap((type) => [{ type }, ...FORMATS.map((parse) => ({ type, parse }))]);

for (const rule of RULES) {
  const formats = rule.parse?.kind === 'strptime' ? ` by ${rule.parse.formats.join(' or ')}` : '';
  test(`${rule.type}${formats}: a text means the same alone, after others and before them`, async () => {
    const texts = fc.sample(moment, { numRuns: TEXTS, seed: SEED });
    const batch = await parseTexts(rule, texts);
    const backwards = await parseTexts(rule, texts.toReversed());
    assert.deepEqual(backwards.toReversed(), batch);
    for (const [i, text] of texts.entries()) assert.deepEqual(await parseTexts(rule, [text]), [batch[i]], text);
  });
}

const digits = fc
  .array(fc.constantFrom(...'0123456789'), { maxLength: 9 })
  .map((all) => all.join(''))
  .chain((text) => fc.constantFrom(text, text, `${text}000000`, `000${text}`));
const numeral = fc
  .tuple(
    fc.constantFrom('', '', '', '-', '+', '+-', ' '),
    digits,
    fc.constantFrom('', '.', '_', ','),
    digits,
    fc.constantFrom('', '', 'e3', 'E-4', 'e+1', 'e', 'e-12', 'f'),
  )
  .map((parts) => parts.join(''));

/** The number as an integer of units of the last digit of a decimal with that scale; undefined where it is none. */
function exactUnits(text: string, scale: number, exponents: boolean): bigint | undefined {
  const [, sign, whole = '', fraction = '', exponent] =
    /^ *([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))? *$/.exec(text) ?? [];
  if (`${whole}${fraction}` === '' || (exponent !== undefined && !exponents)) return undefined;
  const shift = scale - fraction.length + Number(exponent ?? 0);
  const all = BigInt(whole + fraction);
  const divisor = 10n ** BigInt(Math.max(0, -shift));
  if (all % divisor !== 0n) return undefined;
  const units = shift >= 0 ? all * 10n ** BigInt(shift) : all / divisor;
  return sign === '-' ? -units : units;
}

for (const [rule, scale, exponents] of [
  [{ type: 'decimal(18,3)' }, 3, false],
  [{ type: 'decimal(38,12)', parse: { kind: 'numeric' } }, 12, true],
  [{ type: 'bigint', parse: { kind: 'numeric' } }, 0, true],
  [{ type: 'bigint' }, 0, false],
] as const) {
  test(`${rule.type}${exponents ? ' in any notation' : ''}: the number that is written, or none`, async () => {
    const texts = fc.sample(numeral, { numRuns: TEXTS * 40, seed: SEED });
    const parsed = await parseTexts(rule, texts);
    const integers = rule.type === 'bigint' && !exponents;
    for (const [i, text] of texts.entries()) {
      const units = integers && text.includes('.') ? undefined : exactUnits(text, scale, exponents);
      const fits = units !== undefined && BigInt.asIntN(64, units) === units ? units : undefined;
      const inRange = rule.type === 'bigint' || units === undefined || fitsDigits(units, rule.type) ? units : undefined;
      const expected = rule.type === 'bigint' ? fits : inRange;
      const got = parsed[i] === 'refused' ? undefined : BigInt(String(parsed[i]).replace('.', ''));
      assert.equal(got, expected, JSON.stringify(text));
    }
  });
}

function fitsDigits(units: bigint, type: string): boolean {
  const digits = Number(/\d+/.exec(type)?.[0]);
  return units < 10n ** BigInt(digits) && units > -(10n ** BigInt(digits));
}
