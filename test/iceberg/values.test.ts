import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { encodeLowerBound, encodeUpperBound } from '../../lib/iceberg/bounds.ts';
import type { IcebergValue } from '../../lib/iceberg/types.ts';
import { compareValues, decodeValue, encodeValue } from '../../lib/iceberg/values.ts';
import { anyValue } from './arbitraries.ts';

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');

test('single-value serialisation', () => {
  const cases: readonly (readonly [string, IcebergValue, string])[] = [
    ['boolean', false, '00'],
    ['boolean', true, '01'],
    ['int', 1234, 'd2040000'],
    ['int', -1, 'ffffffff'],
    ['long', 1234n, 'd204000000000000'],
    ['long', -(2n ** 63n), '0000000000000080'],
    ['float', -4.5, '000090c0'],
    ['double', 6, '0000000000001840'],
    ['date', -1, 'ffffffff'],
    ['time', 10000000000n, '00e40b5402000000'],
    ['timestamp', 400000n, '801a060000000000'],
    ['timestamptz', -1n, 'ffffffffffffffff'],
    ['string', 'ABCé😀', '414243c3a9f09f9880'],
    ['string', '\ufeffa', 'efbbbf61'],
    ['binary', Uint8Array.of(1, 2, 255), '0102ff'],
    // The fewest bytes of two's complement, big-endian.
    ['decimal(5, 2)', 345n, '0159'],
    ['decimal(7, 4)', 1234567n, '12d687'],
    ['decimal(7, 4)', -1234567n, 'ed2979'],
    ['decimal(5, 2)', 0n, '00'],
    ['decimal(5, 2)', -1n, 'ff'],
    ['decimal(5, 2)', 127n, '7f'],
    ['decimal(5, 2)', 128n, '0080'],
    ['decimal(5, 2)', -128n, '80'],
    ['decimal(38, 0)', 10n ** 38n - 1n, '4b3b4ca85a86c47a098a223fffffffff'],
    ['decimal(38, 0)', -(10n ** 38n) + 1n, 'b4c4b357a5793b85f675ddc000000001'],
  ];
  for (const [type, value, expected] of cases) {
    assert.equal(hex(encodeValue(type, value)), expected, `${type} ${value}`);
    assert.deepEqual(decodeValue(type, encodeValue(type, value)), value);
  }
});

test('bounds of a column that was widened later', () => {
  assert.equal(decodeValue('long', encodeValue('int', -7)), -7n);
  assert.equal(decodeValue('double', encodeValue('float', 1.5)), 1.5);
  assert.equal(decodeValue('decimal(38, 2)', encodeValue('decimal(5, 2)', -345n)), -345n);
  assert.throws(() => decodeValue('int', new Uint8Array(3)), /got 3 bytes; expected 4/);
  assert.throws(() => encodeValue('long', 'x'), /not a value of type/);
});

test('every value survives', () => {
  fc.assert(
    fc.property(anyValue(), ({ type, value }) => {
      assert.deepEqual(decodeValue(type, encodeValue(type, value)), value);
    }),
  );
});

test('order', () => {
  const ascending: readonly (readonly IcebergValue[])[] = [
    [-2, -1.5, 0, 1e300, Infinity, Number.NaN],
    [-(2n ** 63n), -1n, 0n, 2n ** 63n - 1n],
    // By code point: UTF-16 would put U+1F600 (d83d de00) before U+FF5E.
    ['', 'A', 'a', 'aa', 'b', 'é', '～', '😀'],
    [Uint8Array.of(), Uint8Array.of(1), Uint8Array.of(1, 0), Uint8Array.of(255)],
    [false, true],
  ];
  for (const values of ascending) {
    for (const [at, a] of values.entries()) {
      for (const [other, b] of values.entries()) {
        assert.equal(Math.sign(compareValues(a, b)), Math.sign(at - other), `${String(a)} ${String(b)}`);
      }
    }
  }
  assert.equal(compareValues(-0, 0), 0);
});

test('bounds are short and still bound', () => {
  const long = 'é'.repeat(20);
  assert.equal(hex(encodeLowerBound('string', long)), hex(Buffer.from('é'.repeat(16))));
  assert.equal(hex(encodeUpperBound('string', long)), hex(Buffer.from(`${'é'.repeat(15)}ê`)));
  assert.equal(hex(encodeUpperBound('string', 'é'.repeat(16))), hex(Buffer.from('é'.repeat(16))));
  const top = String.fromCodePoint(0x10ffff);
  assert.equal(hex(encodeUpperBound('string', `a${top.repeat(16)}`)), hex(Buffer.from('b')));
  assert.equal(encodeUpperBound('string', top.repeat(17)), undefined);
  assert.equal(
    hex(encodeUpperBound('string', `${'a'.repeat(15)}\ud7ffz`)),
    hex(Buffer.from(`${'a'.repeat(15)}\ue000`)),
  );
  assert.equal(
    hex(
      encodeUpperBound(
        'binary',
        Uint8Array.from({ length: 17 }, () => 255),
      ),
    ),
    undefined,
  );
  assert.equal(
    hex(
      encodeUpperBound(
        'binary',
        Uint8Array.from({ length: 17 }, (_, at) => (at === 15 ? 255 : 1)),
      ),
    ),
    `${'01'.repeat(14)}02`,
  );
  assert.equal(encodeLowerBound('double', Number.NaN), undefined);
  assert.equal(hex(encodeLowerBound('double', 0)), '0000000000000080');
  assert.equal(hex(encodeUpperBound('double', -0)), '0000000000000000');
});

test('a text lies between its bounds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const lower = encodeLowerBound('string', text);
      const upper = encodeUpperBound('string', text);
      assert.ok(lower && compareValues(decodeValue('string', lower), text) <= 0);
      if (upper !== undefined) assert.ok(compareValues(decodeValue('string', upper), text) >= 0);
      assert.ok([...new TextDecoder().decode(upper)].length <= 16);
    }),
  );
});
