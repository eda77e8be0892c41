import {
  CreateTableCommand,
  DeleteTableCommand,
  GetDatabaseCommand,
  GetDatabasesCommand,
  GetTableCommand,
  GetTablesCommand,
  GlueClient,
  type Table,
  type TableInput,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';
import { mockClient } from 'aws-sdk-client-mock';
import { ObjectNotFound } from '../../lib/core/errors.ts';
import type { ObjectStore, WriteCondition } from '../../lib/ports.ts';
import { glueError } from '../adapters/catalog/glue-fake.ts';
import { allOf } from './scheduler.ts';

/** Where it keeps its tables: no zone of the lake. */
const ROOT = 'glue';
const DATABASES = ['shop_silver', 'shop_gold', 'shop_ops'];

type Found = { readonly table: Table; readonly etag: string };

/**
 * Glue's part of an SDK client whose tables are objects of a store, so that what may happen before a call of the store may happen
 * before each of its requests, and what a world remembers has them too. An update is refused where the version has moved.
 */
export function openStoredGlue(store: ObjectStore): GlueClient {
  const client = new GlueClient({ region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 's' } });
  const keyOf = (database = '', name = ''): string => `${ROOT}/${database}/${name}.json`;
  const find = async (key: string): Promise<Found> => {
    try {
      const { bytes, etag } = await store.read(key);
      return { table: JSON.parse(new TextDecoder().decode(bytes)) as Table, etag };
    } catch (cause) {
      throw cause instanceof ObjectNotFound ? glueError('EntityNotFoundException') : cause;
    }
  };
  const put = async (key: string, table: Table, condition: WriteCondition, conflict: string): Promise<object> => {
    const outcome = await store.write(key, new TextEncoder().encode(JSON.stringify(table)), condition);
    if (outcome.kind !== 'written') throw glueError(conflict);
    return {};
  };
  const named = (database: string | undefined, { Name, ...input }: Partial<TableInput>, version: number): Table => {
    return { ...input, Name: Name ?? '', DatabaseName: database, VersionId: String(version) };
  };
  const mock = mockClient(client);
  mock.on(GetDatabaseCommand).callsFake(async ({ Name }) => ({ Database: { Name } }));
  mock.on(GetDatabasesCommand).callsFake(async () => ({ DatabaseList: DATABASES.map((Name) => ({ Name })) }));
  mock.on(GetTableCommand).callsFake(async ({ DatabaseName, Name }) => ({
    Table: (await find(keyOf(DatabaseName, Name))).table,
  }));
  mock.on(GetTablesCommand).callsFake(async ({ DatabaseName }) => {
    const found = await allOf(store.list(`${ROOT}/${DatabaseName}/`));
    return { TableList: await Promise.all(found.map(async ({ key }) => (await find(key)).table)) };
  });
  mock.on(CreateTableCommand).callsFake(async ({ DatabaseName, TableInput = {} }) => {
    const table = named(DatabaseName, TableInput, 0);
    return put(keyOf(DatabaseName, TableInput.Name), table, { kind: 'absent' }, 'AlreadyExistsException');
  });
  mock.on(UpdateTableCommand).callsFake(async ({ DatabaseName, TableInput = {}, VersionId }) => {
    const key = keyOf(DatabaseName, TableInput.Name);
    const { table, etag } = await find(key);
    if (table.VersionId !== VersionId) throw glueError('ConcurrentModificationException');
    const next = named(DatabaseName, TableInput, Number(VersionId) + 1);
    return put(key, next, { kind: 'match', etag }, 'ConcurrentModificationException');
  });
  mock.on(DeleteTableCommand).callsFake(async ({ DatabaseName, Name }) => {
    await store.remove(keyOf(DatabaseName, Name));
    return {};
  });
  return client;
}
