import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { civilFromDays, daysFromCivil } from '../../lib/iceberg/calendar.ts';
import { parsePartitionText, parseScalarText, parseStatText } from '../../lib/iceberg/text.ts';
import type { IcebergValue } from '../../lib/iceberg/types.ts';

test('statistics as DuckDB prints them; what we do not understand is no bound', () => {
  const cases: readonly (readonly [string, string, IcebergValue | undefined])[] = [
    ['boolean', '1', true],
    ['boolean', '0', false],
    ['boolean', 'true', true],
    ['boolean', 'yes', undefined],
    ['int', '-2147483648', -2147483648],
    ['int', '2147483648', undefined],
    ['long', '9223372036854775807', 9223372036854775807n],
    ['long', '9223372036854775808', undefined],
    ['long', '1.0', undefined],
    ['double', '1.7976931348623157e+308', Number.MAX_VALUE],
    ['double', '-inf', -Infinity],
    ['double', 'nan', Number.NaN],
    ['double', '', undefined],
    ['float', '0.1', Math.fround(0.1)],
    ['decimal(38, 2)', '-999999999999999999999999999999999999.99', -(10n ** 38n) + 1n],
    ['decimal(9, 2)', '1.5', 150n],
    ['decimal(9, 2)', '0.05', 5n],
    ['decimal(9, 2)', '-0.05', -5n],
    ['decimal(9, 2)', '1.555', undefined],
    ['decimal(3, 0)', '12', 12n],
    ['date', '1970-01-02', 1],
    ['date', '1969-12-31', -1],
    ['date', '12345-01-02', daysFromCivil({ year: 12345, month: 1, day: 2 })],
    ['date', '0001-01-01 (BC)', -719528],
    ['date', '0044-03-15 (BC)', daysFromCivil({ year: -43, month: 3, day: 15 })],
    ['date', '2021-02-29', undefined],
    ['date', 'infinity', undefined],
    ['date', '5877642-06-25 (BC)', -2147483646],
    ['timestamp', '1960-01-01 00:00:00.123456', -315619199876544n],
    ['timestamp', '1970-01-01 00:00:00', 0n],
    ['timestamp', '0001-01-01 (BC) 10:00:00', -719528n * 86400000000n + 36000000000n],
    ['timestamp', 'infinity', undefined],
    ['timestamp', '999999-01-01 00:00:00', undefined],
    ['timestamptz', '2020-01-01 00:00:00+00', 1577836800000000n],
    ['timestamptz', '2020-01-01 05:30:00.5+05:30', 1577836800500000n],
    ['timestamptz', '2019-12-31 19:00:00-05', 1577836800000000n],
    ['string', '', ''],
    ['string', "O'Brien é😀", "O'Brien é😀"],
    ['binary', 'FF00', Uint8Array.of(255, 0)],
    ['binary', '', Uint8Array.of()],
    ['binary', 'F', undefined],
    ['time', '22:31:08', 81068000000n],
  ];
  for (const [type, text, expected] of cases) {
    assert.deepEqual(parseStatText(type, text), expected, `${type} ${JSON.stringify(text)}`);
  }
});

test('binary as CAST prints it', () => {
  assert.deepEqual(parseScalarText('binary', 'ab\\x00\\xFF'), Uint8Array.of(97, 98, 0, 255));
  assert.equal(parseScalarText('binary', '\\x0'), undefined);
});

test('partition texts', () => {
  assert.equal(parsePartitionText({ kind: 'bucket', width: 4 }, 'string', '3'), 3);
  assert.equal(parsePartitionText({ kind: 'month' }, 'timestamp', '-1'), -1);
  assert.equal(parsePartitionText({ kind: 'day' }, 'timestamp', '1969-12-31'), -1);
  assert.equal(parsePartitionText({ kind: 'day' }, 'timestamp', '-1'), -1);
  assert.equal(parsePartitionText({ kind: 'truncate', width: 3 }, 'decimal(9, 2)', '1.50'), 150n);
  assert.equal(parsePartitionText({ kind: 'identity' }, 'string', ''), '');
  assert.equal(parsePartitionText({ kind: 'identity' }, 'string', null), null);
  assert.throws(() => parsePartitionText({ kind: 'identity' }, 'int', 'x'), /got "x"; expected the text of a "int"/);
});

test('the calendar agrees with the platform, and goes there and back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -700_000, max: 3_000_000 }), (days) => {
      const [, year, month, day] = /^([+-]?\d+)-(\d\d)-(\d\d)/.exec(new Date(days * 86_400_000).toISOString()) ?? [];
      const expected = { year: Number(year), month: Number(month), day: Number(day) };
      assert.deepEqual(civilFromDays(days), expected);
      assert.equal(daysFromCivil(expected), days);
    }),
  );
});
