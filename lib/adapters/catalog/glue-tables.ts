import {
  CreateTableCommand,
  DeleteTableCommand,
  GetDatabaseCommand,
  GetTableCommand,
  type GlueClient,
  paginateGetDatabases,
  paginateGetTables,
  type Table,
  type TableInput,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';
import { InvalidInput } from '../../core/errors.ts';
import { databaseOf, type TableId } from '../../core/tables.ts';
import type { AwsCall } from '../aws/errors.ts';
import { askUntilAnswered, type Patience, startPacing } from './glue-calls.ts';

/** How often a table that should be there is looked for again before it counts as dropped. */
const LOOKS = 4;

/** Glue's API in terms of Strata's tables. All but `create` and `update` ask again until they are answered. */
export type GlueTables = {
  /**
   * Finds nothing when there is no such table; when it is `expected`, Glue is asked a few times first, since its answers
   * may lag behind. Throws InvalidInput when the table's database does not exist.
   */
  find(id: TableId, expected: boolean): Promise<Table | undefined>;
  /** One request, whose errors are the SDK's. */
  create(id: TableId, input: TableInput): Promise<void>;
  /** One request, whose errors are the SDK's; done only if the table is still at `versionId`. */
  update(id: TableId, input: TableInput, versionId: string): Promise<void>;
  remove(id: TableId): Promise<void>;
  databases(): Promise<readonly string[]>;
  tablesIn(database: string): Promise<readonly Table[]>;
  /** How error messages name a request about a table. */
  call(action: string, id: TableId): AwsCall;
};

export function openGlueTables(client: GlueClient, databasePrefix: string, patience: Patience): GlueTables {
  const database = (id: TableId): string => `${databasePrefix}${databaseOf(id)}`;
  const call = (action: string, id: TableId): AwsCall => ({ action, resource: `${database(id)}.${id.name}` });

  const assertDatabase = async (name: string): Promise<void> => {
    const request = { action: 'glue:GetDatabase', resource: name };
    const answer = await askUntilAnswered(patience, request, () => client.send(new GetDatabaseCommand({ Name: name })));
    if (answer === undefined) throw noDatabase(name);
  };
  const get = async (id: TableId): Promise<Table | undefined> => {
    const request = new GetTableCommand({ DatabaseName: database(id), Name: id.name });
    return (await askUntilAnswered(patience, call('glue:GetTable', id), () => client.send(request)))?.Table;
  };

  return {
    call,
    async find(id, expected) {
      const pacing = startPacing(patience);
      for (let look = 1; ; look += 1) {
        const table = await get(id);
        if (table !== undefined) return table;
        await assertDatabase(database(id));
        if (!expected || look >= LOOKS || !(await pacing.pause())) return undefined;
      }
    },
    async create(id, input) {
      await client.send(new CreateTableCommand({ DatabaseName: database(id), TableInput: input }));
    },
    async update(id, input, versionId) {
      const request = { DatabaseName: database(id), TableInput: input, VersionId: versionId, SkipArchive: true };
      await client.send(new UpdateTableCommand(request));
    },
    async remove(id) {
      const request = new DeleteTableCommand({ DatabaseName: database(id), Name: id.name });
      await askUntilAnswered(patience, call('glue:DeleteTable', id), () => client.send(request));
    },
    async databases() {
      const request = { action: 'glue:GetDatabases', resource: `databases named ${databasePrefix}*` };
      const pages = await askUntilAnswered(patience, request, () => allPages(paginateGetDatabases({ client }, {})));
      return (pages ?? []).flatMap((page) => page.DatabaseList ?? []).flatMap(({ Name }) => Name ?? []);
    },
    async tablesIn(name) {
      const request = { action: 'glue:GetTables', resource: name };
      const ask = () => allPages(paginateGetTables({ client }, { DatabaseName: name }));
      return ((await askUntilAnswered(patience, request, ask)) ?? []).flatMap((page) => page.TableList ?? []);
    },
  };
}

async function allPages<T>(pages: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

function noDatabase(name: string): InvalidInput {
  return new InvalidInput(
    `the Glue Data Catalog has no database ${name}; expected the one that the pipeline's stack makes: ` +
      'deploy with `npx cdk deploy --all`, or check the account, the region and the stage',
  );
}
