import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EngineError } from '../../../lib/core/errors.ts';
import { append, csv, definePipeline } from '../../../lib/define/index.ts';
import type { StepDeps } from '../../../lib/lake/deps.ts';
import type { Engine, SessionOptions } from '../../../lib/ports.ts';
import { openTestLake, type TestLake } from '../../support/test-lake.ts';

const PIPELINE = {
  name: 'p',
  definition: definePipeline({
    name: 'p',
    sources: { rows: csv({ columns: { id: 'int' } }) },
    silver: { rows: { from: 'rows', mode: append() } },
  }),
};

/** An engine whose sessions cannot write the table where `fails` says so, as one that has run out of memory. */
function failing(engine: Engine, fails: (options: SessionOptions) => boolean): Engine {
  return {
    async open(options) {
      const session = await engine.open(options);
      if (!fails(options)) return session;
      return {
        ...session,
        async copy(statement) {
          if (statement.name !== 'write silver.rows') return session.copy(statement);
          throw new EngineError(`${statement.name}: Out of Memory Error: could not allocate`);
        },
      };
    },
  };
}

async function openLake(fails: (options: SessionOptions) => boolean): Promise<TestLake> {
  const lake = await openTestLake(PIPELINE);
  await lake.land('rows', 'a.csv', 'id\n1\n2\n');
  await lake.land('rows', 'b.csv', 'id\n3\n');
  return lake.reopen((deps): StepDeps => ({ ...deps, engine: failing(deps.engine, fails) }));
}

describe('where the engine has too little memory for good files', () => {
  test('they are staged with one thread, and none is rejected', async () => {
    const lake = await openLake(({ threads }) => threads > 1);
    const result = await lake.run();
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    assert.deepEqual(result.rejected_files, []);
    assert.deepEqual(result.accounting['rows'], { read: 3, accepted: 3, quarantined: 0, condemned: 0, duplicates: 0 });
    lake.close();
  });

  test('and for nothing at all, the run fails, none is rejected, and the next run takes them', async () => {
    let short = true;
    const lake = await openLake(() => short);
    const result = await lake.run();
    assert.equal(result.status, 'FAILED');
    assert.match(result.error?.message ?? '', /Out of Memory/);
    short = false;
    const next = await lake.run({ runId: 'with-enough' });
    assert.equal(next.status, 'SUCCEEDED', next.error?.message);
    assert.deepEqual(next.rejected_files, []);
    assert.equal(next.accounting['rows']?.accepted, 3);
    lake.close();
  });
});
