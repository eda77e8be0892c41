import { sqlFault } from '../compile/engine-errors.ts';
import { foreignIn } from '../compile/functions.ts';
import { type NamedTable, tablesIn } from '../compile/references.ts';
import { EngineError, InvalidInput, type Problem } from '../core/errors.ts';
import type { Sql } from '../core/sql-text.ts';
import { databaseOf, type TableId } from '../core/tables.ts';
import { holdResources } from '../lake/resources.ts';
import type { Borrowed, JsonValue, Row, Session } from '../ports.ts';
import { lockDown } from '../sql/lock-down.ts';
import {
  countResult,
  freeRowNumbers,
  fromQuery,
  keepResult,
  pageOfResult,
  selectFirst,
  selectResult,
} from '../sql/query.ts';
import { createSchemas } from '../sql/scan.ts';
import { nodeAt, offsetOf, placeOfOffset, statementsOf, textAt } from '../sql/tree.ts';
import { userSql } from '../sql/user-sql.ts';
import type { QueryDeps } from './deps.ts';
import { expectedTable, type FoundTable, findTable, tableNames } from './find-table.ts';
import { readFinishTimes } from './finish-times.ts';
import { maskPersonal } from './mask.ts';
import { parseMoment } from './moment.ts';
import { needsOf, openQueried, queriedTable } from './read-files.ts';
import { openWithWaiting } from './waiting-facts.ts';

export type QueryResult = {
  /** Names are distinct: a second column `a` is called `a_1`. Types are DuckDB's. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: number;
  /** Columns of tables that were masked before the SQL saw them, by full name; a result need not have them. */
  readonly masked: readonly string[];
  /** The rows in order, a page at a time. */
  pages(): AsyncIterable<readonly Row[]>;
};

const PAGE_ROWS = 20_000;
const SQL = 'a SELECT over tables by full name, such as SELECT * FROM online_retail_gold.monthly_revenue';

/**
 * Runs one read-only query over the lake's tables as they are now, or as of a run, a snapshot or a time (see
 * parseMoment), and hands its result to `use`, after which it is gone. Results are kept by DuckDB, which may spill
 * them, so their size does not matter. Throws InvalidInput with every problem of the SQL; EngineError when it fails on
 * the data.
 */
export async function withQuery<T>(
  deps: QueryDeps,
  query: { readonly sql: string; readonly asOf?: string },
  use: (result: QueryResult) => Promise<T>,
): Promise<T> {
  // Open until its tables are in it, and closed to everything but their files from then on.
  await using session = await deps.engine.open({ ...deps.settings, folders: undefined });
  const tree = await parseQuery(session, query.sql);
  const tables = await findTables(deps, query.sql, tree);
  const moment =
    query.asOf === undefined
      ? undefined
      : await parseMoment(deps.catalog, query.asOf, tables, (pipeline) => readFinishTimes(deps, session, pipeline));
  for (const statement of createSchemas([...new Set(tables.map((table) => databaseOf(table.id)))])) {
    await session.run(statement);
  }
  await using borrowed = holdResources();
  const views: Borrowed[] = [];
  const queried = tables.map((table) => queriedTable(table, moment));
  const needs = await needsOf(deps, queryText(query.sql, tree), queried);
  for (const [at, table] of queried.entries()) {
    const found = moment === undefined ? tables[at] : undefined;
    const book = found && (await openWithWaiting(deps, session, found, table.name));
    const opened = book ?? [await openQueried(deps, session, table, needs)];
    views.push(...opened.map((one) => borrowed.add(one)));
  }
  const masked = await maskPersonal(deps, session, queried);
  for (const statement of lockDown(foldersOf(views))) await session.run(statement);
  return await use({ ...(await execute(session, query.sql, tree)), masked });
}

/** The tree of one SELECT. Throws InvalidInput for anything else, and for what a query may not name. */
export async function parseQuery(session: Session, sql: string): Promise<JsonValue> {
  const tree = await parseSelect(session, sql);
  refuseForeign(sql, tree);
  return tree;
}

async function parseSelect(session: Session, sql: string): Promise<JsonValue> {
  let tree: JsonValue;
  try {
    tree = await session.parse(sql);
  } catch (error) {
    const fault = sqlFault(error, 'parse', SQL);
    throw fault.got.startsWith('Only SELECT')
      ? refused('a statement that is no SELECT', 'one SELECT: queries only read; a pipeline writes tables')
      : invalidSql([{ file: 'query', place: fault.place ?? 'line 1', got: fault.got, expected: fault.expected }]);
  }
  const count = statementsOf(tree).length;
  if (count === 1) return tree;
  throw refused(count === 0 ? 'no statement' : `${count} statements`, 'one SELECT');
}

/** What a model may not name, a query may not either. */
function refuseForeign(sql: string, tree: JsonValue): void {
  const expected = 'tables of the lake, by full name; strata tables lists them';
  const problems = foreignIn(tree).map(({ node, called }) => ({
    file: 'query',
    place: placeOfOffset(sql, offsetOf(node)),
    got: called,
    expected,
  }));
  if (problems.length > 0) throw invalidSql(problems);
}

/** For each table the folder that all of its files are below: to allow every file takes time with their square. */
export function foldersOf(borrowed: readonly Borrowed[]): readonly string[] {
  return borrowed.flatMap(({ paths }) => {
    const folders = [...paths.values()].map((path) => path.split('/').slice(0, -1));
    const [first = [], ...others] = folders;
    const differs = (part: string, at: number): boolean => others.some((parts) => parts[at] !== part);
    const length = first.findIndex(differs);
    return folders.length === 0 ? [] : [first.slice(0, length < 0 ? first.length : length).join('/')];
  });
}

function refused(got: string, expected: string): InvalidInput {
  return invalidSql([{ file: 'query', place: 'line 1', got, expected }]);
}

function invalidSql(problems: readonly Problem[]): InvalidInput {
  return new InvalidInput('the query cannot run:', problems);
}

/** The tables that the SQL names, each once. Throws InvalidInput with every one that is not there. */
async function findTables(deps: QueryDeps, sql: string, tree: JsonValue): Promise<readonly FoundTable[]> {
  const found = new Map<string, FoundTable>();
  const problems: Problem[] = [];
  for (const named of tablesIn(tree)) {
    const name = nameInSql(named);
    if (found.has(name.toLowerCase())) continue;
    try {
      found.set(name.toLowerCase(), await findTable(deps.catalog, name));
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      const expected = expectedTable(name, await tableNames(deps.catalog));
      problems.push({ file: 'query', place: placeOfOffset(sql, named.offset), got: `unknown table ${name}`, expected });
    }
  }
  if (problems.length > 0) throw invalidSql(problems);
  return [...found.values()];
}

function nameInSql({ catalog, schema, table }: NamedTable): string {
  return [catalog, schema, table].filter((part) => part !== '').join('.');
}

async function execute(session: Session, sql: string, tree: JsonValue): Promise<Omit<QueryResult, 'masked'>> {
  const text = queryText(sql, tree);
  await describeFirst(session, text);
  await keep(session, text);
  const columns = await session.describe(selectResult());
  const names = columns.map((column) => column.name);
  for (const statement of freeRowNumbers(names)) await session.run(statement);
  const rows = Number((await session.rows(countResult()))[0]?.['rows']);
  return {
    columns,
    rows,
    async *pages() {
      for (let from = 0; from < rows; from += PAGE_ROWS)
        yield session.rows(pageOfResult(names, from, from + PAGE_ROWS));
    },
  };
}

/** DESCRIBE and SUMMARIZE of a table are queries too. SHOW would list the session, which no one asks for. */
function queryText(sql: string, tree: JsonValue): Sql {
  const from = nodeAt(statementsOf(tree)[0] ?? {}, 'from_table') ?? {};
  if (textAt(from, 'type') !== 'SHOW_REF') return userSql(sql);
  if (nodeAt(from, 'query') === undefined) throw refused('SHOW', 'one SELECT; strata tables lists the tables');
  return fromQuery(userSql(sql.trim().replace(/;$/, '')));
}

async function keep(session: Session, text: Sql): Promise<void> {
  try {
    await session.run(keepResult(text));
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    // The rest shows the SQL around the user's.
    throw new EngineError(cause.message.split('\n\nLINE ')[0] ?? cause.message, { cause });
  }
}

/** DuckDB finds here what is wrong with the SQL itself; what fails later fails on the data. */
export async function describeFirst(session: Session, text: Sql): Promise<void> {
  try {
    await session.describe({ name: 'query', text });
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const fault = sqlFault(error, 'query', SQL, text);
    throw invalidSql([{ file: 'query', place: fault.place ?? 'line 1', got: fault.got, expected: fault.expected }]);
  }
}

/** All rows of a small query, for callers that need them at once. */
export function queryRows(deps: QueryDeps, sql: string): Promise<readonly Row[]> {
  return withQuery(deps, { sql }, async (result) => {
    const rows: Row[] = [];
    for await (const page of result.pages()) rows.push(...page);
    return rows;
  });
}

/** The first rows of a table, as its files have them. */
export function firstRows(deps: QueryDeps, id: TableId, rows: number): Promise<readonly Row[]> {
  return queryRows(deps, selectFirst(databaseOf(id), id.name, rows));
}
