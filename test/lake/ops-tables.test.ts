import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { EVERY_BOOK } from '../../lib/core/ops.ts';
import { append, csv, definePipeline, rowCount } from '../../lib/define/index.ts';
import { queryRows } from '../../lib/query/select.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const PIPELINE: TestPipeline = {
  name: 'p',
  definition: definePipeline({
    name: 'p',
    sources: { s: csv({ columns: { id: 'int' } }) },
    silver: { s: { from: 's', mode: append(), expect: { few: rowCount({ max: 3 }) } } },
  }),
};

const counts = (lake: TestLake): Promise<readonly number[]> =>
  Promise.all(
    EVERY_BOOK.map(async (name) =>
      Number((await queryRows(lake.deps, `SELECT count(*) AS n FROM p_ops.${name}`))[0]?.['n']),
    ),
  );

test('the ops tables are there from the first run on, also when it rejected nothing', async () => {
  const lake = await openTestLake(PIPELINE);
  try {
    await assert.rejects(
      queryRows(lake.deps, 'FROM p_ops.quarantine'),
      (error) => error instanceof InvalidInput && /quarantine is there from its first run on/.test(error.message),
    );
    await lake.land('s', '1.csv', 'id\n1\n');
    assert.equal((await lake.run()).status, 'SUCCEEDED');
    assert.deepEqual(await counts(lake), [1, 1, 0, 1, 1, 2, 1, 0]);
    await lake.land('s', '2.csv', 'id\nx\n2\n');
    assert.equal((await lake.run()).status, 'SUCCEEDED');
    assert.deepEqual(await counts(lake), [2, 2, 1, 2, 2, 4, 2, 0]);
    const properties = (await lake.metadata('p_ops.quarantine'))?.properties ?? {};
    assert.ok('strata.quarantine.condemned-retention-days' in properties);
  } finally {
    lake.close();
  }
});

test('a first run that fails leaves them too, and a dry run none', async () => {
  const lake = await openTestLake(PIPELINE);
  try {
    await lake.land('s', '1.csv', 'id\n1\n2\n3\n4\n');
    await lake.run({ dryRun: true }).catch(() => undefined);
    assert.equal(await lake.metadata('p_ops.runs'), undefined);
    assert.equal((await lake.run()).status, 'FAILED');
    assert.deepEqual(await counts(lake), [0, 0, 0, 1, 1, 1, 0, 0]);
  } finally {
    lake.close();
  }
});
