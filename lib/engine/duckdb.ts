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
import { NEGATIVE_ZERO } from '../sql/negative-zero.ts';
import { describeQuery } from '../sql/session.ts';
import { serializeSql } from '../sql/syntax.ts';
import { openInstance } from './instance.ts';
import { toJson } from './json-values.ts';
import { keepValuesWhole } from './library-values.ts';
import { createLeases, type Lease, leaseAlone } from './reuse.ts';
import type { SpillMeter } from './spill.ts';
import { runWaiting } from './waiting.ts';
import { parseWrittenFiles } from './written-files.ts';

export type DuckDbOptions = {
  /**
   * A database whose session has ended takes in the next one with the same settings, where these are locked: to open one
   * anew takes longer than most statements of a small run. For processes that end.
   */
  readonly reuse?: boolean;
  /** Told what sessions spill; left out: nobody is. */
  readonly spill?: SpillMeter;
};

/**
 * DuckDB as the engine. Every session is a database in memory of its own, so sessions never see each other's tables;
 * extensions are never installed or loaded, the session time zone is UTC and scans keep the order of their files.
 */
export function createDuckDbEngine({ reuse = false, spill }: DuckDbOptions = {}): Engine {
  keepValuesWhole();
  const lease = reuse ? createLeases() : async (options: SessionOptions) => leaseAlone(await openInstance(options));
  return { open: async (options) => sessionOver(await lease(options), spill, options.threads) };
}

function sessionOver({ connection, end, ...own }: Lease, meter: SpillMeter | undefined, threads: number): Session {
  let [whole, ended] = [true, false];
  const guard = async <T>(statement: Statement, act: () => Promise<T>): Promise<T> => {
    try {
      return await (meter === undefined ? act() : meter.during(own.spill, act));
    } catch (cause) {
      whole = false;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new EngineError(`${statement.name}: ${reason}`, { cause });
    }
  };
  const rows = async (statement: Statement): Promise<readonly Row[]> => {
    const reader = await guard(statement, () => connection.runAndReadAll(statement.text));
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
      // Of one thread, the one that waits is the one that works.
      const waits = statement.serial === true && threads > 1;
      await guard<unknown>(statement, () =>
        waits ? runWaiting(connection, statement.text) : connection.run(statement.text),
      );
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
    interrupt() {
      whole = false;
      connection.interrupt();
    },
    async [Symbol.asyncDispose]() {
      if (ended) return;
      ended = true;
      await end(whole);
      meter?.emptied(own.spill);
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
  const before = [...sql].slice(0, Number(error.position)).join('').split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${message}`;
}
