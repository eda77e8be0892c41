import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  placeStatement,
  progressOf,
  readEnded,
  type SparkEnded,
  submitWords,
} from '../../../../lib/adapters/engines/spark/statement.ts';
import { createMemoryStore } from '../../../../lib/adapters/store/memory.ts';
import { userSql } from '../../../../lib/sql/user-sql.ts';

const KEY = 'ops/shop/_runs/r/1.json';
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe('a statement for Spark', () => {
  test('is placed once, as the script reads it, and has ended when the script says so', async () => {
    const store = createMemoryStore();
    await placeStatement(store, KEY, userSql('INSERT INTO x SELECT 1'));
    await placeStatement(store, KEY, userSql('INSERT INTO x SELECT 2'));
    assert.deepEqual(JSON.parse(new TextDecoder().decode((await store.read(KEY)).bytes)), {
      sql: 'INSERT INTO x SELECT 1',
    });
    assert.equal(await readEnded(store, KEY), undefined);
    for (const text of ['', '{"errors":[', '{}'])
      await store
        .write(`${KEY}.ended`, new TextEncoder().encode(text), { kind: 'any' })
        .then(async () => assert.equal(await readEnded(store, KEY), undefined, text));
    await store.write(`${KEY}.ended`, bytes({ errors: [] }), { kind: 'any' });
    assert.deepEqual(await readEnded(store, KEY), { errors: [] });
    assert.equal(submitWords({ a: 'b', 'c.d': 'e' }), '--conf a=b --conf c.d=e');
  });

  test('fails for good by what a person has to put right, and for now by all else', () => {
    const error = (type: string, message: string): SparkEnded['errors'][number] => ({ type, message });
    const job = error('org.apache.spark.SparkException', 'Job aborted due to stage failure: Task 0 failed');
    const cases: readonly (readonly [SparkEnded['errors'], unknown])[] = [
      [[], { kind: 'done' }],
      [
        [
          error(
            'org.apache.spark.sql.catalyst.ExtendedAnalysisException',
            '[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column `x`; line 1\nplan',
          ),
        ],
        { kind: 'refused', reason: '[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column `x`; line 1' },
      ],
      [[error('org.apache.spark.sql.AnalysisException', 'Cannot write')], { kind: 'refused', reason: 'Cannot write' }],
      [
        [
          job,
          error('org.apache.spark.SparkRuntimeException', '[USER_RAISED_EXCEPTION] column n: got int; expected string'),
        ],
        { kind: 'refused', reason: '[USER_RAISED_EXCEPTION] column n: got int; expected string' },
      ],
      [
        [job, error('java.lang.RuntimeException', 'column n: got int; expected string')],
        { kind: 'refused', reason: 'column n: got int; expected string' },
      ],
      [
        [job, error('software.amazon.awssdk.services.s3.model.S3Exception', 'Access Denied (Service: S3)')],
        { kind: 'refused', reason: 'Access Denied (Service: S3)' },
      ],
      [[job, error('java.io.IOException', 'No space left')], { kind: 'failed', reason: 'No space left' }],
      [
        [
          error('org.apache.spark.SparkException', '[INTERNAL_ERROR] a bug'),
          error('java.lang.NullPointerException', ''),
        ],
        { kind: 'failed', reason: 'java.lang.NullPointerException' },
      ],
      [
        [error('org.apache.spark.SparkException', '[TASK_WRITE_FAILED] x')],
        { kind: 'failed', reason: '[TASK_WRITE_FAILED] x' },
      ],
    ];
    for (const [errors, expected] of cases) assert.deepEqual(progressOf({ errors }), expected, JSON.stringify(errors));
  });
});
