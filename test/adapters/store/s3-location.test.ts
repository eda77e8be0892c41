import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InvalidInput } from '../../../lib/core/errors.ts';
import { withFakeS3 } from './s3-fake.ts';

const LOCATIONS: readonly (readonly [string, string])[] = [
  ['bronze/p/s/day 1+ä%20.csv', 's3://lake-bronze/bronze/p/s/day 1+ä%20.csv'],
  ['silver/p/t/data/x.parquet', 's3://lake-silver/silver/p/t/data/x.parquet'],
  ['gold/p/t/metadata/1.json', 's3://lake-gold/gold/p/t/metadata/1.json'],
  ['ops/p/runs/r/plan.json', 's3://lake-ops/ops/p/runs/r/plan.json'],
];

const OUTSIDE: readonly (readonly [string, string])[] = [
  ['no location', ''],
  ['a key', 'silver/p/t/x'],
  ['a bucket of others', 's3://other/silver/p/t/x'],
  ["the bucket of another lake whose name begins alike, 's3://lake-silver-2'", 's3://lake-silver-2/silver/p/t/x'],
  ["another zone's bucket", 's3://lake-gold/silver/p/t/x'],
  ['a zone and nothing in it', 's3://lake-silver/silver'],
  ['a way out of the zone', 's3://lake-silver/silver/../gold/p/t/x'],
  ['another scheme', 's3a://lake-silver/silver/p/t/x'],
];

describe('locations', () => {
  for (const [key, location] of LOCATIONS) {
    it(`${key} is ${location}, and back`, async () => {
      await withFakeS3(async ({ store }) => {
        assert.equal(store.location(key), location);
        assert.equal(store.key(location), key);
      });
    });
  }

  for (const [what, location] of OUTSIDE) {
    it(`${what} is outside of this lake`, async () => {
      await withFakeS3(async ({ store }) => assert.throws(() => store.key(location), InvalidInput));
    });
  }

  it('of others are refused with what was expected', async () => {
    await withFakeS3(async ({ store }) => {
      assert.throws(() => store.key('s3://other/x'), /got "s3:\/\/other\/x"; expected .* s3:\/\/lake-silver\/silver\//);
    });
  });
});
