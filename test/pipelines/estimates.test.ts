import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { EstimatedCost } from '../../lib/core/cost.ts';
import type { PipelineDefinition } from '../../lib/define/index.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { generateRetail, parseRetailOptions } from '../../lib/generate/retail.ts';
import { planWithCost } from '../../lib/query/plan-cost.ts';
import hr from '../../pipelines/hr/pipeline.ts';
import retail from '../../pipelines/retail/pipeline.ts';
import transactions from '../../pipelines/transactions/pipeline.ts';
import { openPipelineLake } from './runs.ts';

type Landed = { readonly source: string; readonly file: string; readonly content: string };

/**
 * An estimate may be so many times what was counted, or a share of it that is the inverse. How many partitions a new
 * table has shows only in its rows.
 */
const FACTOR = { first: 2, later: 1.5 };

/** What each run was estimated to ask S3 for, and what it did. */
async function compareRuns(pipeline: PipelineDefinition, batches: readonly (readonly Landed[])[]): Promise<void> {
  const given = await openPipelineLake(pipeline);
  // Whole runs of less than a minute: no call of Level leaves anything because it is late.
  let ms = given.deps.clock.now().getTime();
  const now = (): Date => {
    ms += 1;
    return new Date(ms);
  };
  const lake = given.reopen((deps) => ({ ...deps, clock: { now } }));
  try {
    for (const [at, batch] of batches.entries()) {
      for (const { source, file, content } of batch) await lake.land(source, file, content);
      const { cost: estimate } = await planWithCost(lake.deps, pipeline.name);
      if (estimate === null) assert.fail('there is nothing to do');
      const { cost } = await lake.run();
      if (cost?.requests !== 'counted') assert.fail('the run was not counted');
      for (const item of ['GET', 'PUT and LIST']) {
        const factor = at === 0 ? FACTOR.first : FACTOR.later;
        const [estimated, counted] = [quantityOf(estimate, item), quantityOf(cost, item)];
        if (process.env['SHOW']) console.log(item, estimated, counted, (estimated / counted).toFixed(2));
        else
          assert.ok(
            estimated <= counted * factor && estimated >= counted / factor,
            `${pipeline.name}, run ${at + 1}, ${item}: ${estimated} estimated, ${counted} counted`,
          );
      }
      for (const item of ['requests', 'state transitions']) {
        assert.equal(quantityOf(estimate, item), quantityOf(cost, item), `${pipeline.name}, run ${at + 1}, ${item}`);
      }
    }
  } finally {
    lake.close();
  }
}

function quantityOf({ lines }: EstimatedCost, item: string): number {
  return lines.find((line) => line.item === item)?.quantity ?? Number.NaN;
}

test('retail: keyed dimensions, deduplicated sales, gold of all kinds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strata-estimates-'));
  const session = await createDuckDbEngine().open({ memoryBytes: 1e9, threads: 2, scratch: folder });
  try {
    const options = { out: folder, transactions: 4_000, customers: 100, products: 50, files: 6 };
    const files = await generateRetail(parseRetailOptions(options), session);
    const landed = await Promise.all(
      files.map(async ({ table, path }) => ({
        source: table as string,
        file: basename(path),
        content: await readFile(path, 'utf8'),
      })),
    );
    const sales = landed.filter(({ source }) => source === 'transactions');
    const others = landed.filter(({ source }) => source !== 'transactions');
    await compareRuns(retail, [[...others, ...sales.slice(0, 3)], sales.slice(3, 4), sales.slice(4)]);
  } finally {
    await session[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
});

test('hr: a keyed history', () => {
  const day = (n: number): Landed => {
    const rows = Array.from({ length: 20 }, (_, i) => `${i},Engineer,${(n * 10 + i) * 86_400},,${1_000 + n}`);
    const content = `emp_id,designation,start_date,end_date,salary\n${rows.join('\n')}\n`;
    return { source: 'employee_timeframe', file: `${n}.csv`, content };
  };
  return compareRuns(hr, [[day(1)], [day(2), day(3)], [day(4)]]);
});

test('transactions: duplicates are condemned, quarantine is remembered', () => {
  const day = (n: number): Landed => {
    const row = (id: number, currency: string): string => `${n}-${id},${id},10.00,${currency},2010-12-0${n}T08:00:00Z`;
    const rows = [...Array.from({ length: 30 }, (_, i) => row(i, 'GBP')), row(99, 'XYZ'), row(1, 'GBP')];
    const header = 'TransactionID,CustomerID,TransactionAmount,Currency,TransactionTimestamp';
    return { source: 'transactions', file: `${n}.csv`, content: `${[header, ...rows].join('\n')}\n` };
  };
  return compareRuns(transactions, [[day(1), day(2)], [day(3)], [day(4), day(5)]]);
});
