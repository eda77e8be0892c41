import type { OpenInput, RunState } from '../../../lib/core/run.ts';
import { append, csv, definePipeline } from '../../../lib/define/index.ts';
import type { StepDeps } from '../../../lib/lake/deps.ts';
import { markFiles, readMarks } from '../../../lib/lake/ops/marks.ts';
import { executeRun } from '../../../lib/runtime/execute-run.ts';
import { medallionHandlers } from '../../../lib/runtime/handlers.ts';
import { openTestLake, type TestLake } from '../../support/test-lake.ts';

const PIPELINE = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: {
      orders: csv({ columns: { id: 'bigint' } }),
      people: csv({ columns: { id: 'bigint' } }),
    },
    silver: { orders: { from: 'orders', mode: append() }, people: { from: 'people', mode: append() } },
  }),
};

/** A lake whose runs are started as on AWS, with a clock that stands still unless it is moved. */
export async function withLake(
  use: (world: EventLake) => Promise<void>,
  options: { readonly versions?: boolean } = {},
): Promise<void> {
  const lake = await openTestLake(PIPELINE, options);
  try {
    await use(worldOf(lake));
  } finally {
    lake.close();
  }
}

export type EventLake = ReturnType<typeof worldOf>;

function worldOf(lake: TestLake) {
  const time = { now: Date.parse('2026-01-01T00:00:00Z') };
  const listed: string[] = [];
  const heads: string[] = [];
  const store: TestLake['store'] = {
    ...lake.store,
    list(prefix, more) {
      if (prefix.startsWith('bronze/')) listed.push(prefix);
      return lake.store.list(prefix, more);
    },
    async head(key, version) {
      if (key.startsWith('bronze/')) heads.push(key);
      return lake.store.head(key, version);
    },
  };
  const settings = { ...lake.deps.settings, holder: (id: string) => `run:${id}`, clocksAgree: true as const };
  const deps: StepDeps = { ...lake.deps, store, settings, clock: { now: () => new Date(time.now) } };
  let runs = 0;
  const execute = async (more: Partial<OpenInput> = { started_by: 'events' }): Promise<RunState> => {
    runs += 1;
    const run = { pipeline: 'shop', run_id: `r${runs}` };
    listed.length = 0;
    heads.length = 0;
    const { outcome } = await executeRun(deps, {
      machine: 'medallion',
      // Step Functions says which execution it is.
      handlers: (stepDeps, lost) => {
        const { Open, ...others } = medallionHandlers(stepDeps, lost);
        const execution = { Id: `arn:${run.run_id}` };
        return { ...others, Open: (input) => Open({ ...(input as { state: never }), execution }) };
      },
      opens: 'Open',
      ends: ['Finish', 'Fail'],
      input: { ...run, dry_run: false, wait: true, ...(more as { started_by: 'events' }) },
      run,
      retryIntervalMs: 0,
    });
    if (outcome.status !== 'SUCCEEDED') throw new Error(JSON.stringify(outcome));
    return outcome.output as RunState;
  };
  const upload = async (name: string, text: string, source = 'orders'): Promise<void> => {
    await lake.land(source, name, text);
    const info = await lake.store.head(`bronze/shop/${source}/${name}`);
    const { key = '', etag = '', version } = info ?? {};
    await markFiles(lake.store, 'shop', [{ key, etag, ...(version === undefined ? {} : { version }) }]);
  };
  const ids = async (table = 'orders'): Promise<readonly unknown[]> =>
    (await lake.rows(`shop_silver.${table}`, 'SELECT id FROM t ORDER BY id')).map(({ id }) => id);
  const marks = async (): Promise<number> => (await readMarks(lake.store, 'shop')).keys.length;
  return { lake, deps, time, listed, heads, execute, upload, ids, marks };
}
