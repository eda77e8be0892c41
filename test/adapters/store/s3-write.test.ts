import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import type { WriteCondition, WriteOutcome } from '../../../lib/ports.ts';
import { bodyOf, brokenConnection, DEADLINE_MS, type FakeS3, s3Error, withFakeS3 } from './s3-fake.ts';

const KEY = 'ops/p/lock.json';
const BYTES = new TextEncoder().encode('mine');
const OTHERS = new TextEncoder().encode('theirs');
const ABSENT: WriteCondition = { kind: 'absent' };
const MATCH: WriteCondition = { kind: 'match', etag: 'old' };
const ANY: WriteCondition = { kind: 'any' };
const WRITTEN = { ETag: '"new"' };

const refused = (): Error => s3Error('PreconditionFailed', 412);
const contended = (): Error => s3Error('ConditionalRequestConflict', 409);
const slow = (): Error => s3Error('SlowDown', 503);

/** The store's answers to the same PutObject, one after another; the last one is repeated. */
function answer({ s3 }: FakeS3, answers: readonly (Error | object)[]): void {
  let at = 0;
  s3.on(PutObjectCommand).callsFake(() => {
    const one = answers[Math.min(at, answers.length - 1)];
    at += 1;
    if (one instanceof Error) throw one;
    return one;
  });
}

const CONFLICT: WriteOutcome = { kind: 'conflict' };
const DONE: WriteOutcome = { kind: 'written', etag: 'new' };
const FOUND: WriteOutcome = { kind: 'written', etag: 'found' };

type Case = {
  readonly what: string;
  readonly condition: WriteCondition;
  readonly answers: readonly (Error | object)[];
  /** What stands under the key when the store looks. */
  readonly held?: Uint8Array;
  readonly outcome: WriteOutcome;
  readonly waits: readonly number[];
};

const CASES: readonly Case[] = [
  { what: 'absent, 412', condition: ABSENT, answers: [refused()], outcome: CONFLICT, waits: [] },
  { what: 'match, 412', condition: MATCH, answers: [refused()], outcome: CONFLICT, waits: [] },
  { what: 'match, 404', condition: MATCH, answers: [s3Error('NoSuchKey', 404)], outcome: CONFLICT, waits: [] },
  {
    what: '409 twice, then written',
    condition: ABSENT,
    answers: [contended(), contended(), WRITTEN],
    outcome: DONE,
    waits: [200, 400],
  },
  {
    what: '409, then 412: another one was first',
    condition: ABSENT,
    answers: [contended(), refused()],
    outcome: CONFLICT,
    waits: [200],
  },
  {
    what: 'SlowDown, then written',
    condition: ANY,
    answers: [slow(), slow(), slow(), WRITTEN],
    outcome: DONE,
    waits: [200, 400, 800],
  },
  {
    what: 'a lost answer, then 412, and ours stands there',
    condition: ABSENT,
    answers: [brokenConnection(), refused()],
    held: BYTES,
    outcome: FOUND,
    waits: [200],
  },
  {
    what: 'a lost answer, then 412, and another one stands there',
    condition: ABSENT,
    answers: [brokenConnection(), refused()],
    held: OTHERS,
    outcome: CONFLICT,
    waits: [200],
  },
  {
    what: 'a lost answer, then 409, then 412, and ours stands there',
    condition: MATCH,
    answers: [brokenConnection(), contended(), refused()],
    held: BYTES,
    outcome: FOUND,
    waits: [200, 200],
  },
  {
    what: 'a lost answer, then 404: removed since',
    condition: MATCH,
    answers: [brokenConnection(), s3Error('NoSuchKey', 404)],
    outcome: CONFLICT,
    waits: [200],
  },
];

describe('conditional writes', () => {
  for (const { what, condition, answers, held, outcome, waits } of CASES) {
    it(what, async () => {
      await withFakeS3(async (fake) => {
        answer(fake, answers);
        fake.s3.on(GetObjectCommand).callsFake(() => {
          if (held === undefined) throw s3Error('NoSuchKey', 404);
          return { Body: bodyOf(held), ETag: '"found"' };
        });
        assert.deepEqual(await fake.store.write(KEY, BYTES, condition), outcome);
        assert.deepEqual(fake.waits, waits);
        assert.equal(fake.s3.commandCalls(PutObjectCommand).length, answers.length);
      });
    });
  }

  it('ask S3 for the condition and for a CRC32', async () => {
    const headers: readonly (readonly [WriteCondition, object])[] = [
      [ABSENT, { IfNoneMatch: '*' }],
      [MATCH, { IfMatch: '"old"' }],
      [ANY, {}],
    ];
    for (const [condition, expected] of headers) {
      await withFakeS3(async (fake) => {
        answer(fake, [WRITTEN]);
        await fake.store.write(KEY, BYTES, condition);
        const common = { Bucket: 'lake-ops', Key: KEY, Body: BYTES, ChecksumAlgorithm: 'CRC32' };
        assert.deepEqual(fake.s3.commandCalls(PutObjectCommand)[0]?.args[0].input, { ...common, ...expected });
      });
    }
  });

  it('end as Unavailable when others write the key all the time', async () => {
    await withFakeS3(async (fake) => {
      answer(fake, [contended()]);
      await assert.rejects(fake.store.write(KEY, BYTES, ABSENT), (error) => {
        assert.ok(error instanceof Unavailable);
        assert.match(error.message, /^s3:PutObject on s3:\/\/lake-ops\/ops\/p\/lock\.json: others write the same key/);
        return true;
      });
      assert.equal(fake.waits.length, 9);
      assert.equal(Math.max(...fake.waits), 5_000);
    });
  });
});

it('passing faults are tried again until the deadline, with pauses that grow', async () => {
  await withFakeS3(async (fake) => {
    answer(fake, [slow()]);
    await assert.rejects(fake.store.write(KEY, BYTES, ANY), (error) => {
      assert.ok(error instanceof Unavailable);
      assert.match(error.message, /^s3:PutObject on s3:\/\/lake-ops\/ops\/p\/lock\.json is not possible now: SlowDown/);
      return true;
    });
    const waited = fake.waits.reduce((sum, ms) => sum + ms, 0);
    assert.deepEqual(fake.waits, [200, 400, 800, 1600, 3200, 5000]);
    assert.ok(waited >= DEADLINE_MS && waited < DEADLINE_MS + 5_000);
  });
});

const REFUSALS: readonly (readonly [string, Error, RegExp])[] = [
  ['AccessDenied', s3Error('AccessDenied', 403), /Grant s3:PutObject on s3:\/\/lake-ops\/ops\/p\/lock\.json/],
  ['NoSuchBucket', s3Error('NoSuchBucket', 404), /no such bucket: deploy the lake/],
  ['ExpiredToken', s3Error('ExpiredToken', 400), /log in again/],
];

describe('what is refused is not tried again', () => {
  for (const [what, error, message] of REFUSALS) {
    for (const condition of [ANY, ABSENT, MATCH]) {
      it(`${what}, ${condition.kind}`, async () => {
        await withFakeS3(async (fake) => {
          answer(fake, [error]);
          await assert.rejects(fake.store.write(KEY, BYTES, condition), (thrown) => {
            assert.ok(thrown instanceof InvalidInput);
            assert.match(thrown.message, /^s3:PutObject on s3:\/\/lake-ops\/ops\/p\/lock\.json failed: /);
            assert.match(thrown.message, message);
            return true;
          });
          assert.deepEqual(fake.waits, []);
        });
      });
    }
  }

  it('removing names its own right', async () => {
    await withFakeS3(async (fake) => {
      fake.s3.on(DeleteObjectCommand).rejects(s3Error('AccessDenied', 403));
      await assert.rejects(fake.store.remove(KEY), /Grant s3:DeleteObject on s3:\/\/lake-ops\/ops\/p\/lock\.json/);
    });
  });
});

describe('zones without a bucket', () => {
  it('are refused by name, with the variable that gives them one', async () => {
    await withFakeS3(
      async ({ store }) => {
        for (const act of [
          () => store.write('silver/p/t/x', BYTES, ANY),
          () => store.read('silver/p/t/x'),
          () => store.borrow(['silver/p/t/x']),
          async () => store.location('silver/p/t/x'),
          () => store.folders('silver/p/'),
          async () => store.list('silver/p/')[Symbol.asyncIterator]().next(),
        ]) {
          await assert.rejects(act, (error) => {
            assert.ok(error instanceof InvalidInput);
            assert.match(error.message, /silver/);
            assert.match(error.message, /STRATA_(<ZONE>|SILVER)_BUCKET/);
            return true;
          });
        }
        await assert.rejects(store.read('brass/p/x'), /zones ops, each followed/);
        assert.throws(() => store.key('s3://lake-silver/silver/p/t/x'), InvalidInput);
      },
      { buckets: { ops: 'lake-ops' } },
    );
  });
});
