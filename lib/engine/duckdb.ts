import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBResultReader } from '@duckdb/node-api';
import { EngineError } from '../core/errors.ts';
import type {
  CopyStatement,
  Engine,
  JsonValue,
  Row,
  Session,
  SessionOptions,
  Statement,
  WrittenFile,
} from '../ports.ts';
import { disableOptimizers } from '../sql/guard.ts';
import { lockDown } from '../sql/lock-down.ts';
import { NEGATIVE_ZERO } from '../sql/negative-zero.ts';
import { describeQuery, limitSpill, setUtc } from '../sql/session.ts';
import { serializeSql } from '../sql/syntax.ts';
import { toJson } from './json-values.ts';
import { keepValuesWhole } from './library-values.ts';
import { parseWrittenFiles } from './written-files.ts';

/**
 * DuckDB as the engine. Every session is a database in memory of its own, so sessions never see each other's tables;
 * extensions are never installed or loaded, the session time zone is UTC and scans keep the order of their files.
 */
export function createDuckDbEngine(): Engine {
  keepValuesWhole();
  return { open: openSession };
}

/**
 * DuckDB names the files that it spills by number alone, so two sessions in one folder would read and remove each
 * other's: each has a folder of its own below `scratch`, which is gone when the session is closed.
 */
async function openSession(options: SessionOptions): Promise<Session> {
  const spill = join(options.scratch, `spill-${randomBytes(6).toString('hex')}`);
  // DuckDB makes its folder when it first spills, but none above it; where none can be made, it says so then.
  await mkdir(options.scratch, { recursive: true, mode: 0o700 }).catch(() => {});
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(options.threads),
    memory_limit: `${Math.max(64, Math.floor(options.memoryBytes / 1_000_000))}MB`,
    temp_directory: spill,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    preserve_insertion_order: 'true',
  });
  const end = async (): Promise<void> => {
    instance.closeSync();
    await rm(spill, { recursive: true, force: true });
  };
  try {
    const connection = await instance.connect();
    for (const statement of settingsOf(options)) await connection.run(statement.text);
    return sessionOver(connection, end);
  } catch (cause) {
    await end();
    throw cause;
  }
}

function settingsOf({ spillBytes, folders, guarded }: SessionOptions): readonly Statement[] {
  return [
    setUtc(),
    // Given when the database is made, DuckDB 1.5.5 shows it and spills on beyond it.
    ...(spillBytes === undefined ? [] : [limitSpill(spillBytes)]),
    // As a join, a long IN list returns rows in another order, and rows are told apart by their order.
    disableOptimizers(guarded === true ? ['common_subexpressions'] : []),
    ...(folders === undefined ? [] : lockDown(folders)),
  ];
}

/** `end` closes the database behind the connection, and removes what it spilled. */
function sessionOver(connection: DuckDBConnection, end: () => Promise<void>): Session {
  const rows = async (statement: Statement): Promise<readonly Row[]> => {
    const reader = await read(connection, statement);
    const names = reader.deduplicatedColumnNames();
    if (!names.includes('__proto__')) return reader.convertRowObjects<JsonValue>(toJson) as Row[];
    // An assignment to this name would set the row's prototype.
    const values = reader.convertRows<JsonValue>(toJson);
    return values.map((row): Row => Object.fromEntries(names.map((name, at) => [name, row[at] ?? null])));
  };
  const scalar = async (statement: Statement): Promise<string> => {
    const row = (await rows(statement))[0];
    const value = row === undefined ? undefined : Object.values(row)[0];
    return typeof value === 'string' ? value : JSON.stringify(value ?? null);
  };
  return {
    rows,
    async run(statement) {
      await guard(statement, () => connection.run(statement.text));
    },
    async describe(statement) {
      const described = await rows(describeQuery(statement));
      return described.map((row) => ({ name: String(row['column_name']), type: String(row['column_type']) }));
    },
    async copy(statement): Promise<readonly WrittenFile[]> {
      return parseWrittenFiles(await copyExactly(rows, statement));
    },
    async parse(sql) {
      const tree: unknown = JSON.parse(await scalar(serializeSql(sql)));
      if (isSerializeError(tree)) throw new EngineError(`parse: ${positionText(sql, tree)}`);
      return tree as JsonValue;
    },
    interrupt: () => connection.interrupt(),
    async [Symbol.asyncDispose]() {
      connection.closeSync();
      await end();
    },
  };
}

/** Row by row only our own SQL knows what a dictionary would change; it fails with this text and no other does. */
async function copyExactly(
  rows: (statement: Statement) => Promise<readonly Row[]>,
  { name, text, exact }: CopyStatement,
): Promise<readonly Row[]> {
  try {
    return await rows({ name, text });
  } catch (cause) {
    if (exact === undefined || !(cause instanceof EngineError) || !cause.message.includes(NEGATIVE_ZERO)) throw cause;
    return rows({ name, text: exact });
  }
}

type SerializeError = { readonly error: true; readonly error_message?: string; readonly position?: string };

function isSerializeError(tree: unknown): tree is SerializeError {
  return typeof tree === 'object' && tree !== null && (tree as { error?: unknown }).error === true;
}

/** DuckDB gives a character offset; a person wants line and column. */
function positionText(sql: string, error: SerializeError): string {
  const message = error.error_message ?? 'the statement does not parse';
  if (error.position === undefined) return message;
  const before = sql.slice(0, Number(error.position)).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${message}`;
}

async function read(connection: DuckDBConnection, statement: Statement): Promise<DuckDBResultReader> {
  return guard(statement, () => connection.runAndReadAll(statement.text));
}

async function guard<T>(statement: Statement, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError(`${statement.name}: ${reason}`, { cause });
  }
}
