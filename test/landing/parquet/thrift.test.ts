import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeStruct, encodeStruct, type ThriftField, TYPE } from '../../../lib/landing/parquet/thrift.ts';

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const number = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);

const { field } = fc.letrec<{ field: ThriftField }>((tie) => ({
  field: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.boolean().map((value) => ({ type: value ? TYPE.true : TYPE.false, value })),
    number.map((value) => ({ type: TYPE.i64, value })),
    fc.integer({ min: -128, max: 127 }).map((value) => ({ type: TYPE.i8, value: BigInt(value) })),
    bytes.map((value) => ({ type: TYPE.binary, value })),
    fc.uint8Array({ minLength: 8, maxLength: 8 }).map((value) => ({ type: TYPE.double, value: Buffer.from(value) })),
    fc.array(number, { maxLength: 20 }).map((items) => ({ type: TYPE.list, value: { element: TYPE.i64, items } })),
    fc.array(fc.boolean()).map((items) => ({ type: TYPE.list, value: { element: TYPE.true, items } })),
    fc.array(fc.tuple(bytes, number), { maxLength: 3 }).map((entries) => ({
      type: TYPE.map,
      value: entries.length === 0 ? { key: 0, value: 0, entries } : { key: TYPE.binary, value: TYPE.i64, entries },
    })),
    fc
      .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 200 }), tie('field')), { selector: ([id]) => id, maxLength: 6 })
      .map((fields) => ({ type: TYPE.struct, value: new Map(fields) })),
  ),
}));

test('what is written is read again, whatever it is', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 300 }), field), { selector: ([id]) => id }),
      (fields) => {
        const sorted = new Map(fields.sort(([a], [b]) => a - b));
        const encoded = encodeStruct(sorted);
        const { struct, length } = decodeStruct(Buffer.concat([encoded, Buffer.of(7)]));
        assert.deepEqual(encodeStruct(struct), encoded);
        assert.equal(length, encoded.length);
        assert.deepEqual([...struct.keys()], [...sorted.keys()]);
      },
    ),
  );
});

test('hostile bytes are refused, in time and memory of their length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (array) => {
      try {
        decodeStruct(Buffer.from(array));
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
  const hostile: Readonly<Record<string, string>> = {
    'a list said to have 2^40 items': '19f6808080808020',
    'a text longer than the bytes': '18ffffffff0f',
    'structs without end': '1c'.repeat(5000),
    'a number without end': `16${'ff'.repeat(20)}`,
    'a type that does not exist': '1f',
    'no end': '1502',
  };
  for (const [name, hex] of Object.entries(hostile)) {
    assert.throws(() => decodeStruct(Buffer.from(hex, 'hex')), RangeError, name);
  }
});
