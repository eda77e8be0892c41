import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countingCatalog } from '../../../lib/adapters/catalog/counting.ts';
import { createGlueCatalog } from '../../../lib/adapters/catalog/glue.ts';
import { createMemoryCatalog } from '../../../lib/adapters/catalog/memory.ts';
import { countingStore } from '../../../lib/adapters/store/counting.ts';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { addSpent, type Call, NOTHING_SPENT, type Spent, spentBy } from '../../../lib/core/requests.ts';
import { type TableId, tablePrefix } from '../../../lib/core/tables.ts';
import { catalogContract } from '../../ports/catalog-contract.ts';
import { codec, sampleMetadata, withSnapshot } from '../../ports/sample-metadata.ts';
import { openFakeGlue, openFakeTime } from './glue-fake.ts';

catalogContract('one that counts', async () => ({
  catalog: countingCatalog(createMemoryCatalog(), () => {}),
  tableLocation: (id) => `memory://store/${tablePrefix(id)}`,
  close: async () => {},
}));

const ID: TableId = { pipeline: 'p', layer: 'silver', name: 't' };

test("what a call costs on S3 is what Glue's catalog asks its store for", async () => {
  const [asked, counted]: [Call[], Call[]] = [[], []];
  const glue = createGlueCatalog({
    client: openFakeGlue(['p_silver']).client,
    store: countingStore(createMemoryStore({ locationBase: 's3://lake' }), (call) => asked.push(call)),
    codec,
    databasePrefix: '',
    ...openFakeTime(),
  });
  const catalog = countingCatalog(glue, (call) => counted.push(call));
  assert.equal(await catalog.load(ID), undefined);
  const first = await catalog.commit(ID, undefined, sampleMetadata('s3://lake/silver/p/t'));
  await catalog.load(ID);
  await catalog.commit(ID, first, withSnapshot(first.metadata, 1n));
  await catalog.load(ID);
  await catalog.list();
  await catalog.drop(ID);
  const sum = (calls: readonly Call[]): Spent => calls.map(spentBy).reduce(addSpent, NOTHING_SPENT);
  assert.deepEqual(sum(counted), { ...NOTHING_SPENT, get: 2, put: 2 });
  assert.deepEqual(sum(asked), sum(counted));
});
