import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { GetDatabaseCommand, GetTableCommand, GetTablesCommand, GlueClient } from '@aws-sdk/client-glue';
import { mockClient } from 'aws-sdk-client-mock';
import type { AwsQuestion, AwsReply } from '../../../lib/core/aws-question.ts';
import { EngineError, LockHeld } from '../../../lib/core/errors.ts';
import type { RunRef } from '../../../lib/core/run.ts';
import { append, csv, definePipeline } from '../../../lib/define/index.ts';
import type { StepDeps } from '../../../lib/lake/deps.ts';
import type { JsonValue } from '../../../lib/ports.ts';
import type { LambdaHandler } from '../../../lib/runtime/lambda/telemetry.ts';
import { userSql } from '../../../lib/sql/user-sql.ts';
import { awsError } from '../../remote/aws-error.ts';
import { compileTest } from '../../support/test-lake.ts';
import { openBucket } from './light-s3.ts';
import { CONTEXT, linesOf } from './telemetry-lines.ts';

const root = await mkdtemp(join(tmpdir(), 'strata-worker-'));
const [tmp, specs] = [join(root, 'tmp'), join(root, 'specs')];
const ENVIRONMENT = {
  AWS_REGION: 'eu-west-1',
  STRATA_PIPELINE: 'shop',
  STRATA_BRONZE_BUCKET: 'bronze-1',
  STRATA_SILVER_BUCKET: 'silver-1',
  STRATA_GOLD_BUCKET: 'gold-1',
  STRATA_OPS_BUCKET: 'ops-1',
  STRATA_DATABASE_PREFIX: 'dev_',
  STRATA_TMP_MB: '2000',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '3008',
  STRATA_SPECS: specs,
  TMPDIR: tmp,
};

const bucket = openBucket();
const glue = mockClient(GlueClient);
const { workerHandler } = await import('../../../lib/runtime/lambda/worker.ts');
const { handler: open } = await import('../../../lambdas/open.ts');
const { handler: finish } = await import('../../../lambdas/finish.ts');
const { askForPage } = await import('../../../lib/runtime/lambda/ask-for-page.ts');

await mkdir(tmp, { recursive: true });
await mkdir(specs, { recursive: true });
const spec = await compileTest(
  {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: { id: 'int' } }) },
      silver: { orders: { from: 'orders', mode: append() } },
    }),
  },
  tmp,
);
await writeFile(join(specs, 'shop.json'), JSON.stringify(spec));
after(() => rm(root, { recursive: true, force: true }));

beforeEach(() => {
  Object.assign(process.env, ENVIRONMENT);
  delete process.env['STRATA_PAGE_FUNCTION'];
  bucket.objects.clear();
  bucket.refuse = undefined;
  glue.reset();
  glue.on(GetDatabaseCommand).resolves({ Database: { Name: 'd' } });
  glue.on(GetTableCommand).rejects(awsError('EntityNotFoundException', 400, 'no such table'));
  glue.on(GetTablesCommand).resolves({ TableList: [] });
});

const run: RunRef = { pipeline: 'shop', run_id: 'r-1', dry_run: false };

/** What a function answers or throws. */
async function call(handler: LambdaHandler, event: unknown = run): Promise<unknown> {
  return (await linesOf(() => handler(event, CONTEXT).catch((thrown: unknown) => thrown))).answer;
}

/** The handler of a step that does as it is told. */
const handlerOf = (act: (deps: StepDeps) => Promise<JsonValue>): LambdaHandler =>
  workerHandler({ name: 'Stage', parse: () => run, runOf: (input) => input, run: (_, deps) => act(deps) });

const put = (key: string, value: unknown): void => {
  bucket.objects.set(key, { bytes: new TextEncoder().encode(JSON.stringify(value)), etag: 'e0' });
};
const lock = (): unknown => (bucket.objects.has('ops/shop/lock.json') ? bucket.json('ops/shop/lock.json') : undefined);

describe('what a step is given', () => {
  test("follows from the function's environment", async () => {
    const answer = await call(
      handlerOf(async ({ settings, isGone, store, catalog }) => {
        const { holder, scratch, folders = [], sinceBoot, ...rest } = settings;
        await catalog.load({ pipeline: 'shop', layer: 'silver', name: 'orders' });
        return {
          ...rest,
          holder: holder('r-9'),
          sinceBoot: typeof sinceBoot,
          own: folders.every((folder) => folder === scratch),
          gone: isGone('run:r-9'),
          at: store.location('gold/shop/x'),
        };
      }),
    );
    assert.deepEqual(answer, {
      memoryBytes: Math.floor(2_201 * 2 ** 20 * 0.875),
      spillBytes: 2_000 * 2 ** 20,
      threads: 2,
      leaseMs: 1_200_000,
      clocksAgree: true,
      billedBy: 'aws',
      holder: 'run:r-9',
      sinceBoot: 'undefined',
      own: true,
      gone: false,
      at: 's3://gold-1/gold/shop/x',
    });
    assert.equal(glue.commandCalls(GetTableCommand)[0]?.args[0].input.DatabaseName, 'dev_shop_silver');
  });

  test('counts what the step asks S3 for, in each call anew, and not what is asked for around it', async () => {
    put('ops/shop/x.json', {});
    const step = handlerOf(async ({ store, catalog, spent }) => {
      await store.read('ops/shop/x.json');
      await catalog.load({ pipeline: 'shop', layer: 'silver', name: 'orders' });
      return { ...(spent?.() ?? {}) };
    });
    for (const _ of [1, 2]) assert.deepEqual(await call(step), { get: 1, put: 0, bytes_in: 0, bytes_out: 0 });
  });

  test('is kept to by DuckDB', async () => {
    const asked = ['memory_limit', 'max_temp_directory_size', 'threads', 'temp_directory']
      .map((name) => `current_setting('${name}') AS ${name}`)
      .join(', ');
    const answer = (await call(
      handlerOf(async ({ engine, settings }) => {
        const session = await engine.open(settings);
        try {
          const rows = await session.rows({ name: 'settings', text: userSql(`SELECT ${asked}`) });
          return { rows, scratch: settings.scratch };
        } finally {
          await session[Symbol.asyncDispose]();
        }
      }),
    )) as { readonly rows: readonly unknown[]; readonly scratch: string };
    // DuckDB rounds down: 2,201 and 2,000 times 2^20 bytes.
    const expected = { memory_limit: '1.8 GiB', max_temp_directory_size: '1.9 GiB', threads: 2 };
    const { temp_directory, ...limits } = answer.rows[0] as { readonly temp_directory: string };
    assert.deepEqual(limits, expected);
    assert.equal(dirname(temp_directory), answer.scratch);
  });

  test('names what is missing in the environment', async () => {
    delete process.env['STRATA_PIPELINE'];
    const thrown = await call(handlerOf(async () => 'never'));
    assert.match(String(thrown), /^InvalidInput: the environment of this function[\s\S]*STRATA_PIPELINE: got nothing/);
  });

  test('has no bucket that its function may not use', async () => {
    delete process.env['STRATA_BRONZE_BUCKET'];
    const thrown = await call(
      handlerOf(async ({ store }) => {
        await store.read('bronze/shop/orders/a.csv');
        return null;
      }),
    );
    assert.match(String(thrown), /^InvalidInput: no bucket for the key .*STRATA_<ZONE>_BUCKET/);
  });
});

describe('the scratch folder', () => {
  const inScratch = async ({ settings: { scratch } }: StepDeps): Promise<string> => {
    await writeFile(join(scratch, 'spilled'), 'x');
    return scratch;
  };

  test('is new for each call below /tmp, and gone after it', async () => {
    const handler = handlerOf(inScratch);
    const folders = [await call(handler), await call(handler)].map(String);
    assert.notEqual(folders[0], folders[1]);
    assert.ok(folders.every((folder) => folder.startsWith(`${tmp}/`)));
    assert.deepEqual(await readdir(tmp), []);
  });

  test('is gone after an error', async () => {
    const thrown = await call(
      handlerOf(async (deps) => {
        await inScratch(deps);
        throw new LockHeld('no');
      }),
    );
    assert.equal((thrown as Error).name, 'LockHeld');
    assert.deepEqual(await readdir(tmp), []);
  });

  test('of a call that was killed in this environment is gone before the next begins', async () => {
    const handler = handlerOf(async ({ settings: { scratch } }) => {
      assert.deepEqual(await readdir(dirname(scratch)), [basename(scratch)]);
      return dirname(scratch);
    });
    const before = String(await call(handler));
    await mkdir(join(before, 'call-killed', 'deep'), { recursive: true });
    assert.equal(await call(handler), before);
  });
});

describe('an error of a step', () => {
  const OUT_OF_MEMORY = new EngineError('stage orders: Out of Memory Error: x', {
    cause: new Error('Out of Memory Error: x'),
  });
  const NO_SPACE = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

  const THROWN: readonly (readonly [string, Error, RegExp])[] = [
    ['of memory', OUT_OF_MEMORY, /^EngineError: .*compute\.steps\.Stage\.memory \(3008 MB now/],
    ['of disk', NO_SPACE, /^EngineError: .*compute\.steps\.Stage\.tmp \(2000 MB now/],
    ['of another kind', new LockHeld('run r-0 holds the lock'), /^LockHeld: run r-0 holds the lock$/],
  ];
  for (const [what, error, message] of THROWN) {
    test(`${what} is thrown by the name that ErrorEquals knows`, async () => {
      const thrown = await call(handlerOf(() => Promise.reject(error)));
      assert.match(String(thrown), message);
    });
  }

  test('is thrown for an event that is not its input', async () => {
    assert.match(
      String(await call(open, { run_id: 7 })),
      /^InvalidInput: the event is not the input of Open\n.*pipeline/,
    );
  });
});

describe('the lock of the run', () => {
  const held = (run_id: string) => ({
    run_id,
    holder: `run:${run_id}`,
    expires_at: new Date(Date.now() + 60_000).toISOString(),
  });

  test('is renewed before the step works, for the whole lease', async () => {
    put('ops/shop/lock.json', held('r-1'));
    const seen = (await call(handlerOf(async () => lock() as JsonValue))) as ReturnType<typeof held>;
    assert.equal(seen.holder, 'run:r-1');
    assert.ok(Date.parse(seen.expires_at) > Date.now() + 19 * 60_000, seen.expires_at);
  });

  test('of another run is left alone', async () => {
    put('ops/shop/lock.json', held('r-0'));
    const before = lock();
    await call(handlerOf(async () => null));
    assert.deepEqual(lock(), before);
  });

  test('that another has taken lets no step begin, and nothing be changed', async () => {
    put('ops/shop/lock.json', { ...held('r-1'), epoch: 2 });
    const overtaken = { ...run, epoch: 1 };
    const step = (act: (deps: StepDeps) => Promise<JsonValue>, name: 'Stage' | 'Finish'): LambdaHandler =>
      workerHandler({ name, parse: () => overtaken, runOf: (input) => input, run: (_, deps) => act(deps) });
    assert.match(String(await call(step(async () => 'begun', 'Stage'))), /^LockHeld: run r-1 has lost the lock/);
    assert.equal(await call(step(async () => 'asked again', 'Finish')), 'asked again');
    const key = 'ops/shop/x.json';
    put(key, {});
    for (const change of [
      ({ store }: StepDeps) => store.remove(key),
      ({ store }: StepDeps) => store.write(key, new Uint8Array(), { kind: 'any' }),
      ({ catalog }: StepDeps) => catalog.drop({ pipeline: 'shop', layer: 'silver', name: 'orders' }),
    ]) {
      const thrown = await call(step((deps) => Promise.resolve(change(deps)).then(() => null), 'Finish'));
      assert.match(String(thrown), /^LockHeld: run r-1 has lost the lock/);
    }
    assert.deepEqual(bucket.json(key), {});
  });

  test('that cannot be renewed does not end the step, and nothing goes on after the answer', async () => {
    bucket.refuse = () => awsError('AccessDenied', 403, 'no');
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    // The next renewal, and what tells at 81 % and at 97 % of the call's time.
    assert.equal(await call(handlerOf(async () => timers() - before)), 3);
    assert.equal(timers(), before);
  });
});

describe('Open', () => {
  test('plans a run by the pipeline that was deployed, under the lock of the run', async () => {
    put('bronze/shop/orders/a.csv', 'id\n1\n');
    const answer = await call(open, { pipeline: 'shop', run_id: 'r-1', wait: true });
    const request = { pipeline: 'shop', run_id: 'r-1', dry_run: false, wait: true };
    assert.deepEqual(answer, { status: 'planned', request, run: { ...run, epoch: 1 }, level: 0, levels: 1 });
    const plan = bucket.json('ops/shop/_runs/r-1/plan.json') as {
      readonly spec_key: string;
      readonly run_at: { readonly date: string; readonly time: string };
    };
    assert.deepEqual(bucket.json(plan.spec_key), JSON.parse(JSON.stringify(spec)));
    assert.match(JSON.stringify(plan.run_at), /^\{"date":"(\d{4}-\d\d-\d\d)","time":"\1T[\d:.]+Z"\}$/);
    assert.equal((lock() as { readonly holder: string }).holder, 'run:r-1');
  });

  test('finds nothing to do, and keeps no lock', async () => {
    assert.equal(((await call(open, run)) as { readonly status: string }).status, 'nothing');
    assert.deepEqual(lock(), { epoch: 1, released: true });
  });

  test('names the file of a pipeline that was not deployed', async () => {
    const thrown = await call(open, { ...run, pipeline: 'shops' });
    assert.match(
      String(thrown),
      /^InvalidInput: no pipeline "shops" in this deployment: expected .*specs\/shops\.json/,
    );
  });
});

describe('the page', () => {
  const said: string[] = [];
  const log = {
    info: () => undefined,
    warn: (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
      void said.push(`${event}: ${String(fields['error'])}`),
  };
  const asked: AwsQuestion[] = [];
  const ask = (answer: () => Promise<AwsReply>) => (question: AwsQuestion) => {
    asked.push(question);
    return answer();
  };
  beforeEach(() => {
    said.length = 0;
    asked.length = 0;
  });

  test('of a run that has ended is asked for in a call that nobody waits for', async () => {
    const done = ask(async () => ({ text: '', at: new Date(0) }));
    await askForPage(run, log, done);
    assert.deepEqual(asked, [], 'where none is to be written');
    process.env['STRATA_PAGE_FUNCTION'] = 'strata-shop-finish';
    for (const other of [undefined, { ...run, dry_run: true }, { ...run, kind: 'maintenance' as const }])
      await askForPage(other, log, done);
    assert.deepEqual(asked, []);
    await askForPage(run, log, done);
    assert.deepEqual(asked, [
      {
        service: 'lambda',
        action: 'lambda:InvokeFunction',
        kind: 'rest',
        path: '/2015-03-31/functions/strata-shop-finish/invocations',
        headers: { 'x-amz-invocation-type': 'Event' },
        body: { page: 'shop' },
      },
    ]);
    assert.deepEqual(said, []);
  });

  test('that cannot be asked for, or about which nothing is heard, fails no run', async () => {
    process.env['STRATA_PAGE_FUNCTION'] = 'strata-shop-finish';
    await askForPage(
      run,
      log,
      ask(async () => Promise.reject(new Error('no'))),
    );
    await askForPage(
      run,
      log,
      ask(() => Promise.withResolvers<AwsReply>().promise),
      5,
    );
    assert.deepEqual(said, ['the page was not asked for: no', 'the page was not asked for: no answer within 5 ms']);
  });

  test('is written by Finish when that is asked for it, and one that cannot be is a line in the log', async () => {
    const { answer, lines } = await linesOf(() => finish({ page: 'shop' }, CONTEXT));
    assert.deepEqual(answer, { pipeline: 'shop', written: false });
    const warned = lines.filter(({ level }) => level === 'WARN');
    assert.deepEqual(
      warned.map(({ message, error }) => [message, error]),
      [['the page was not written', 'no page of shop: no run of it is known']],
    );
    assert.match(String(await call(finish, { run: 7 })), /^InvalidInput: the event is not the input of a run/);
  });
});
