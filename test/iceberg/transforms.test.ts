import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseScalarText } from '../../lib/iceberg/text.ts';
import {
  acceptsType,
  applyTransform,
  parseTransform,
  renderTransform,
  resultType,
} from '../../lib/iceberg/transforms.ts';
import type { IcebergValue } from '../../lib/iceberg/types.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll('-', ''), 'hex'));

function value(type: string, text: string): IcebergValue {
  const parsed = parseScalarText(type, text);
  assert.notEqual(parsed, undefined, `${type} ${text}`);
  return parsed ?? null;
}

function transformed(transform: string, type: string, input: IcebergValue): IcebergValue {
  const parsed = parseTransform(transform);
  assert.ok(parsed, transform);
  return applyTransform(parsed, type, input);
}

// A bucket count of 2^31 leaves the hash itself, without its sign.
const hash = (type: string, input: IcebergValue) => transformed(`bucket[${2 ** 31}]`, type, input);
const unsigned = (signed: number): number => signed & 0x7fffffff;

test('the hashes published in the specification, Appendix B', () => {
  const cases: readonly (readonly [string, IcebergValue, number])[] = [
    ['int', 34, 2017239379],
    ['long', 34n, 2017239379],
    ['decimal(9, 2)', 1420n, -500754589],
    ['date', value('date', '2017-11-16'), -653330422],
    ['time', value('time', '22:31:08'), -662762989],
    ['timestamp', value('timestamp', '2017-11-16 22:31:08'), -2047944441],
    ['timestamp', value('timestamp', '2017-11-16 22:31:08.000001'), -1207196810],
    ['timestamptz', value('timestamptz', '2017-11-16 14:31:08-08'), -2047944441],
    ['timestamptz', value('timestamptz', '2017-11-16 14:31:08.000001-08'), -1207196810],
    ['string', 'iceberg', 1210000089],
    ['uuid', bytes('f79c3e09-677c-4bbd-a479-3f349cb785e7'), 1488055340],
    ['fixed[4]', bytes('00010203'), -188683207],
    ['binary', bytes('00010203'), -188683207],
  ];
  for (const [type, input, expected] of cases) assert.equal(hash(type, input), unsigned(expected), type);
});

test('transform values, before and after 1970', () => {
  const cases: readonly (readonly [string, string, IcebergValue, IcebergValue])[] = [
    // The specification's own truncation table.
    ['truncate[10]', 'int', 1, 0],
    ['truncate[10]', 'int', -1, -10],
    ['truncate[10]', 'long', 1n, 0n],
    ['truncate[10]', 'long', -1n, -10n],
    ['truncate[50]', 'decimal(9, 2)', 1065n, 1050n],
    ['truncate[50]', 'decimal(9, 2)', -5n, -50n],
    ['truncate[3]', 'string', 'iceberg', 'ice'],
    ['truncate[3]', 'string', '😀é日本', '😀é日'],
    ['truncate[3]', 'string', '', ''],
    ['truncate[2]', 'binary', bytes('000102'), bytes('0001')],
    ['year', 'date', value('date', '2017-11-16'), 47],
    ['year', 'date', value('date', '1969-12-31'), -1],
    ['year', 'date', value('date', '0001-01-01'), -1969],
    ['month', 'date', value('date', '2017-12-01'), 575],
    ['month', 'date', value('date', '1969-12-31'), -1],
    ['month', 'date', value('date', '1969-01-01'), -12],
    ['day', 'date', value('date', '1969-12-31'), -1],
    ['day', 'timestamp', value('timestamp', '2017-12-01 10:12:55.038194'), 17501],
    ['day', 'timestamp', value('timestamp', '1969-12-31 23:59:59.999999'), -1],
    ['hour', 'timestamp', value('timestamp', '2017-12-01 10:12:55.038194'), 420034],
    ['hour', 'timestamp', value('timestamp', '1969-12-31 23:59:59.999999'), -1],
    ['hour', 'timestamp', value('timestamp', '1960-01-01 00:00:00'), -87672],
    ['month', 'timestamptz', value('timestamptz', '2020-03-01 00:00:00+01'), 601],
    ['identity', 'double', 1.5, 1.5],
    ['void', 'string', 'x', null],
    ['bucket[16]', 'string', null, null],
  ];
  for (const [transform, type, input, expected] of cases) {
    assert.deepEqual(transformed(transform, type, input), expected, `${transform} of ${type} ${input}`);
  }
});

test('a transform is its text', () => {
  for (const text of ['identity', 'year', 'month', 'day', 'hour', 'void', 'bucket[16]', 'truncate[1]']) {
    const parsed = parseTransform(text);
    assert.equal(parsed && renderTransform(parsed), text);
  }
  for (const text of ['bucket', 'bucket[0]', 'bucket[-1]', 'truncate[x]', 'zorder', 'Identity', '']) {
    assert.equal(parseTransform(text), undefined, text);
  }
});

test('result types, and what is not accepted', () => {
  assert.equal(resultType({ kind: 'bucket', width: 4 }, 'string'), 'int');
  assert.equal(resultType({ kind: 'day' }, 'timestamp'), 'date');
  assert.equal(resultType({ kind: 'truncate', width: 4 }, 'decimal(9, 2)'), 'decimal(9, 2)');
  assert.equal(acceptsType({ kind: 'bucket', width: 4 }, 'double'), false);
  assert.equal(acceptsType({ kind: 'hour' }, 'date'), false);
  assert.equal(acceptsType({ kind: 'identity' }, { type: 'struct', fields: [] }), false);
  assert.throws(() => applyTransform({ kind: 'bucket', width: 4 }, 'boolean', true), /bucket\[4\] does not take/);
});

test('buckets lie in range, truncation keeps order and never raises', () => {
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.integer({ min: 1, max: 1000 }), (long, width) => {
      const bucket = transformed(`bucket[${width}]`, 'long', long);
      assert.ok(typeof bucket === 'number' && bucket >= 0 && bucket < width);
      const cut = transformed(`truncate[${width}]`, 'long', long);
      assert.ok(typeof cut === 'bigint' && cut <= long && long - cut < BigInt(width) && cut % BigInt(width) === 0n);
    }),
  );
});
