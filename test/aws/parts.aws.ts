import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { CreateBucketCommand, type GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { createS3Store } from '../../lib/adapters/store/s3.ts';
import { append, definePipeline, identity, json } from '../../lib/define/index.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { openTestLake } from '../support/test-lake.ts';
import { startMoto } from './moto-server.ts';

const REGION = 'eu-central-1';
const BUCKETS = { bronze: 'parts-bronze', silver: 'parts-silver', gold: 'parts-gold', ops: 'parts-ops' };
const SHOPS = 5;
const ROWS = 1_500;

const PIPELINE = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { sales: json({ layout: 'lines', columns: { shop: 'string', amount: 'int', note: 'string' } }) },
    silver: { sales: { from: 'sales', mode: append(), partitionBy: [identity('shop')] } },
    gold: { shops: { sql: 'shops.sql', partitionBy: [identity('shop')], refresh: 'touched' } },
  }),
  sql: { 'shops.sql': 'SELECT shop, sum(amount)::BIGINT AS amount, count(*) AS sales FROM silver.sales GROUP BY shop' },
};

function sales(shops: readonly number[]): string {
  const rows = shops.flatMap((shop) =>
    Array.from({ length: ROWS }, (_, at) => {
      const note = hash('sha512', `${shop}-${at}`, 'base64') + hash('sha512', `${at}-${shop}`, 'base64');
      return `${JSON.stringify({ shop: `shop-${shop}`, amount: at % 10, note })}\n`;
    }),
  );
  return rows.join('');
}

test('from S3 come the footers and the chunks that gold reads, and gold is what it is over whole files', async () => {
  const { endpoint, stop } = await startMoto();
  await readParts(endpoint).finally(stop);
});

async function readParts(endpoint: string): Promise<void> {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new S3Client({ endpoint, region: REGION, credentials, forcePathStyle: true, maxAttempts: 1 });
  for (const Bucket of Object.values(BUCKETS)) {
    await client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } }));
  }
  let arrived = 0;
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const answer = await next(args);
        const { Bucket, Key } = args.input as { readonly Bucket?: string; readonly Key?: string };
        // What is published is looked at, which answers its size as well.
        const isData =
          commandName === 'GetObjectCommand' && Bucket === BUCKETS.silver && Key?.endsWith('.parquet') === true;
        if (isData) arrived += (answer.output as GetObjectCommandOutput).ContentLength ?? 0;
        return answer;
      },
    { step: 'deserialize', priority: 'high', name: 'countBytes' },
  );
  const base = await openTestLake(PIPELINE);
  const store = createS3Store({ client, buckets: BUCKETS, scratch: base.scratch, deadlineMs: 5_000 });
  const lake = base.reopen((deps) => ({
    ...deps,
    store,
    catalog: createFileCatalog(store, { parse: parseMetadata, render: renderMetadata }),
  }));
  await store.write('bronze/shop/sales/a.json', new TextEncoder().encode(sales([0, 1, 2, 3, 4])), { kind: 'any' });
  await lake.run({ runId: 'first' });
  const table = Number((await lake.metadata('shop_silver.sales'))?.snapshots.at(-1)?.summary['total-files-size']);
  assert.ok(arrived > 0 && arrived < table / 8, `${arrived} of ${table} bytes for all of gold`);
  await store.write('bronze/shop/sales/b.json', new TextEncoder().encode(sales([3])), { kind: 'any' });
  arrived = 0;
  await lake.run({ runId: 'second' });
  assert.ok(arrived > 0 && arrived < table / 16, `${arrived} of ${table} bytes for one partition`);
  const amount = (ROWS / 10) * 45;
  assert.deepEqual(
    await lake.rows('shop_gold.shops'),
    Array.from({ length: SHOPS }, (_, shop) => {
      const times = shop === 3 ? 2 : 1;
      return { shop: `shop-${shop}`, amount: times * amount, sales: times * ROWS };
    }),
  );
  client.destroy();
  base.close();
}
