import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { renderRunDetails } from '../../../lib/cli/output/run-details.ts';
import { InvalidInput } from '../../../lib/core/errors.ts';
import { csv, definePipeline } from '../../../lib/define/index.ts';
import { showRun } from '../../../lib/query/runs/show-run.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../../support/test-lake.ts';

const PIPELINE: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { orders: csv({ columns: { id: 'bigint', word: 'string' } }) },
    silver: { orders: { from: 'orders' } },
    gold: { words: { sql: 'words.sql' } },
  }),
  sql: { 'words.sql': '-- words\nSELECT word,\n  sum(CAST(id AS TINYINT)) AS n\nFROM silver.orders\nGROUP BY word' },
};

describe('one run', () => {
  let lake: TestLake;
  const spec = () => lake.deps.specs('shop');
  before(async () => {
    lake = await openTestLake(PIPELINE);
    await lake.land('orders', '1.csv', 'id,word\n1,a\nx,b\n');
    await lake.land('orders', '1.csv.gz', 'no gzip');
    await lake.run({ runId: 'good' });
    await lake.land('orders', '2.csv', 'id,word\n1000,a\n');
    await lake.run({ runId: 'bad' });
  });
  after(() => lake.close());

  test('one that published: its models, accounts, lineage and columns, in order', async () => {
    const found = await showRun(lake.deps, 'good', spec);
    const { run, models, accounts, lineage, quality, refused_files, errors } = found;
    assert.deepEqual([run['pipeline'], run['run_id'], run['status']], ['shop', 'good', 'SUCCEEDED']);
    assert.deepEqual(
      models.map(({ model, status }) => [model, status]),
      [
        ['silver.orders', 'SUCCEEDED'],
        ['gold.words', 'SUCCEEDED'],
      ],
    );
    assert.deepEqual(
      accounts.map(({ source, read, quarantined }) => [source, read, quarantined]),
      [['orders', 2, 1]],
    );
    assert.deepEqual([lineage.length, quality.length, errors], [4, 4, []]);
    const text = renderRunDetails(found, { width: 40 });
    assert.match(text, /^run good of shop: SUCCEEDED\nstarted {3}2026-01-01 .*\ntook {6}35.0 s, until it published\n/s);
    assert.deepEqual(
      refused_files.map(({ source, key, status }) => [source, key, status]),
      [['orders', 'bronze/shop/orders/1.csv.gz', 'rejected']],
    );
    assert.match(text, /\n1 file not taken:\n {2}bronze\/shop\/orders\/1\.csv\.gz: rejected: .*gzip.*\n/);
    assert.match(text, /cost {6}\$0\.\d+, by 2\.5 USD an hour\n/);
    assert.doesNotMatch(text, /spilled/);
    const spilled = models.map((row, at) => ({ ...row, spilled_bytes: at * 2_500_000 }));
    const wide = renderRunDetails({ ...found, models: spilled }, {});
    assert.match(
      wide,
      /│ spilled │[^\n]*\n[^\n]*\n│ [^\n]*silver\.orders [^\n]*│ +0 B │[^\n]*\n│ [^\n]*gold\.words [^\n]*│ +2\.5 MB │/,
    );
    // However narrow the terminal is.
    for (const { version, table_or_source } of lineage) {
      assert.ok(text.includes(`│ ${String(table_or_source)} `) && text.includes(`│ ${String(version)} `), text);
    }
  });

  test('one that failed: what went wrong, in which model, and where in its file', async () => {
    const found = await showRun(lake.deps, 'bad', spec);
    assert.deepEqual(found.refused_files, []);
    assert.deepEqual(
      found.models.map(({ model, status }) => [model, status]),
      [
        ['silver.orders', 'UNDONE'],
        ['gold.words', 'FAILED'],
      ],
    );
    const [error] = found.errors;
    assert.deepEqual(error?.place, { file: 'pipelines/shop/words.sql', line: 3, column: 7 });
    assert.match(
      renderRunDetails(found, {}),
      /\ngold\.words\nEngineError: write gold\.words \(pipelines\/shop\/words\.sql:3:7\): Conversion Error: .*\n\nLINE 3: {3}sum\(CAST\(id AS TINYINT\)\) AS n\n {14}\^\n/,
    );
    // What an earlier release has written down.
    const earlier = found.errors.map((one) => ({
      ...one,
      error: 'EngineError: write gold.words: Conversion Error: x',
    }));
    assert.match(
      renderRunDetails({ ...found, errors: earlier }, {}),
      /\ngold\.words: pipelines\/shop\/words\.sql, line 3, column 7\nEngineError: /,
    );
    const gone = await showRun(lake.deps, 'bad', async () => undefined);
    assert.deepEqual([gone.errors.length, gone.errors[0]?.place], [1, null]);
  });

  test('an id that is none, or not whole', async () => {
    await assert.rejects(showRun(lake.deps, 'goo', spec), (error) => {
      return error instanceof InvalidInput && /no run "goo".*did you mean good\?/.test(error.message);
    });
    await assert.rejects(showRun(lake.deps, 'elsewhere', spec), /strata runs lists/);
  });
});
