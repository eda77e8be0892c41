import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createGlueCatalog } from '../../../lib/adapters/catalog/glue.ts';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { CommitConflict, InvalidInput, Unavailable, UnreadableTable } from '../../../lib/core/errors.ts';
import { fullName, type TableId, tablePrefix } from '../../../lib/core/tables.ts';
import { catalogContract } from '../../ports/catalog-contract.ts';
import { codec, sampleMetadata, withSnapshot } from '../../ports/sample-metadata.ts';
import { bytesOf, textOf } from '../../ports/store-contract.ts';
import { brokenConnection, type FakeGlue, glueError, openFakeGlue, openFakeTime } from './glue-fake.ts';

const ID: TableId = { pipeline: 'p', layer: 'silver', name: 't' };
const DATABASES = ['p_silver', 'p_gold', 'p_ops', 'q_silver_silver', 'other'];

function open(databases: readonly string[] = DATABASES, databasePrefix = '') {
  const glue = openFakeGlue(databases);
  const time = openFakeTime();
  const store = createMemoryStore({ locationBase: 's3://lake' });
  let files = 0;
  const uuid = (): string => {
    files += 1;
    return `uuid${files}`;
  };
  const catalog = createGlueCatalog({ client: glue.client, store, codec, databasePrefix, ...time, uuid });
  return { glue, time, store, catalog };
}

async function keys(store: ReturnType<typeof open>['store']): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { key } of store.list('')) found.push(key);
  return found;
}

const requestsOf = (glue: FakeGlue, operation: string) =>
  glue.requests.filter((request) => request.operation === operation).map((request) => request.input);

catalogContract('Glue (its API in memory)', async () => {
  const { catalog, store } = open();
  return { catalog, tableLocation: (id) => store.location(tablePrefix(id)), close: async () => {} };
});

describe('Glue catalog layout', () => {
  it('numbers the metadata files and commits by version without archiving the old one', async () => {
    const { glue, catalog, store } = open();
    const first = await catalog.commit(ID, undefined, sampleMetadata('s3://lake/silver/p/t'));
    assert.equal(first.metadataLocation, 's3://lake/silver/p/t/metadata/00000-uuid1.metadata.json');
    const second = await catalog.commit(ID, first, withSnapshot(first.metadata, 1n));
    assert.equal(second.metadataLocation, 's3://lake/silver/p/t/metadata/00001-uuid2.metadata.json');
    const held = textOf((await store.read('silver/p/t/metadata/00001-uuid2.metadata.json')).bytes);
    assert.deepEqual(codec.parse(held), second.metadata);
    const [update] = requestsOf(glue, 'UpdateTable');
    assert.ok(update && 'VersionId' in update && 'SkipArchive' in update);
    assert.deepEqual([update.VersionId, update.SkipArchive], ['0', true]);
    assert.deepEqual(glue.table('p_silver', 't')?.Parameters, {
      table_type: 'ICEBERG',
      metadata_location: second.metadataLocation,
      previous_metadata_location: first.metadataLocation,
    });
  });

  for (const [name, number] of [
    ['00041-x.metadata.json', '00042'],
    ['v7.metadata.json', '00008'],
    ['99999-x.metadata.json', '100000'],
    ['odd.metadata.json', '00000'],
  ] as const) {
    it(`counts on from ${name} of another catalog to ${number}`, async () => {
      const { glue, catalog, store } = open();
      const key = `silver/p/t/metadata/${name}`;
      await store.write(key, bytesOf(codec.render(sampleMetadata())), { kind: 'absent' });
      const Parameters = { table_type: 'iceberg', metadata_location: store.location(key) };
      glue.place('p_silver', { Name: 't', Parameters });
      const base = await catalog.load(ID);
      assert.ok(base);
      const next = await catalog.commit(ID, base, withSnapshot(base.metadata, 1n));
      assert.equal(next.metadataLocation, `s3://lake/silver/p/t/metadata/${number}-uuid1.metadata.json`);
    });
  }

  it('keeps parameters that others set, also between a load and the commit', async () => {
    const { glue, catalog } = open();
    const first = await catalog.commit(ID, undefined, sampleMetadata());
    const Parameters = { ...glue.table('p_silver', 't')?.Parameters, classification: 'pii' };
    glue.touch('p_silver', 't', { Parameters, Description: 'orders' });
    await catalog.commit(ID, first, withSnapshot(first.metadata, 1n));
    assert.equal(glue.table('p_silver', 't')?.Parameters?.['classification'], 'pii');
    assert.equal(glue.table('p_silver', 't')?.Description, 'orders');
  });

  it('keeps the stages of one account apart', async () => {
    const { glue, catalog } = open(['p_silver', 'dev_p_silver', 'old_p_silver'], 'dev_');
    const { metadataLocation } = await catalog.commit(ID, undefined, sampleMetadata());
    const Parameters = { table_type: 'ICEBERG', metadata_location: metadataLocation };
    glue.place('old_p_silver', { Name: 't', Parameters });
    assert.ok(glue.table('dev_p_silver', 't'));
    assert.equal(glue.table('p_silver', 't'), undefined);
    assert.deepEqual((await catalog.list()).map(fullName), ['p_silver.t']);
  });

  it('lists Iceberg tables of its own databases and places only, over all pages', async () => {
    const { glue, catalog } = open([...DATABASES, 'dev_p_silver']);
    const ids = ['a', 'b', 'c'].map((name): TableId => ({ ...ID, name }));
    for (const id of ids) await catalog.commit(id, undefined, sampleMetadata());
    const iceberg = (location: string) => ({ table_type: 'ICEBERG', metadata_location: location });
    glue.place('p_ops', { Name: 'audit_log', Parameters: { classification: 'parquet' } });
    glue.place('p_ops', { Name: 'elsewhere', Parameters: iceberg('s3://theirs/ops/p/elsewhere/metadata/1.json') });
    glue.place('dev_p_silver', { Name: 'a', Parameters: iceberg('s3://lake/silver/p/a/metadata/1.metadata.json') });
    glue.place('other', { Name: 'x', Parameters: iceberg('s3://lake/other/x/metadata/1.metadata.json') });
    assert.deepEqual((await catalog.list()).map(fullName), ['p_silver.a', 'p_silver.b', 'p_silver.c']);
  });

  it('drops the table, and leaves its files', async () => {
    const { catalog, store } = open();
    await store.write('silver/p/t2/kept', bytesOf('x'), { kind: 'any' });
    await catalog.commit(ID, undefined, sampleMetadata());
    await catalog.drop(ID);
    assert.deepEqual(await keys(store), ['silver/p/t/metadata/00000-uuid1.metadata.json', 'silver/p/t2/kept']);
    await catalog.commit(ID, undefined, sampleMetadata());
    assert.equal((await keys(store)).length, 3);
    await catalog.drop(ID);
    assert.equal(await catalog.load(ID), undefined);
  });
});

describe('Glue catalog on what it cannot use', () => {
  it('says to deploy when the database is missing', async () => {
    const { catalog } = open(['p_silver'], 'dev_');
    const expected = (error: unknown): boolean =>
      error instanceof InvalidInput && /dev_p_silver.*npx cdk deploy --all.*stage/.test(error.message);
    await assert.rejects(catalog.load(ID), expected);
    await assert.rejects(catalog.commit(ID, undefined, sampleMetadata()), expected);
  });

  it('refuses a table of that name that is not an Iceberg table', async () => {
    const { glue, catalog, store } = open();
    glue.place('p_silver', { Name: 't', TableType: 'EXTERNAL_TABLE', Parameters: { table_type: 'DELTA' } });
    const expected = (error: unknown): boolean =>
      error instanceof InvalidInput && /p_silver\.t .*not an Iceberg table: got .*DELTA/.test(error.message);
    await assert.rejects(catalog.load(ID), expected);
    await assert.rejects(catalog.commit(ID, undefined, sampleMetadata()), expected);
    assert.deepEqual(await keys(store), []);
  });

  for (const suffix of ['gz.metadata.json', 'metadata.json.gz']) {
    it(`reads metadata that another engine has gzipped, and commits upon it: ${suffix}`, async () => {
      const { glue, catalog, store } = open();
      const first = await catalog.commit(ID, undefined, sampleMetadata('s3://lake/silver/p/t'));
      const theirs = withSnapshot(first.metadata, 7n);
      const key = `silver/p/t/metadata/00041-abc.${suffix}`;
      await store.write(key, gzipSync(codec.render(theirs)), { kind: 'absent' });
      glue.place('p_silver', {
        Name: 't',
        Parameters: { table_type: 'ICEBERG', metadata_location: store.location(key) },
      });
      const loaded = await catalog.load(ID);
      assert.deepEqual(loaded?.metadata, theirs);
      const next = await catalog.commit(ID, loaded, withSnapshot(theirs, 8n));
      assert.match(next.metadataLocation, /\/00042-uuid\d+\.metadata\.json$/);
    });
  }

  for (const damage of [undefined, '', '{"format-version":2']) {
    it(`names the metadata file that is ${damage === undefined ? 'missing' : 'damaged'}`, async () => {
      const { catalog, store } = open();
      const { metadataLocation } = await catalog.commit(ID, undefined, sampleMetadata());
      const key = store.key(metadataLocation);
      if (damage === undefined) await store.remove(key);
      else await store.write(key, bytesOf(damage), { kind: 'any' });
      await assert.rejects(catalog.load(ID), (error: unknown) => {
        return error instanceof UnreadableTable && error.message.includes(metadataLocation);
      });
    });
  }

  it('reads the table anew when its metadata file was trimmed between the two reads', async () => {
    const { glue, catalog, store } = open();
    const first = await catalog.commit(ID, undefined, sampleMetadata());
    const old = glue.table('p_silver', 't')?.Parameters;
    const second = await catalog.commit(ID, first, withSnapshot(first.metadata, 1n));
    const now = glue.table('p_silver', 't')?.Parameters ?? {};
    await store.remove(store.key(first.metadataLocation));
    glue.touch('p_silver', 't', { Parameters: { ...old } });
    const read = store.read;
    const moving = {
      ...store,
      read: (key: string) => {
        glue.touch('p_silver', 't', { Parameters: now });
        return read(key);
      },
    };
    const reader = createGlueCatalog({ client: glue.client, store: moving, codec, databasePrefix: '' });
    assert.deepEqual(await reader.load(ID), second);
  });
});

describe('Glue catalog reads under faults', () => {
  const passing = [
    'ThrottlingException',
    'ResourceNotReadyException',
    'OperationTimeoutException',
    'InternalServiceException',
  ]
    .map((name) => glueError(name))
    .concat(glueError('Whatever', 503), glueError('Whatever', 429));

  for (const error of [...passing, brokenConnection()]) {
    it(`asks again after ${error.name}: ${error.message}, with growing pauses`, async () => {
      const { glue, time, catalog } = open();
      const entry = await catalog.commit(ID, undefined, sampleMetadata());
      glue.trouble({ operation: 'GetTable', from: 1, to: 4, error });
      assert.deepEqual(await catalog.load(ID), entry);
      assert.deepEqual(time.pauses, [100, 200, 400, 800]);
    });
  }

  it('spreads its pauses at random over their whole length', async () => {
    const { glue, time, store } = open();
    const jitter = [0, 0.5, 0.25];
    const random = (): number => jitter.shift() ?? 0;
    const catalog = createGlueCatalog({ client: glue.client, store, codec, databasePrefix: '', ...time, random });
    glue.trouble({ operation: 'GetTable', from: 1, to: 3, error: glueError('ThrottlingException') });
    assert.equal(await catalog.load(ID), undefined);
    assert.deepEqual(time.pauses, [0, 100, 100]);
  });

  it('gives up as Unavailable after a minute', async () => {
    const { glue, time, catalog } = open();
    glue.trouble({ operation: 'GetTable', from: 1, to: 1000, error: glueError('ResourceNotReadyException') });
    await assert.rejects(catalog.load(ID), (error: unknown) => {
      return (
        error instanceof Unavailable && /glue:GetTable on p_silver\.t .*60 s.*ResourceNotReady/.test(error.message)
      );
    });
    const total = time.pauses.reduce((sum, ms) => sum + ms, 0);
    assert.ok(total >= 60_000 && total < 66_000, String(total));
    assert.equal(Math.max(...time.pauses), 5000);
  });

  for (const [operation, run] of [
    ['GetTable', (catalog) => catalog.load(ID)],
    ['GetDatabases', (catalog) => catalog.list()],
    ['GetTables', (catalog) => catalog.list()],
    ['DeleteTable', (catalog) => catalog.drop(ID)],
    ['GetDatabase', (catalog) => catalog.load(ID)],
  ] as const satisfies [string, (catalog: ReturnType<typeof open>['catalog']) => Promise<unknown>][]) {
    it(`names glue:${operation} when it is denied, and asks once`, async () => {
      const { glue, time, catalog } = open();
      glue.trouble({ operation, from: 1, error: glueError('AccessDeniedException', 400) });
      await assert.rejects(run(catalog), (error: unknown) => {
        return error instanceof InvalidInput && error.message.includes(`glue:${operation}`);
      });
      assert.deepEqual(time.pauses, []);
    });

    it(`asks glue:${operation} again when it is throttled`, async () => {
      const { glue, time, catalog } = open();
      glue.trouble({ operation, from: 1, error: glueError('ThrottlingException') });
      await run(catalog);
      assert.deepEqual(time.pauses, [100]);
    });
  }

  it('looks again for a table that it made itself and that Glue does not show yet', async () => {
    const { glue, time, catalog } = open();
    const entry = await catalog.commit(ID, undefined, sampleMetadata());
    glue.trouble({ operation: 'GetTable', from: 1, to: 3, error: glueError('EntityNotFoundException') });
    assert.deepEqual(await catalog.load(ID), entry);
    assert.deepEqual(time.pauses, [100, 200, 400]);
    glue.trouble({ operation: 'GetTable', from: 1, error: glueError('EntityNotFoundException') });
    assert.notEqual((await catalog.commit(ID, entry, withSnapshot(entry.metadata, 1n))).version, entry.version);
  });

  it('says CommitConflict, not that it made a table, when the base is gone', async () => {
    const { glue, catalog } = open();
    const entry = await catalog.commit(ID, undefined, sampleMetadata());
    glue.forget('p_silver', 't');
    await assert.rejects(catalog.commit(ID, entry, withSnapshot(entry.metadata, 1n)), CommitConflict);
    assert.equal(glue.table('p_silver', 't'), undefined);
  });
});
