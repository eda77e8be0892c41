import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_COMPUTE } from '../../lib/core/compute.ts';
import type { ModelFacts } from '../../lib/core/facts.ts';
import type { Measured } from '../../lib/core/requests.ts';
import { costOfModel, nameRate, priceOfModels, rateOf } from '../../lib/plan/model-cost.ts';
import { PRICES } from '../../lib/plan/prices.ts';

const IDLE: Measured = { ms: 0 };
const work = (staging: Measured, units: number, merging = IDLE, merge_units = 0): ModelFacts => {
  return { staging, merging, units, merge_units, source: null, columns: [] };
};

const AWS = { kind: 'aws', compute: DEFAULT_COMPUTE } as const;
const { Stage, Level } = DEFAULT_COMPUTE.steps;

/** What functions of such sizes ask for so many seconds. */
function seconds(count: number, { memoryMb, tmpMb }: typeof Stage): number {
  const memory = (memoryMb / 1_024) * PRICES.lambda.gbSecond;
  return count * (memory + (Math.max(0, tmpMb - 512) / 1_024) * PRICES.lambda.tmpGbSecond);
}

test('by the hour a model costs what its units took, by the rate of the pipeline or the default', () => {
  const facts = work({ ms: 1_800_000 }, 3, { ms: 1_800_000 }, 1);
  assert.equal(costOfModel(facts, rateOf(undefined, {})), 2.5);
  const own = rateOf(undefined, { settings: { hourlyRate: 0.1 } });
  assert.deepEqual([costOfModel(facts, own), nameRate(own)], [0.1, '0.1 USD an hour']);
});

test('on AWS it costs the GB-seconds, calls and requests of its units, or its part of a call of Level', () => {
  const near = (got: number, expected: number): void =>
    assert.ok(Math.abs(got - expected) < 1e-9, `${got} ${expected}`);
  // A start of half a second for each call.
  near(costOfModel(work({ ms: 4_000 }, 2), AWS), seconds(5, Stage) + 2 * PRICES.lambda.request);
  near(costOfModel(work({ ms: 4_000, within: 'Level' }, 2), AWS), seconds(4, Level));
  const spent = { get: 1_000, put: 100, bytes_in: 9, bytes_out: 9 };
  const asked = 1_000 * PRICES.s3.get + 100 * PRICES.s3.put;
  near(costOfModel(work(IDLE, 0, { ms: 1_000, within: 'Level', spent }, 1), AWS), seconds(1, Level) + asked);
  assert.deepEqual(rateOf('aws', {}), AWS);
  assert.equal(nameRate(AWS), `prices of us-east-1 of ${PRICES.checked}`);
});

test('of a run that ended early the price is that of its models, and says so', () => {
  const rows = [{ cost_usd: 0.25 }, { cost_usd: null }, { cost_usd: 0.5 }];
  assert.deepEqual(priceOfModels(rows, rateOf(undefined, {})), {
    usd: 0.75,
    rate: '2.5 USD an hour, of its models alone',
  });
});
