import {
  CreateTableCommand,
  DeleteTableCommand,
  GetDatabaseCommand,
  GetDatabasesCommand,
  GetTableCommand,
  GetTablesCommand,
  GlueClient,
  GlueServiceException,
  type Table,
  type TableInput,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';
import { mockClient } from 'aws-sdk-client-mock';

type Operation =
  | 'GetTable'
  | 'CreateTable'
  | 'UpdateTable'
  | 'DeleteTable'
  | 'GetDatabase'
  | 'GetDatabases'
  | 'GetTables';

/** An error at calls `from` to `to` (from 1, both included) of an operation, before or after its effect. */
export type GlueTrouble = {
  readonly operation: Operation;
  readonly from: number;
  readonly to?: number;
  readonly error: Error;
  readonly when?: 'before' | 'after';
  /** What others do to the catalog just before the error. */
  readonly meanwhile?: () => void;
};

/** An error as the SDK throws it; `attempts` is how often the SDK had asked. */
export function glueError(name: string, status = 400, attempts = 1): GlueServiceException {
  const metadata = { httpStatusCode: status, attempts };
  return new GlueServiceException({ name, message: `${name} happened`, $fault: 'client', $metadata: metadata });
}

/** A connection that broke: no answer, no status. */
export function brokenConnection(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', $metadata: { attempts: 1 } });
}

/** Databases and their tables: names exist once, an update needs the table's version, a first version is '0'. */
function openState(databases: readonly string[]) {
  const known = new Map<string, Map<string, Table>>(databases.map((name) => [name, new Map()]));
  const tablesOf = (database: string | undefined): Map<string, Table> => {
    const tables = known.get(database ?? '');
    if (tables === undefined) throw glueError('EntityNotFoundException');
    return tables;
  };
  const tableOf = (database: string | undefined, name: string | undefined): Table => {
    const table = tablesOf(database).get(name ?? '');
    if (table === undefined) throw glueError('EntityNotFoundException');
    return table;
  };
  const put = (database: string | undefined, input: TableInput | undefined, version: number): void => {
    const { Name } = input ?? {};
    if (database === undefined || Name === undefined) throw glueError('InvalidInputException');
    tablesOf(database).set(Name, { ...input, Name, DatabaseName: database, VersionId: String(version) });
  };
  return { known, tablesOf, tableOf, put };
}

type Request = {
  readonly Name?: string;
  readonly DatabaseName?: string;
  readonly TableInput?: TableInput;
  readonly VersionId?: string;
  readonly NextToken?: string;
};

/** The effect and the answer of every operation, without trouble. Pages hold two entries. */
function effectsOn({ known, tablesOf, tableOf, put }: ReturnType<typeof openState>): {
  readonly [operation in Operation]: (input: Request) => object;
} {
  return {
    GetDatabase: ({ Name }) => {
      tablesOf(Name);
      return { Database: { Name } };
    },
    GetTable: ({ DatabaseName, Name }) => ({ Table: tableOf(DatabaseName, Name) }),
    CreateTable: ({ DatabaseName, TableInput }) => {
      if (tablesOf(DatabaseName).has(TableInput?.Name ?? '')) throw glueError('AlreadyExistsException');
      put(DatabaseName, TableInput, 0);
      return {};
    },
    UpdateTable: (input) => {
      const { VersionId } = tableOf(input.DatabaseName, input.TableInput?.Name);
      if (input.VersionId !== VersionId) throw glueError('ConcurrentModificationException');
      put(input.DatabaseName, input.TableInput, Number(VersionId) + 1);
      return {};
    },
    DeleteTable: ({ DatabaseName, Name }) => {
      tablesOf(DatabaseName).delete(tableOf(DatabaseName, Name).Name ?? '');
      return {};
    },
    GetDatabases: ({ NextToken }) => {
      const { page, next } = pageOf([...known.keys()], NextToken);
      return { DatabaseList: page.map((Name) => ({ Name })), ...next };
    },
    GetTables: ({ DatabaseName, NextToken }) => {
      const { page, next } = pageOf([...tablesOf(DatabaseName).values()], NextToken);
      return { TableList: page, ...next };
    },
  };
}

function pageOf<T>(all: readonly T[], token: string | undefined): { readonly page: T[]; readonly next: object } {
  const start = Number(token ?? 0);
  const next = start + 2 < all.length ? { NextToken: String(start + 2) } : {};
  return { page: all.slice(start, start + 2), next };
}

/** Glue's part of an SDK client, in memory, with trouble when it is asked for. `requests` has every input sent. */
export function openFakeGlue(databases: readonly string[]) {
  const client = new GlueClient({ region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 's' } });
  const state = openState(databases);
  const effects = effectsOn(state);
  const requests: { readonly operation: Operation; readonly input: object }[] = [];
  const troubles: GlueTrouble[] = [];
  const calls = new Map<Operation, number>();

  const answer = (operation: Operation) => async (input: Request) => {
    requests.push({ operation, input });
    const call = (calls.get(operation) ?? 0) + 1;
    calls.set(operation, call);
    const due = troubles.find((t) => t.operation === operation && call >= t.from && call <= (t.to ?? t.from));
    if (due?.when === 'after') effects[operation](input);
    due?.meanwhile?.();
    if (due !== undefined) throw due.error;
    return effects[operation](input);
  };
  const mock = mockClient(client);
  mock.on(GetDatabaseCommand).callsFake(answer('GetDatabase'));
  mock.on(GetTableCommand).callsFake(answer('GetTable'));
  mock.on(CreateTableCommand).callsFake(answer('CreateTable'));
  mock.on(UpdateTableCommand).callsFake(answer('UpdateTable'));
  mock.on(DeleteTableCommand).callsFake(answer('DeleteTable'));
  mock.on(GetDatabasesCommand).callsFake(answer('GetDatabases'));
  mock.on(GetTablesCommand).callsFake(answer('GetTables'));

  return {
    client,
    requests,
    /** Adds trouble to the calls from now on, which count from 1. */
    trouble(...more: readonly GlueTrouble[]): void {
      calls.clear();
      troubles.push(...more);
    },
    table: (database: string, name: string): Table | undefined => state.known.get(database)?.get(name),
    /** What another writer does: replaces parts of a table, which gives it a new version. */
    touch(database: string, name: string, change: Partial<TableInput>): void {
      const table = state.tableOf(database, name);
      state.put(database, { ...table, ...change, Name: name }, Number(table.VersionId) + 1);
    },
    /** What another writer does: makes a table of that name, or forgets it. */
    place: (database: string, input: TableInput): void => state.put(database, input, 0),
    forget: (database: string, name: string): boolean => state.tablesOf(database).delete(name),
  };
}

export type FakeGlue = ReturnType<typeof openFakeGlue>;

/** Time that passes only while somebody waits; `pauses` has how long, in milliseconds. */
export function openFakeTime() {
  const pauses: number[] = [];
  let now = 0;
  return {
    pauses,
    clock: { now: () => new Date(now) },
    wait: async (ms: number): Promise<void> => {
      pauses.push(ms);
      now += ms;
    },
    random: () => 0.999_999,
  };
}
