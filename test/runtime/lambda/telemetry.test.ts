import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AuditFailed } from '../../../lib/core/errors.ts';
import type { StepHandler } from '../../../lib/runtime/lambda/telemetry.ts';
import { CONTEXT, type Line, linesOf } from './telemetry-lines.ts';

// Lambda sets these before the code is loaded.
process.env['POWERTOOLS_SERVICE_NAME'] = 'shop';
const { instrument, METRICS, NAMESPACE } = await import('../../../lib/runtime/lambda/telemetry.ts');

type Outcome = { readonly logs: readonly Line[]; readonly metrics: readonly Line[]; readonly thrown: unknown };

async function call(handle: StepHandler, event: unknown = {}, context = CONTEXT): Promise<Outcome> {
  const { lines, answer } = await linesOf(() => instrument('Stage', handle)(event, context).catch((thrown) => thrown));
  const isMetric = (line: Line): boolean => '_aws' in line;
  return { logs: lines.filter((line) => !isMetric(line)), metrics: lines.filter(isMetric), thrown: answer };
}

const unit = { run: { pipeline: 'shop', run_id: 'r-1', dry_run: false }, unit: { level: 0, unit: 'u-7' } };

const EVENTS: readonly (readonly [string, unknown, Line])[] = [
  ['a unit', unit, { run_id: 'r-1', pipeline: 'shop', unit: 'u-7' }],
  ['a run', { run: unit.run, level: 0 }, { run_id: 'r-1', pipeline: 'shop' }],
  ['an execution', { pipeline: 'shop', run_id: 'r-2' }, { run_id: 'r-2', pipeline: 'shop' }],
  ['a failed run', { state: { run: unit.run }, execution: {} }, { run_id: 'r-1', pipeline: 'shop' }],
  ['a batch of messages', { Records: [] }, {}],
  ['nothing', null, {}],
  ['values of other types', { run_id: 7, pipeline: ['x'], unit: 'u' }, {}],
];

describe('log lines', () => {
  for (const [what, event, keys] of EVENTS) {
    test(`tell one call from another by the event: ${what}`, async () => {
      const { logs } = await call(async (_, { log }) => {
        log.info('working', { rows: 3 });
        return null;
      }, event);
      assert.deepEqual(
        logs.map((line) => line['message']),
        ['begun', 'working', 'done'],
      );
      for (const line of logs) {
        const { run_id, pipeline, unit: name } = line;
        const found = Object.fromEntries(
          Object.entries({ run_id, pipeline, unit: name }).filter(([, v]) => v !== undefined),
        );
        assert.deepEqual(found, keys);
        assert.deepEqual([line['service'], line['step'], line['function_request_id']], ['shop', 'Stage', 'request-1']);
      }
      assert.equal(logs[1]?.['rows'], 3);
    });
  }

  test('of the next call have none of the keys of the one before', async () => {
    await call(async () => null, unit);
    const { logs } = await call(async () => null, {});
    assert.ok(logs.every((line) => !('run_id' in line) && !('unit' in line)));
  });
});

describe('metrics', () => {
  test('have the namespace, the dimensions and the units that alarms look for', async () => {
    const { metrics } = await call(async (_, { measure }) => {
      measure('RowsRead', 10);
      measure('EstimatedCost', 0.25);
      return null;
    });
    assert.equal(metrics.length, 1);
    const [line] = metrics;
    const { CloudWatchMetrics } = (line?.['_aws'] ?? {}) as { CloudWatchMetrics?: readonly Line[] };
    assert.deepEqual(CloudWatchMetrics, [
      {
        Namespace: 'Strata',
        Dimensions: [['service']],
        Metrics: ['RowsRead', 'EstimatedCost', 'TimeUsedPercent', 'MemoryUsedPercent'].map((Name) => ({
          Name,
          Unit: METRICS[Name as keyof typeof METRICS],
        })),
      },
    ]);
    assert.deepEqual([line?.['service'], line?.['function'], NAMESPACE], ['shop', 'Stage', 'Strata']);
    assert.deepEqual([line?.['RowsRead'], line?.['EstimatedCost']], [10, 0.25]);
    const took = Number(line?.['TimeUsedPercent']);
    assert.ok(took >= 0 && took < 50, `${took} % of 900 s`);
    const used = Number(line?.['MemoryUsedPercent']);
    assert.ok(used > 1 && used < 50, `${used} % of 3008 MB`);
  });

  test('of a call that fails are written as well', async () => {
    const { metrics } = await call(async (_, { measure }) => {
      measure('RowsRead', 10);
      throw new Error('no');
    });
    assert.equal(metrics[0]?.['RowsRead'], 10);
    assert.ok('TimeUsedPercent' in (metrics[0] ?? {}));
  });

  test('say that time runs out while it does, since a call that is ended says nothing', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const told = await call(async (_, { measure }) => {
      measure('RowsRead', 10);
      t.mock.timers.tick(728_999);
      t.mock.timers.tick(1);
      t.mock.timers.tick(144_000);
      return null;
    });
    const used = told.metrics.map((line) => Number(line['TimeUsedPercent']));
    assert.deepEqual(used.slice(0, 2), [81, 97]);
    assert.deepEqual([told.metrics.length, told.metrics[0]?.['function']], [3, 'Stage']);
    const inTime = await call(async () => null);
    t.mock.timers.tick(900_000);
    assert.equal(inTime.metrics.length, 1);
  });

  test('of the next call begin anew', async () => {
    await call(async (_, { measure }) => {
      measure('RowsRead', 10);
      return null;
    });
    assert.ok(!('RowsRead' in ((await call(async () => null)).metrics[0] ?? {})));
  });

  test('that are no numbers, and the share of a memory of unknown size, are left out', async () => {
    const context = { ...CONTEXT, memoryLimitInMB: '' };
    const { metrics, thrown } = await call(
      async (_, { measure }) => {
        measure('Freshness', Number.NaN);
        return 'answer';
      },
      {},
      context,
    );
    assert.equal(thrown, 'answer');
    assert.ok(!('Freshness' in (metrics[0] ?? {})) && !('MemoryUsedPercent' in (metrics[0] ?? {})));
  });
});

describe('what a handler throws', () => {
  test('is thrown on as it is, and logged with its name', async () => {
    const error = new AuditFailed('silver.orders: 3 rows');
    const { logs, thrown } = await call(async () => {
      throw error;
    });
    assert.equal(thrown, error);
    const line = logs.at(-1);
    assert.deepEqual([line?.['level'], line?.['message']], ['ERROR', 'failed']);
    const { name, message } = (line?.['error'] ?? {}) as Line;
    assert.deepEqual([name, message], ['AuditFailed', 'silver.orders: 3 rows']);
  });

  test('becomes an error when it is none', async () => {
    const { thrown } = await call(async () => {
      throw 'text';
    });
    assert.ok(thrown instanceof Error && thrown.message === 'text');
  });
});
