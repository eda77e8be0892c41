import assert from 'node:assert/strict';
import test from 'node:test';
import { UnreadableTable } from '../../lib/core/errors.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { parseLossless, renderLossless } from '../../lib/iceberg/lossless.ts';

/** As Java writes it, with keys that we do not know. */
const TEXT = `{
  "format-version": 2, "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1", "location": "s3://bucket/test/location",
  "last-sequence-number": 34, "last-updated-ms": 1602638573590, "last-column-id": 3, "current-schema-id": 1,
  "schemas": [
    {"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "x", "required": true, "type": "long"}]},
    {"type": "struct", "schema-id": 1, "identifier-field-ids": [1, 2], "fields": [
      {"id": 1, "name": "x", "required": true, "type": "long"},
      {"id": 2, "name": "y", "required": true, "type": "long", "doc": "comment"},
      {"id": 3, "name": "z", "required": true, "type": {"type": "list", "element-id": 4, "element-required": true, "element": "long"}}
    ]}
  ],
  "default-spec-id": 0,
  "partition-specs": [{"spec-id": 0, "fields": [{"name": "x", "transform": "identity", "source-id": 1, "field-id": 1000}]}],
  "last-partition-id": 1000, "default-sort-order-id": 3,
  "sort-orders": [{"order-id": 3, "fields": [{"transform": "bucket[4]", "source-id": 3, "direction": "desc", "null-order": "nulls-last"}]}],
  "properties": {"read.split.target.size": "134217728"},
  "current-snapshot-id": 3055729675574597004,
  "snapshots": [
    {"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770, "sequence-number": 0, "summary": {"operation": "append"}, "manifest-list": "s3://a/b/1.avro"},
    {"snapshot-id": 3055729675574597004, "parent-snapshot-id": 3051729675574597004, "timestamp-ms": 1555100955770, "sequence-number": 1, "summary": {"operation": "append"}, "manifest-list": "s3://a/b/2.avro", "schema-id": 1}
  ],
  "snapshot-log": [{"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770}],
  "metadata-log": [],
  "refs": {"main": {"snapshot-id": 3055729675574597004, "type": "branch", "max-ref-age-ms": 9223372036854775807}},
  "statistics": [{"snapshot-id": 3055729675574597004, "statistics-path": "s3://a/b/1.stats", "file-size-in-bytes": 413, "blob-metadata": [{"type": "ndv", "fields": [1]}]}],
  "some-later-key": 12345678901234567890123
}`;

test('longs keep every digit, and unknown keys stay', () => {
  const metadata = parseMetadata(TEXT);
  assert.equal(metadata['current-snapshot-id'], 3055729675574597004n);
  assert.equal(metadata['last-sequence-number'], 34n);
  assert.equal(metadata['last-column-id'], 3);
  assert.equal(metadata.snapshots[1]?.['parent-snapshot-id'], 3051729675574597004n);
  assert.deepEqual(JSON.parse(renderMetadata(metadata)), JSON.parse(TEXT));
  for (const digits of ['3055729675574597004', '9223372036854775807', '12345678901234567890123']) {
    assert.ok(renderMetadata(metadata).includes(digits), digits);
  }
  assert.deepEqual(parseMetadata(new TextEncoder().encode(renderMetadata(metadata))), metadata);
});

const without = (key: string): string =>
  JSON.stringify(Object.fromEntries(Object.entries(parseLossy()).filter(([name]) => name !== key)));
const withValue = (key: string, value: unknown): string =>
  renderLossless({ ...(parseLossless(TEXT) as object), [key]: value });
const parseLossy = (): object => JSON.parse(TEXT);

test('damage and what we do not read is refused by name', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['{', /is not JSON/],
    ['[]', /got format-version missing; expected 2/],
    [withValue('format-version', 1), /got format-version 1; expected 2\. Upgrade it.*'format-version' = '2'/],
    [withValue('format-version', 3), /got format-version 3; expected 2\. A table cannot go back/],
    [without('location'), /is damaged:[\s\S]*location/],
    [
      withValue('schemas', [{ type: 'struct', 'schema-id': 1, fields: [{ id: 1, name: 'x' }] }]),
      /schemas\[0\]\.fields\[0\]/,
    ],
    [withValue('current-schema-id', 7), /current-schema-id 7/],
    [withValue('default-spec-id', 7), /default-spec-id 7/],
    [withValue('current-snapshot-id', 7n), /current-snapshot-id 7/],
    [withValue('last-updated-ms', '5'), /last-updated-ms/],
    [withValue('encryption-keys', []), /uses encryption, which Strata does not read\. Write the table anew without/],
    [withValue('properties', { 'strata.required-features': 'sparkles' }), /uses the feature "sparkles"/],
    [
      withValue('partition-specs', [
        { 'spec-id': 0, fields: [{ name: 'x', transform: 'zorder', 'source-id': 1, 'field-id': 1000 }] },
      ]),
      /the partition transform zorder/,
    ],
    [
      withValue('schemas', [
        { type: 'struct', 'schema-id': 1, fields: [{ id: 1, name: 'x', required: false, type: 'variant' }] },
      ]),
      /the type variant/,
    ],
    [
      withValue('schemas', [
        { type: 'struct', 'schema-id': 1, fields: [{ id: 1, name: 'x', required: false, type: { type: 'map' } }] },
      ]),
      /the type map, which Strata does not read\. Keep the entries as a list of structs/,
    ],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseMetadata(text, 'v3.metadata.json'),
      (error: unknown) => {
        assert.ok(error instanceof UnreadableTable);
        assert.match(error.message, message);
        assert.match(error.message, /^v3\.metadata\.json/);
        return true;
      },
    );
  }
});

test('a table without a snapshot, as old writers say it', () => {
  assert.equal(parseMetadata(withValue('current-snapshot-id', -1n))['current-snapshot-id'], null);
  assert.equal(parseMetadata(withValue('current-snapshot-id', null))['current-snapshot-id'], null);
});

test('a number is a long by its key, not by its size', () => {
  const tree = parseLossless(
    '{"snapshot-id": 5, "snapshot-ids": [1, 2], "schema-id": 5, "x": {"timestamp-ms": 0}, "f": 1.5}',
  );
  assert.deepEqual(tree, {
    'snapshot-id': 5n,
    'snapshot-ids': [1n, 2n],
    'schema-id': 5,
    x: { 'timestamp-ms': 0n },
    f: 1.5,
  });
  assert.throws(() => parseLossless('{"snapshot-id": 1.5}'), SyntaxError);
});
