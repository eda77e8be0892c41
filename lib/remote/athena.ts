import { setTimeout as sleep } from 'node:timers/promises';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type GetQueryResultsOutput,
  InvalidRequestException,
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { awsFailure } from '../adapters/aws/errors.ts';
import { deploymentNames, NO_PREFIX } from '../core/deployment-names.ts';
import { EngineError, InvalidInput, StrataError, Unavailable } from '../core/errors.ts';
import type { Sql } from '../core/sql-text.ts';
import { costOfQuery } from '../plan/prices.ts';
import type { Row } from '../ports.ts';
import { type AthenaMask, type AthenaTable, baseOf, maskedQuery, tablesIn } from '../sql/athena/masked.ts';
import { requireReading, withDatabasePrefix } from '../sql/athena.ts';
import { type AthenaColumn, columnsOfResult, parseValue } from './athena-values.ts';
import { readOutputs } from './stack.ts';

export type AthenaRequest = {
  readonly sql: string;
  /** The lake's own, by its stack, when it is left out. */
  readonly workgroup?: string;
  /** The name of the deployment; without it, the one that has none. */
  readonly deployment?: string;
  /** Aborted: the query is stopped. */
  readonly signal?: AbortSignal;
};

export type AthenaDeps = {
  readonly athena: AthenaClient;
  readonly cloudFormation: CloudFormationClient;
  /** The columns of a table, and which of them are masked; undefined: there is no such table. Left out: what is personal is shown. */
  readonly masksOf?: (table: AthenaTable) => Promise<AthenaMask | undefined>;
  /** Resolves after so many milliseconds, or as soon as the signal is aborted. */
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
};

/** What a query has used. `usd` is by the price table, also for a query that was stopped. */
export type AthenaUse = {
  readonly query_execution_id: string;
  readonly workgroup: string;
  readonly bytes_scanned: number;
  readonly cost_usd: number;
};

export type AthenaAnswer =
  | { readonly kind: 'stopped'; readonly use: AthenaUse }
  | {
      readonly kind: 'rows';
      readonly use: AthenaUse;
      readonly columns: readonly AthenaColumn[];
      /** Columns that were masked, by full name. */
      readonly masked: readonly string[];
      /** All rows in order, a page at a time; may be called once. */
      pages(): AsyncIterable<readonly Row[]>;
    };

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5_000;
const PAGE_ROWS = 1_000;

/** Clients by the SDK's own environment: AWS_PROFILE, AWS_REGION, credentials. */
export function athenaDeps(): AthenaDeps {
  return {
    athena: new AthenaClient({}),
    cloudFormation: new CloudFormationClient({}),
    wait: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
  };
}

/**
 * Runs one read-only statement on Athena and waits for its end. Throws InvalidInput for SQL that Athena refuses, for
 * rights that are missing and for a lake that is not deployed; Unavailable and EngineError when Athena fails.
 * Source: docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
 */
export async function queryAthena(deps: AthenaDeps, request: AthenaRequest): Promise<AthenaAnswer> {
  requireReading(request.sql);
  const { workgroup, prefix } = await placeOf(deps, request);
  const { sql, masked } = await withMasks(deps, withDatabasePrefix(request.sql, prefix));
  const id = await start(deps, sql, workgroup);
  const ended = await waitForEnd(deps, id, workgroup, request.signal);
  const use = useOf(ended, id, workgroup);
  if (request.signal?.aborted === true && ended.Status?.State !== 'SUCCEEDED') return { kind: 'stopped', use };
  if (ended.Status?.State !== 'SUCCEEDED') throw failureOf(ended, id, prefix);
  const first = withoutHeader(await readPage(deps, id), ended);
  const columns = columnsOfResult(first.ResultSet?.ResultSetMetadata?.ColumnInfo ?? []);
  return { kind: 'rows', use, columns, masked, pages: () => pagesOf(deps, id, first, columns) };
}

/** With a workgroup and no deployment named nothing needs to be asked: databases have no prefix then. */
async function placeOf(
  { cloudFormation }: AthenaDeps,
  { workgroup, deployment }: AthenaRequest,
): Promise<{ readonly workgroup: string; readonly prefix: string }> {
  if (workgroup !== undefined && deployment === undefined) return { workgroup, prefix: '' };
  const { lakeStack } = deploymentNames(deployment, '--stage');
  const { Workgroup, DatabasePrefix } = await readOutputs(cloudFormation, lakeStack, ['Workgroup', 'DatabasePrefix']);
  return { workgroup: workgroup ?? Workgroup, prefix: DatabasePrefix === NO_PREFIX ? '' : DatabasePrefix };
}

/** The SQL in which what is personal is masked, and what that is. */
async function withMasks(
  { masksOf }: AthenaDeps,
  given: Sql,
): Promise<{ readonly sql: Sql; readonly masked: readonly string[] }> {
  if (masksOf === undefined) return { sql: given, masked: [] };
  const masks = new Map<string, AthenaMask>();
  for (const { database, table } of tablesIn(given)) {
    const name = `${database}.${baseOf(table)}`;
    const mask = masks.get(name) ?? (await masksOf({ database, table: baseOf(table) }));
    if (mask !== undefined && mask.masked.length > 0) masks.set(name, mask);
  }
  return {
    sql: maskedQuery(given, [...masks.values()]),
    masked: [...masks].flatMap(([name, { masked }]) => masked.map((column) => `${name}.${column.name}`)),
  };
}

async function start({ athena }: AthenaDeps, sql: Sql, workgroup: string): Promise<string> {
  const command = new StartQueryExecutionCommand({ QueryString: sql, WorkGroup: workgroup });
  const { QueryExecutionId } = await asked('athena:StartQueryExecution', `workgroup ${workgroup}`, async () => {
    try {
      return await athena.send(command);
    } catch (cause) {
      if (!(cause instanceof InvalidRequestException)) throw cause;
      throw new InvalidInput(`the query cannot run in workgroup ${workgroup}: ${cause.message}`, [], { cause });
    }
  });
  if (QueryExecutionId === undefined) throw new Unavailable('athena:StartQueryExecution answered without a query id');
  return QueryExecutionId;
}

const ENDED: readonly (string | undefined)[] = ['SUCCEEDED', 'FAILED', 'CANCELLED'];
/** Looks at a query that was stopped before it counts as gone. */
const LOOKS_AFTER_STOP = 5;

async function waitForEnd(
  deps: AthenaDeps,
  id: string,
  workgroup: string,
  signal: AbortSignal | undefined,
): Promise<QueryExecution> {
  let pause = FIRST_WAIT_MS;
  let looks = 0;
  for (;;) {
    if (signal?.aborted === true && looks === 0) await stop(deps, id, workgroup);
    if (signal?.aborted === true) looks += 1;
    const { QueryExecution = {} } = await asked('athena:GetQueryExecution', `query ${id}`, () =>
      deps.athena.send(new GetQueryExecutionCommand({ QueryExecutionId: id })),
    );
    if (ENDED.includes(QueryExecution.Status?.State) || looks > LOOKS_AFTER_STOP) return QueryExecution;
    await deps.wait(pause, looks === 0 ? signal : undefined);
    pause = Math.min(LONGEST_WAIT_MS, pause * 1.5);
  }
}

async function stop({ athena }: AthenaDeps, id: string, workgroup: string): Promise<void> {
  await asked('athena:StopQueryExecution', `query ${id} in workgroup ${workgroup}`, () =>
    athena.send(new StopQueryExecutionCommand({ QueryExecutionId: id })),
  );
}

function useOf({ Statistics }: QueryExecution, id: string, workgroup: string): AthenaUse {
  const bytes = Statistics?.DataScannedInBytes ?? 0;
  const reused = Statistics?.ResultReuseInformation?.ReusedPreviousResult === true;
  return {
    query_execution_id: id,
    workgroup,
    bytes_scanned: bytes,
    cost_usd: reused ? 0 : Number(costOfQuery(bytes).toFixed(9)),
  };
}

/** Athena's own reason, by whose fault it is. Source: docs.aws.amazon.com/athena/latest/APIReference/API_AthenaError.html */
function failureOf({ Status }: QueryExecution, id: string, prefix: string): StrataError {
  const reason = Status?.StateChangeReason ?? Status?.AthenaError?.ErrorMessage ?? 'no reason given';
  if (Status?.State === 'CANCELLED') return new InvalidInput(`query ${id} was cancelled on Athena: ${reason}`);
  const { ErrorCategory, Retryable } = Status?.AthenaError ?? {};
  const missing = /(TABLE|SCHEMA|DATABASE)_NOT_FOUND|does not exist/.test(reason);
  const advice = missing ? `; expected tables by full name, such as ${prefix}retail_gold.monthly_revenue` : '';
  if (ErrorCategory === 2 || missing) return new InvalidInput(`the query cannot run: ${reason}${advice}`);
  return Retryable === true
    ? new Unavailable(`query ${id} failed on Athena, and may do better if it is repeated: ${reason}`)
    : new EngineError(`query ${id} failed on Athena: ${reason}`);
}

function readPage({ athena }: AthenaDeps, id: string, token?: string): Promise<GetQueryResultsOutput> {
  const command = new GetQueryResultsCommand({
    QueryExecutionId: id,
    MaxResults: PAGE_ROWS,
    ...(token === undefined ? {} : { NextToken: token }),
  });
  return asked('athena:GetQueryResults', `query ${id}, whose result lies in S3`, () => athena.send(command));
}

async function* pagesOf(
  deps: AthenaDeps,
  id: string,
  first: GetQueryResultsOutput,
  columns: readonly AthenaColumn[],
): AsyncIterable<readonly Row[]> {
  let page = first;
  for (;;) {
    yield (page.ResultSet?.Rows ?? []).map(({ Data = [] }) =>
      Object.fromEntries(columns.map((column, at) => [column.name, parseValue(Data[at]?.VarCharValue, column)])),
    );
    if (page.NextToken === undefined) return;
    page = await readPage(deps, id, page.NextToken);
  }
}

/** The first row of a SELECT's result names its columns; SHOW and DESCRIBE have no such row. */
function withoutHeader(page: GetQueryResultsOutput, { StatementType }: QueryExecution): GetQueryResultsOutput {
  const { Rows = [], ResultSetMetadata } = page.ResultSet ?? {};
  const names = ResultSetMetadata?.ColumnInfo?.map((info) => info.Name) ?? [];
  const isHeader = names.every((name, at) => name === Rows[0]?.Data?.[at]?.VarCharValue);
  if (StatementType === 'DDL' || StatementType === 'UTILITY' || !isHeader) return page;
  return { ...page, ResultSet: { ...page.ResultSet, Rows: Rows.slice(1) } };
}

async function asked<T>(action: string, resource: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw cause instanceof StrataError ? cause : awsFailure({ action, resource }, cause);
  }
}
