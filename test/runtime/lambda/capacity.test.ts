import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { AuditFailed, EngineError, InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import { STEP_NAMES } from '../../../lib/core/states.ts';
import { createDuckDbEngine } from '../../../lib/engine/duckdb.ts';
import { explainCapacity } from '../../../lib/runtime/lambda/capacity.ts';
import { userSql } from '../../../lib/sql/user-sql.ts';

const MB = 1_000_000;
const SIZES = { memoryMb: 3_008, tmpMb: 4_096 };

/** Rows that do not compress: about 96 bytes each. */
const rows = (count: number): string =>
  `SELECT range AS r, md5(range::VARCHAR) || md5((range + 1)::VARCHAR) || md5((range + 2)::VARCHAR) AS s FROM range(${count})`;

/** What DuckDB, with 64 MB of memory, throws for a statement; undefined when it succeeds. */
async function failureOf(text: string, spillBytes: number): Promise<unknown> {
  const scratch = await mkdtemp(join(tmpdir(), 'strata-capacity-'));
  const session = await createDuckDbEngine().open({ memoryBytes: 64 * MB, threads: 1, scratch, spillBytes });
  try {
    await session.run({ name: 'stage silver.orders', text: userSql(text) });
    return undefined;
  } catch (cause) {
    return cause;
  } finally {
    await session[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true });
  }
}

const LISTED = `SELECT len(list(s)) FROM (${rows(1_000_000)})`;
const KEPT = `CREATE TABLE kept AS ${rows(1_000_000)}`;

describe('what DuckDB really says', () => {
  test('of memory, where nothing can be spilled, is told as the memory of the step', async () => {
    const cause = await failureOf(LISTED, 1_000 * MB);
    assert.ok(cause instanceof EngineError, String(cause));
    const told = explainCapacity('Stage', SIZES, cause);
    assert.ok(told instanceof EngineError);
    assert.match(told.message, /raise compute\.steps\.Stage\.memory \(3008 MB now, at most 10240\), or lower settings/);
    assert.match(told.message, /stage silver\.orders: Out of Memory Error/);
    assert.doesNotMatch(told.message, /Stage\.tmp/);
    assert.equal(told.cause, cause);
  });

  test('of a full /tmp is told as the /tmp of the step', async () => {
    const cause = await failureOf(KEPT, 4 * MB);
    assert.ok(cause instanceof EngineError, 'it spilled beyond the limit');
    const told = explainCapacity('Merge', SIZES, cause);
    assert.ok(told instanceof EngineError);
    assert.match(told.message, /raise compute\.steps\.Merge\.tmp \(4096 MB now, at most 10240\), or lower settings/);
    assert.doesNotMatch(told.message, /Merge\.memory/);
  });

  test('the same rows fit where there is room to spill', async () => {
    assert.equal(await failureOf(KEPT, 1_000 * MB), undefined);
  });

  test('of anything else is no matter of capacity', async () => {
    const cause = await failureOf("SELECT 'memory'::INTEGER", 4 * MB);
    assert.ok(cause instanceof EngineError);
    assert.equal(explainCapacity('Stage', SIZES, cause), cause);
  });
});

const NO_SPACE = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

/** As the engine throws what DuckDB throws. */
const engineError = (message: string): EngineError => new EngineError(`q: ${message}`, { cause: new Error(message) });

describe('a full disk', () => {
  const FULL: readonly (readonly [string, Error])[] = [
    [
      'that DuckDB writes to',
      engineError('IO Error: Could not write file "/tmp/strata/x.parquet": No space left on device'),
    ],
    ['that a file is fetched to', NO_SPACE],
    ['that the inputs of a unit would fill', new InvalidInput('the unit needs 9 GB', [], { cause: NO_SPACE })],
    ['behind another error', new EngineError('fetch', { cause: NO_SPACE })],
  ];
  for (const [what, cause] of FULL) {
    test(`${what} is told as /tmp`, () => {
      const told = explainCapacity('Audit', SIZES, cause);
      assert.ok(told instanceof EngineError);
      assert.match(told.message, /compute\.steps\.Audit\.tmp \(4096 MB now/);
    });
  }
});

test('each step is told of by its own settings', () => {
  for (const step of STEP_NAMES) {
    const told = explainCapacity(step, SIZES, engineError('Out of Memory Error: failed to allocate data'));
    assert.ok(told instanceof Error && told.message.includes(`compute.steps.${step}.memory`));
  }
});

test('other errors, and what is no error, stay what they are', () => {
  const others = [
    new AuditFailed('silver.orders: 3 rows'),
    new Unavailable('s3:GetObject is not possible now'),
    'x',
    null,
  ];
  for (const cause of others) assert.equal(explainCapacity('Stage', SIZES, cause), cause);
});
