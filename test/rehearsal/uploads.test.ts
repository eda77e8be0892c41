import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliveries, matches, type S3Event } from './uploads.ts';

const pattern = {
  source: ['aws.s3'],
  detail: { bucket: { name: ['bronze'] }, object: { key: [{ prefix: 'bronze/hr/' }] } },
};
const event = { source: 'aws.s3', detail: { bucket: { name: 'bronze' }, object: { key: 'bronze/hr/s/a.csv' } } };

const CASES: readonly (readonly [string, object, boolean])[] = [
  ['the event it is for', event, true],
  ['another source', { ...event, source: 'aws.ec2' }, false],
  ['another bucket', { ...event, detail: { ...event.detail, bucket: { name: 'gold' } } }, false],
  ['another prefix', { ...event, detail: { ...event.detail, object: { key: 'bronze/hr2/s/a.csv' } } }, false],
  ['no detail', { source: 'aws.s3' }, false],
];

for (const [name, given, expected] of CASES) {
  test(`a pattern and ${name}`, () => assert.equal(matches(pattern, given), expected));
}

test('a pattern that the rehearsal does not know is no match by chance', () => {
  assert.throws(() => matches({ a: [{ 'anything-but': 'x' }] }, { a: 'y' }), /does not know the pattern/);
});

test('every event comes at least twice, and not in the order of the uploads', () => {
  const events = Array.from({ length: 5 }, (_, n): S3Event => ({ id: String(n) }));
  const ids = deliveries(events).map((batch) =>
    (batch as unknown as { Records: readonly { body: string }[] }).Records.map(
      ({ body }) => (JSON.parse(body) as S3Event).id,
    ),
  );
  assert.deepEqual(ids, [
    ['0', '1', '2', '3', '4'],
    ['4', '3', '2'],
    ['1', '0'],
  ]);
});
