import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { CreateDatabaseCommand, GlueClient } from '@aws-sdk/client-glue';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createS3Store } from '../../lib/adapters/store/s3.ts';
import { fullName, tablePrefix } from '../../lib/core/tables.ts';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { listRuns } from '../../lib/query/list-runs.ts';
import { runPipeline } from '../../lib/runtime/local.ts';
import { openRemoteTables } from '../../lib/runtime/remote-tables.ts';
import { loadTable, planFiles } from '../../lib/table/read.ts';
import { strataHere } from '../cli/child.ts';
import { sampleMetadata } from '../ports/sample-metadata.ts';
import { compileTest } from '../support/test-lake.ts';
import { startMoto } from './moto-server.ts';

const BUCKET = 'strata-test-bronze';

const ZONES = ['bronze', 'silver', 'gold', 'ops'];
const ITEMS = { pipeline: 'shop', layer: 'silver', name: 'items' } as const;

/** What the commands look for in a lake: its stack's outputs, and the buckets behind them. */
const LAKE = {
  Resources: {
    Bronze: { Type: 'AWS::S3::Bucket', Properties: { BucketName: BUCKET } },
    Silver: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'strata-test-silver' } },
    Gold: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'strata-test-gold' } },
    Ops: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'strata-test-ops' } },
  },
  Outputs: {
    BronzeBucket: { Value: { Ref: 'Bronze' } },
    SilverBucket: { Value: { Ref: 'Silver' } },
    GoldBucket: { Value: { Ref: 'Gold' } },
    OpsBucket: { Value: { Ref: 'Ops' } },
    Workgroup: { Value: 'primary' },
    DatabasePrefix: { Value: '' },
  },
};

describe('the commands against servers of AWS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'strata-commands-'));
  let endpoint = '';
  let stop = async (): Promise<void> => {};
  before(async () => {
    ({ endpoint, stop } = await startMoto());
    const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };
    Object.assign(process.env, credentials, { AWS_ENDPOINT_URL: endpoint });
    const stack = new CreateStackCommand({ StackName: 'strata-lake', TemplateBody: JSON.stringify(LAKE) });
    await new CloudFormationClient({}).send(stack);
  });
  after(async () => {
    await stop();
    rmSync(folder, { recursive: true });
  });

  test('land --aws uploads small and large files', async () => {
    const small = join(folder, 'small.csv');
    const large = join(folder, 'large.csv');
    writeFileSync(small, 'customer_id\n1\n');
    writeFileSync(large, 'x'.repeat(17 * 2 ** 20));
    const { code, stdout, stderr } = await strataHere(['land', '--aws', 'retail', 'customers', small, large, '--json']);
    assert.equal(code, 0, stderr);
    const { files } = JSON.parse(stdout) as { files: readonly { key: string; status: string; bytes: number }[] };
    assert.deepEqual(
      files.map(({ key, status, bytes }) => [key, status, bytes]),
      [
        ['bronze/retail/customers/small.csv', 'landed', 14],
        ['bronze/retail/customers/large.csv', 'landed', 17 * 2 ** 20],
      ],
    );
    const found = await new S3Client({}).send(new GetObjectCommand({ Bucket: BUCKET, Key: files[0]?.key }));
    assert.equal(await found.Body?.transformToString(), 'customer_id\n1\n');
  });

  test('drop --aws drops a table that no model makes, with its files, and no other', async () => {
    const log = { info: () => {}, warn: () => {} };
    const { catalog, store } = await openRemoteTables({}, log);
    const glue = new GlueClient({});
    for (const Name of ['retail_silver', 'retail_gold', 'retail_ops'])
      await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name } }));
    const ids = ['sales', 'old', 'old__log'].map((name) => ({ pipeline: 'retail', layer: 'silver', name }) as const);
    for (const id of ids) {
      await catalog.commit(id, undefined, sampleMetadata(store.location(tablePrefix(id))));
      await store.write(`${tablePrefix(id)}/data/f.parquet`, new Uint8Array(3), { kind: 'any' });
    }
    const strata = (...args: readonly string[]) =>
      strataHere(['drop', '--aws', ...args, '--root', join(folder, 'none'), '--pipelines', resolve('pipelines')]);
    const refused = await strata('retail_silver.sales', '--data');
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    assert.match(refused.stderr, /model silver\.sales of retail makes/);
    const dropped = await strata('retail_silver.old', '--data', '--json');
    assert.equal(dropped.code, 0, dropped.stderr);
    const { tables } = JSON.parse(dropped.stdout) as { tables: readonly { table: string; files_removed: number }[] };
    assert.deepEqual(
      tables.map(({ table, files_removed }) => [table, files_removed]),
      [
        ['retail_silver.old', 2],
        ['retail_silver.old__log', 2],
      ],
    );
    assert.deepEqual((await catalog.list()).map(fullName), ['retail_silver.sales']);
    const keys: string[] = [];
    for await (const { key } of store.list('silver/')) keys.push(key);
    assert.equal(keys.length, 2);
    assert.ok(keys.every((key) => key.startsWith('silver/retail/sales/')));
    const lock = JSON.parse(new TextDecoder().decode((await store.read('ops/retail/lock.json')).bytes)) as object;
    assert.deepEqual(lock, { epoch: 1, released: true });
  });

  test('tag --aws and rollback --aws change tables of the deployed lake, and say so in its table of runs', async () => {
    const shop = {
      name: 'shop',
      definition: definePipeline({
        name: 'shop',
        sources: { rows: csv({ columns: { id: 'int' } }) },
        silver: { items: { from: 'rows', mode: append() } },
      }),
    };
    const pipelines = join(folder, 'pipelines');
    mkdirSync(join(pipelines, 'shop'), { recursive: true });
    const source = `import { append, csv, definePipeline } from ${JSON.stringify(resolve('lib/define/index.ts'))};\n`;
    writeFileSync(
      join(pipelines, 'shop', 'pipeline.ts'),
      `${source}export default definePipeline({ name: 'shop', sources: { rows: csv({ columns: { id: 'int' } }) }, silver: { items: { from: 'rows', mode: append() } } });\n`,
    );
    const tables = await openRemoteTables({}, { info: () => {}, warn: () => {} });
    const scratch = join(folder, 'scratch');
    mkdirSync(scratch);
    const buckets = Object.fromEntries(ZONES.map((zone) => [zone, `strata-test-${zone}`]));
    const store = createS3Store({ client: new S3Client({}), buckets, scratch });
    const settings = { ...tables.settings, scratch, folders: [scratch] };
    const deps = { ...tables, store, settings, specs: () => compileTest(shop, scratch) };
    for (const layer of ['silver', 'gold', 'ops'])
      await new GlueClient({}).send(new CreateDatabaseCommand({ DatabaseInput: { Name: `shop_${layer}` } }));
    for (const run of [1, 2]) {
      await store.write(`bronze/shop/rows/${run}.csv`, new TextEncoder().encode(`id\n${run}\nx${run}\n`), {
        kind: 'any',
      });
      const answer = await runPipeline(deps, { pipeline: 'shop', runId: `run-${run}` });
      assert.ok(answer.kind === 'ended' && answer.result.status === 'SUCCEEDED', JSON.stringify(answer));
    }
    const strata = (...args: readonly string[]) =>
      strataHere([...args, '--root', join(folder, 'none'), '--pipelines', pipelines]);
    const tagged = await strata('tag', '--aws', 'shop_silver.items', 'first', '--run', 'run-1');
    assert.match(tagged.stdout, /^shop_silver\.items: snapshot \d+ is first\n$/, tagged.stderr);
    const shown = await strata('rollback', '--aws', 'shop_silver.items', '--to', 'first', '--dry-run');
    assert.match(
      shown.stdout,
      /would go back[\s\S]*undone: run-2\n[\s\S]*rollback --aws shop_silver\.items --to first/,
    );
    const back = await strata('rollback', '--aws', 'shop_silver.items', '--to', 'first', '--reingest');
    assert.match(back.stdout, /went back to snapshot[\s\S]*1 file taken again by the next run/, back.stderr);
    const again = await strata('rollback', '--aws', 'shop_silver.items', '--to', 'first', '--reingest');
    assert.match(
      again.stdout,
      /went back to snapshot \d+ before, by rollback-\w+; nothing has come since\n$/,
      again.stderr,
    );
    const { metadata } = (await loadTable(tables.catalog, ITEMS)) ?? assert.fail('no table');
    assert.equal((await planFiles(store, metadata)).length, 1);
    assert.deepEqual(
      (await listRuns(deps, 'shop')).map(({ kind, status }) => [kind, status]),
      [
        ['rollback', 'SUCCEEDED'],
        ['tag', 'SUCCEEDED'],
        ['run', 'SUCCEEDED'],
        ['run', 'SUCCEEDED'],
      ],
    );
    const runs = await strata('runs', '--aws', 'shop', '--json');
    assert.deepEqual(JSON.parse(runs.stdout), await listRuns(deps, 'shop'), runs.stderr);
    const history = await strata('history', '--aws', 'shop_silver.items', '--json');
    assert.deepEqual(
      (JSON.parse(history.stdout) as { run_id: string; tags: string[] }[]).map(({ run_id, tags }) => [run_id, tags]),
      [
        [again.stdout.match(/rollback-\w+/)?.[0], []],
        ['run-2', []],
        ['run-1', ['first']],
      ],
      history.stderr,
    );
    const seen = await strata('breaker', 'status', '--aws', 'shop');
    assert.equal(seen.stdout.split(';')[0], 'the circuit breaker of shop is closed', seen.stderr);
    const held = await strata('quarantine', 'list', '--aws', 'shop', '--json');
    const { rows } = JSON.parse(held.stdout) as { rows: { run_id: string; status: string }[] };
    // Those of files that are taken again are held no longer.
    assert.deepEqual(
      rows.map(({ run_id, status }) => [run_id, status]),
      [
        ['run-2', 'released'],
        ['run-1', 'quarantined'],
      ],
    );
    const released = await strata('quarantine', 'release', '--aws', 'shop', '--code', 'TYPE_ERROR');
    assert.match(released.stdout, /^released 1 row of shop: /, released.stderr);
    const next = await runPipeline(deps, { pipeline: 'shop', runId: 'run-3' });
    assert.ok(next.kind === 'ended' && next.result.accounting['rows']?.accepted === 1, JSON.stringify(next));
  });

  test('query --athena answers with rows', async () => {
    const row = (...values: readonly string[]) => ({ Data: values.map((VarCharValue) => ({ VarCharValue })) });
    const column = (Name: string, Type: string) => ({ Name, Type, Precision: 10, Scale: 2 });
    const result = {
      rows: [row('n', 'b'), row('1', 'true')],
      column_info: [column('n', 'bigint'), column('b', 'boolean')],
    };
    // What moto is to answer with; it runs no SQL. Source: docs.getmoto.org/en/latest/docs/services/athena.html
    const body = JSON.stringify({ results: [result] });
    const prepared = await fetch(`${endpoint}/moto-api/static/athena/query-results`, { method: 'POST', body });
    assert.equal(prepared.status, 201);
    const { code, stdout, stderr } = await strataHere([
      'query',
      '--athena',
      'SELECT n, b FROM retail_gold.t',
      '--json',
    ]);
    assert.equal(code, 0, stderr);
    const { rows, workgroup } = JSON.parse(stdout) as { rows: unknown; workgroup: string };
    assert.deepEqual([rows, workgroup], [[{ n: 1, b: true }], 'primary']);
  });

  test('a pipeline that is not deployed is named', async () => {
    const { code, stderr } = await strataHere(['query', '--athena', 'SELECT 1', '--stage', 'dev']);
    assert.equal(code, 1);
    assert.match(stderr, /^stack strata-dev-lake is not deployed/);
  });
});
