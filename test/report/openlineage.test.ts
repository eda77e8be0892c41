import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RecordedRun } from '../../lib/core/facts.ts';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import { type OpenLineageEvent, openLineageEvents } from '../../lib/report/openlineage/events.ts';
import { wrongByStandard } from './openlineage-standard.ts';

const SPEC = {
  name: 'shop',
  owner: 'sales',
  description: 'What is sold',
  models: [
    {
      id: 'silver.orders',
      layer: 'silver',
      name: 'orders',
      sql: 'SELECT *, __rid FROM batch.orders',
      description: null,
      columns: [{ name: 'id', type: { kind: 'int' } }],
      origins: { columns: { id: [['batch.orders', 'id']] }, rows: [] },
    },
    {
      id: 'gold.totals',
      layer: 'gold',
      name: 'totals',
      sql: 'SELECT count(id) AS n FROM silver.orders WHERE id > 0',
      description: 'How many',
      columns: [
        { name: 'n', type: { kind: 'bigint' } },
        { name: 'day', type: { kind: 'date' } },
      ],
      origins: {
        columns: {
          n: [
            ['silver.orders', 'id'],
            ['other.gold.sums', 'x'],
          ],
        },
        rows: [['silver.orders', 'id']],
      },
    },
  ],
} as unknown as PipelineSpec;

function modelRun(model: string, from: string, to: string, status: string, error: string | null = null) {
  return { run_id: 'r1', model, started_at: from, finished_at: to, status, error };
}

function read(model: string, name: string, version: string | null, rows: string | null) {
  const row = { run_id: 'r1', model, action: 'read', table_or_source: name, version };
  return { ...row, files: rows === null ? null : '2', rows, bytes: '10' };
}

const RUN: RecordedRun = {
  run: {
    run_id: 'r1',
    status: 'SUCCEEDED',
    started_at: '2026-01-31 09:00:00+00',
    finished_at: '2026-01-31 09:00:09.5+00',
    run_date: '2026-01-31',
    error: null,
  },
  model_runs: [
    modelRun('silver.orders', '2026-01-31 09:00:01+00', '2026-01-31 09:00:03+00', 'SUCCEEDED'),
    modelRun('gold.totals', '2026-01-31 09:00:04+00', '2026-01-31 09:00:05+00', 'SUCCEEDED'),
  ],
  lineage: [
    read('silver.orders', 'shop.orders', 'etag', '7'),
    { ...read('silver.orders', 'shop_silver.orders', '41', '5'), action: 'write' },
    read('gold.totals', 'shop_silver.orders', '41', null),
    { ...read('gold.totals', 'shop_gold.totals', '42', '1'), action: 'write' },
  ],
  quality: [
    { table: 'shop_gold.totals', column: 'n', rows: 1, nulls: 0, distinct_estimate: 1, min: '5', max: '5' },
    {
      table: 'shop_gold.totals',
      column: 'day',
      rows: 1,
      nulls: 1,
      distinct_estimate: null,
      min: '2026-01-31',
      max: '',
    },
  ],
};

const PLACES = { namespace: 's3://lake' };

/** What is said in an event, without who said it and by which schema. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== '_producer' && key !== '_schemaURL');
  return Object.fromEntries(kept.map(([key, inner]) => [key, plain(inner)]));
}

function find(events: readonly OpenLineageEvent[], job: string, type: string): Record<string, unknown> {
  const found = events.find((event) => (event['job'] as { name: string }).name === job && event['eventType'] === type);
  assert.ok(found, `${job} ${type}`);
  return plain(found) as Record<string, unknown>;
}

describe('a run as OpenLineage events', () => {
  const events = openLineageEvents(SPEC, RUN, PLACES);

  test('the pipeline around its models, in the order of their times', () => {
    assert.deepEqual(
      events.map((event) => `${(event['job'] as { name: string }).name} ${event['eventType']} ${event['eventTime']}`),
      [
        'shop START 2026-01-31T09:00:00.000Z',
        'shop.silver.orders START 2026-01-31T09:00:01.000Z',
        'shop.silver.orders COMPLETE 2026-01-31T09:00:03.000Z',
        'shop.gold.totals START 2026-01-31T09:00:04.000Z',
        'shop.gold.totals COMPLETE 2026-01-31T09:00:05.000Z',
        'shop COMPLETE 2026-01-31T09:00:09.500Z',
      ],
    );
  });

  test('runs have ids that follow from their names, the pipeline being the parent', () => {
    const ids = new Set(events.map((event) => (event['run'] as { runId: string }).runId));
    assert.equal(ids.size, 3);
    for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual(openLineageEvents(SPEC, RUN, PLACES), events);
    const whole = find(events, 'shop', 'COMPLETE')['run'] as { runId: string; facets: object };
    const { facets } = find(events, 'shop.gold.totals', 'COMPLETE')['run'] as { facets: { parent: unknown } };
    assert.deepEqual(facets.parent, {
      run: { runId: whole.runId },
      job: { namespace: 's3://lake', name: 'shop' },
    });
    assert.deepEqual(whole.facets, {
      processing_engine: { version: '0.1.0', name: 'strata' },
      nominalTime: { nominalStartTime: '2026-01-31T00:00:00Z' },
    });
  });

  test('a job says what it is, and the SQL of gold', () => {
    const { job } = find(events, 'shop.gold.totals', 'START') as { job: { facets: unknown } };
    assert.deepEqual(job.facets, {
      jobType: { processingType: 'BATCH', integration: 'STRATA', jobType: 'MODEL' },
      sql: { query: 'SELECT count(id) AS n FROM silver.orders WHERE id > 0', dialect: 'duckdb' },
      documentation: { description: 'How many' },
      ownership: { owners: [{ name: 'sales' }] },
    });
    const silver = find(events, 'shop.silver.orders', 'START') as { job: { facets: Record<string, unknown> } };
    assert.deepEqual(Object.keys(silver.job.facets), ['jobType', 'ownership']);
    const own = find(events, 'shop', 'START') as { job: { facets: { jobType: unknown; documentation: unknown } } };
    assert.deepEqual(own.job.facets.jobType, { processingType: 'BATCH', integration: 'STRATA', jobType: 'DAG' });
    assert.deepEqual(own.job.facets.documentation, { description: 'What is sold' });
  });

  test('what was read has its version and what was counted', () => {
    const { inputs } = find(events, 'shop.silver.orders', 'COMPLETE');
    assert.deepEqual(inputs, [
      {
        namespace: 's3://lake',
        name: 'bronze/shop/orders',
        facets: { version: { datasetVersion: 'etag' } },
        inputFacets: { inputStatistics: { rowCount: 7, size: 10, fileCount: 2 } },
      },
    ]);
    const gold = find(events, 'shop.gold.totals', 'COMPLETE') as { inputs: { inputFacets: unknown }[] };
    assert.deepEqual(gold.inputs[0]?.inputFacets, { inputStatistics: { size: 10 } });
    assert.deepEqual(find(events, 'shop.gold.totals', 'START')['inputs'], []);
  });

  test('what was written has columns, where they come from, and what is known of them', () => {
    const { outputs } = find(events, 'shop.gold.totals', 'COMPLETE');
    const from = (name: string, field: string, type: string) => ({
      namespace: 's3://lake',
      name,
      field,
      transformations: [{ type }],
    });
    assert.deepEqual(outputs, [
      {
        namespace: 's3://lake',
        name: 'shop_gold.totals',
        facets: {
          version: { datasetVersion: '42' },
          schema: {
            fields: [
              { name: 'n', type: 'bigint', ordinal_position: 1 },
              { name: 'day', type: 'date', ordinal_position: 2 },
            ],
          },
          columnLineage: {
            fields: {
              n: { inputFields: [from('shop_silver.orders', 'id', 'DIRECT'), from('other_gold.sums', 'x', 'DIRECT')] },
            },
            dataset: [from('shop_silver.orders', 'id', 'INDIRECT')],
          },
          documentation: { description: 'How many' },
          dataQualityMetrics: {
            rowCount: 1,
            columnMetrics: {
              n: { nullCount: 0, distinctCount: 1, min: 5, max: 5 },
              // The standard has no bounds but numbers.
              day: { nullCount: 1 },
            },
          },
        },
        outputFacets: { outputStatistics: { rowCount: 1, size: 10, fileCount: 2 } },
      },
    ]);
    const silver = find(events, 'shop.silver.orders', 'COMPLETE') as {
      outputs: { facets: { columnLineage: unknown } }[];
    };
    assert.deepEqual(silver.outputs[0]?.facets.columnLineage, {
      fields: { id: { inputFields: [from('bronze/shop/orders', 'id', 'DIRECT')] } },
      dataset: [],
    });
  });

  test('of a run that failed, the model that did so, and those that were undone with it', () => {
    const [orders, totals] = RUN.model_runs;
    const failed = openLineageEvents(
      SPEC,
      {
        ...RUN,
        run: { ...RUN.run, status: 'FAILED', error: 'RunFailed: no', run_date: null },
        model_runs: [
          { ...orders, status: 'UNDONE' },
          { ...totals, status: 'FAILED', error: 'no such column' },
        ],
        lineage: RUN.lineage.filter(({ action }) => action === 'read'),
        quality: [],
      },
      PLACES,
    );
    const whole = find(failed, 'shop', 'FAIL') as { run: { facets: { errorMessage: unknown; nominalTime: unknown } } };
    assert.deepEqual(whole.run.facets.errorMessage, { message: 'RunFailed: no', programmingLanguage: 'SQL' });
    assert.equal(whole.run.facets.nominalTime, undefined);
    assert.deepEqual(find(failed, 'shop.silver.orders', 'ABORT')['outputs'], []);
    const gold = find(failed, 'shop.gold.totals', 'FAIL') as { run: { facets: { errorMessage: { message: string } } } };
    assert.equal(gold.run.facets.errorMessage.message, 'no such column');
    assert.deepEqual(wrongByStandard(failed), []);
  });

  test('are as the standard has them, which refuses what it does not know', () => {
    assert.deepEqual(wrongByStandard(events), []);
    const [first, ...others] = events as readonly { readonly [key: string]: object }[];
    assert.ok(first);
    const MISTAKES: readonly (readonly [string, object, RegExp])[] = [
      ['a run without an end', { ...first, eventType: 'OTHER' }, /^run \S+: COMPLETE$/],
      ['no job', { ...first, job: undefined }, /at job/],
      ['a time without its zone', { ...first, eventTime: '2026-01-31T09:00:00' }, /at eventTime/],
      ['an id that is none', { ...first, run: { ...first['run'], runId: 'r1' } }, /at run\.runId/],
      ['another name of a facet', { ...first, run: { ...first['run'], facets: { engine: {} } } }, /"engine"/],
      [
        'a facet without its fields',
        { ...first, job: { ...first['job'], facets: { sql: {} } } },
        /at job\.facets\.sql\.query/,
      ],
      [
        'a dataset without a name',
        { ...first, inputs: [{ namespace: 'n', facets: {}, inputFacets: {} }] },
        /at inputs\[0\]\.name/,
      ],
    ];
    for (const [name, mistaken, expected] of MISTAKES) {
      assert.match(wrongByStandard([mistaken, ...others]).join('\n'), expected, name);
    }
  });
});
