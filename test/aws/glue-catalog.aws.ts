import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { CreateDatabaseCommand, GetTableCommand, GlueClient, UpdateTableCommand } from '@aws-sdk/client-glue';
import { createGlueCatalog } from '../../lib/adapters/catalog/glue.ts';
import { createMemoryStore } from '../../lib/adapters/store/memory.ts';
import { CommitConflict, InvalidInput } from '../../lib/core/errors.ts';
import type { Sql } from '../../lib/core/sql-text.ts';
import { type TableId, tablePrefix } from '../../lib/core/tables.ts';
import type { Column } from '../../lib/core/types.ts';
import type { CatalogEntry } from '../../lib/ports.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { openLake, withSession } from '../interop/lakes.ts';
import { commitRows } from '../interop/write-table.ts';
import { catalogContract } from '../ports/catalog-contract.ts';
import { codec, sampleMetadata, withSnapshot } from '../ports/sample-metadata.ts';
import { awsPython, startMoto } from './moto-server.ts';

/** An empty Glue catalog with databases, on a moto server of its own. */
async function openGlue(databases: readonly string[]) {
  const { endpoint, stop } = await startMoto();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new GlueClient({ endpoint, region: 'eu-central-1', credentials });
  for (const Name of databases) await client.send(new CreateDatabaseCommand({ DatabaseInput: { Name } }));
  const close = async (): Promise<void> => {
    client.destroy();
    await stop();
  };
  return { endpoint, client, close };
}

catalogContract('Glue (moto, made to check the VersionId of updates)', async () => {
  const { client, close } = await openGlue(['p_silver', 'p_gold', 'p_ops', 'q_silver_silver']);
  const store = createMemoryStore({ locationBase: 's3://lake' });
  const catalog = createGlueCatalog({ client, store, codec, databasePrefix: '' });
  return { catalog, tableLocation: (id) => store.location(tablePrefix(id)), close };
});

describe('Glue catalog on moto', () => {
  let glue: Awaited<ReturnType<typeof openGlue>>;
  before(async () => {
    glue = await openGlue(['dev_p_silver']);
  });
  after(() => glue.close());

  it('says to deploy when there is no database', async () => {
    const store = createMemoryStore();
    const catalog = createGlueCatalog({ client: glue.client, store, codec, databasePrefix: '' });
    await assert.rejects(catalog.load({ pipeline: 'p', layer: 'silver', name: 't' }), (error: unknown) => {
      return error instanceof InvalidInput && /p_silver.*cdk deploy/.test(error.message);
    });
  });

  it('commits over a change of the Glue table that left the metadata alone, and keeps it', async () => {
    const id: TableId = { pipeline: 'p', layer: 'silver', name: 't' };
    const store = createMemoryStore();
    const catalog = createGlueCatalog({ client: glue.client, store, codec, databasePrefix: 'dev_' });
    const first = await catalog.commit(id, undefined, sampleMetadata());
    const table = { DatabaseName: 'dev_p_silver', Name: 't' };
    const parametersNow = async () => (await glue.client.send(new GetTableCommand(table))).Table?.Parameters ?? {};
    const TableInput = { Name: 't', Parameters: { ...(await parametersNow()), classification: 'pii' } };
    await glue.client.send(new UpdateTableCommand({ DatabaseName: 'dev_p_silver', TableInput }));
    const second = await catalog.commit(id, first, withSnapshot(first.metadata, 1n));
    assert.deepEqual(await catalog.load(id), second);
    assert.deepEqual(await parametersNow(), {
      classification: 'pii',
      table_type: 'ICEBERG',
      metadata_location: second.metadataLocation,
      previous_metadata_location: first.metadataLocation,
    });
  });
});

/** What test/aws/glue_table.py prints. */
type Seen = {
  readonly tables: readonly string[];
  readonly location: string;
  readonly fields: readonly (readonly [id: number, name: string, type: string, doc: string | null])[];
  readonly snapshots: readonly string[];
  readonly log: readonly string[];
  readonly rows: readonly Readonly<Record<string, string | null>>[];
};

const COLUMNS: readonly Column[] = [
  { name: 'id', type: { kind: 'bigint' }, doc: 'The order' },
  { name: 'amount', type: { kind: 'decimal', precision: 12, scale: 2 } },
  { name: 'tags', type: { kind: 'list', element: { kind: 'string' } } },
];

describe("PyIceberg's Glue catalog", () => {
  const id: TableId = { pipeline: 'shop', layer: 'silver', name: 'orders' };
  let glue: Awaited<ReturnType<typeof openGlue>>;
  let root: string;
  before(async () => {
    glue = await openGlue(['dev_shop_silver']);
    root = await mkdtemp(join(tmpdir(), 'strata-glue-'));
  });
  after(async () => {
    await glue.close();
    await rm(root, { recursive: true, force: true });
  });

  const pyIceberg = async (...args: readonly string[]): Promise<Seen> => {
    const script = join(import.meta.dirname, 'glue_table.py');
    const run = promisify(execFile);
    const { stdout } = await run(await awsPython(), [script, glue.endpoint, 'dev_shop_silver.orders', ...args]);
    return JSON.parse(stdout);
  };

  it('reads schema, snapshots and rows that we committed, and commits in turn with us', async () => {
    const lake = await openLake(root, 'no-pipelines');
    const catalog = createGlueCatalog({ client: glue.client, store: lake.deps.store, codec, databasePrefix: 'dev_' });
    const deps = { ...lake.deps, catalog };
    const commit = (columns: readonly Column[], rows: Sql): Promise<CatalogEntry> =>
      withSession(lake, (session) =>
        commitRows(deps, session, { id, columns, partitionBy: [], sortBy: [] }, sql`(${rows})`),
      );

    const first = await commit(COLUMNS, sql`SELECT 1 AS id, CAST(9.90 AS DECIMAL(12,2)) AS amount, ['a', 'b'] AS tags`);
    const wider = [...COLUMNS, { name: 'note', type: { kind: 'string' } } as const];
    const second = await commit(
      wider,
      sql`SELECT 2 AS id, CAST(NULL AS DECIMAL(12,2)) AS amount, [] AS tags, 'é' AS note`,
    );
    const seen = await pyIceberg();
    assert.deepEqual(seen.tables, ['dev_shop_silver.orders']);
    assert.equal(seen.location, second.metadataLocation);
    assert.deepEqual(seen.log, [first.metadataLocation]);
    assert.deepEqual(seen.fields, [
      [1, 'id', 'long', 'The order'],
      [2, 'amount', 'decimal(12, 2)', null],
      [3, 'tags', 'list<string>', null],
      [5, 'note', 'string', null],
    ]);
    assert.deepEqual(
      seen.snapshots,
      second.metadata.snapshots.map((snapshot) => String(snapshot['snapshot-id'])),
    );
    const ours = [
      { id: '1', amount: '9.90', tags: "['a', 'b']", note: null },
      { id: '2', amount: null, tags: '[]', note: 'é' },
    ];
    assert.deepEqual(seen.rows, ours);

    const theirs = await pyIceberg('append');
    const loaded = await catalog.load(id);
    assert.equal(loaded?.metadataLocation, theirs.location);
    assert.equal(loaded?.metadata.snapshots.length, 3);
    await assert.rejects(catalog.commit(id, second, withSnapshot(second.metadata, 1n)), CommitConflict);

    const third = await commit(
      wider,
      sql`SELECT 3 AS id, CAST(1 AS DECIMAL(12,2)) AS amount, ['c'] AS tags, '' AS note`,
    );
    const last = await pyIceberg();
    assert.equal(last.location, third.metadataLocation);
    assert.equal(last.snapshots.length, 4);
    assert.deepEqual(
      last.rows.map((row) => row['id']),
      ['1', '1', '2', '2', '3'],
    );
  });
});
