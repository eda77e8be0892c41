import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderCost } from '../../../lib/cli/output/cost.ts';
import type { CostEstimate } from '../../../lib/plan/cost.ts';
import { ASSUMED_RATES } from '../../../lib/plan/run-work.ts';

const COST: CostEstimate = {
  region: 'us-east-1',
  prices_checked: '2026-01-31',
  lines: [
    { service: 'Lambda', item: 'Stage', quantity: 1234.5, unit: 'GB-seconds', usd: 0.0164601 },
    { service: 'S3', item: 'GET', quantity: 900, unit: 'requests', usd: 0.00036 },
  ],
  usd: 0.0168201,
  seconds: 12.3,
  glue: { dpus: 2, seconds: 75, usd: 0.018333333 },
  rates: { ...ASSUMED_RATES, run: null },
};

test('lines, their total, and Glue beside it', () => {
  assert.equal(
    renderCost(COST, {}),
    `on AWS it would take about 12.3 s and cost about $0.017, and $0.018 as a Glue job:
┌─────────┬───────────────┬────────────────────┬──────────┐
│ service │ what          │           quantity │      USD │
├─────────┼───────────────┼────────────────────┼──────────┤
│ Lambda  │ Stage         │ 1,234.5 GB-seconds │ 0.016460 │
│ S3      │ GET           │       900 requests │ 0.000360 │
│ total   │               │                    │ 0.016820 │
│ Glue    │ the same work │     2 DPU for 75 s │ 0.018333 │
└─────────┴───────────────┴────────────────────┴──────────┘

prices of us-east-1, checked 2026-01-31, without free tiers; files are assumed to be read at 10 MB a second and vCPU
`,
  );
});

test('a measured run is named', () => {
  const bytesPerSecond = { ...ASSUMED_RATES.bytesPerSecond, parse: 5_300_000 };
  const text = renderCost({ ...COST, rates: { ...ASSUMED_RATES, bytesPerSecond, run: 'r1' } }, {});
  assert.match(text, /files are read at 5\.3 MB a second and vCPU, as run r1 did on this machine\n$/);
});
