import { z } from 'zod';
import type { Progress } from '../../../core/sql-engine.ts';
import type { Sql } from '../../../core/sql-text.ts';
import type { ObjectStore } from '../../../ports.ts';

/** By which Spark knows tables of ours. */
export const SPARK_CATALOG = 'strata';

/** What every session of ours has: times are in UTC, and what does not fit is an error, not NULL. */
export const SPARK_SETTINGS: Readonly<Record<string, string>> = {
  'spark.sql.session.timeZone': 'UTC',
  'spark.sql.ansi.enabled': 'true',
  'spark.sql.storeAssignmentPolicy': 'ANSI',
  [`spark.sql.catalog.${SPARK_CATALOG}`]: 'org.apache.iceberg.spark.SparkCatalog',
  [`spark.sql.catalog.${SPARK_CATALOG}.cache-enabled`]: 'false',
};

/** As arguments of spark-submit. */
export function submitWords(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `--conf ${name}=${value}`)
    .join(' ');
}

/** Puts a statement where spark/statement.py finds it; one that is there is the same. */
export async function placeStatement(store: ObjectStore, key: string, sql: Sql): Promise<void> {
  await store.write(key, new TextEncoder().encode(JSON.stringify({ sql })), { kind: 'absent' });
}

const ended = z.object({ errors: z.array(z.object({ type: z.string(), message: z.string() })) });
export type SparkEnded = z.infer<typeof ended>;

/** What a session has said of a statement; undefined: nothing yet, or not all, where another program writes a file while it is read. */
export async function readEnded(store: ObjectStore, key: string): Promise<SparkEnded | undefined> {
  const found = `${key}.ended`;
  if ((await store.head(found)) === undefined) return undefined;
  return ended.safeParse(parseIfJson(new TextDecoder().decode((await store.read(found)).bytes))).data;
}

function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Of Spark itself those that name a class of its errors, which it does for texts and values; of what lies below it, those of rights
 * and of tables. Source: spark.apache.org/docs/3.5.0/sql-error-conditions.html
 */
const FOR_A_PERSON =
  /^\[(?!INTERNAL_ERROR|TASK_WRITE_FAILED|STREAM_FAILED)[A-Z][A-Z0-9_.]+\]|AccessDenied|Access Denied|not authorized|AccessControlException|ClassNotFoundException|^column \S+: got .+; expected /;
const REFUSING = /\.(?:ParseException|AnalysisException|NoSuchTableException|ValidationException|ForbiddenException)$/;

/** Whether what went wrong would go wrong again, and its first sentence that says why. */
export function progressOf({ errors }: SparkEnded): Progress {
  const last = errors.at(-1);
  if (last === undefined) return { kind: 'done' };
  const refusing = errors.find(({ type, message }) => REFUSING.test(type) || FOR_A_PERSON.test(message.trim()));
  const { type, message } = refusing ?? last;
  const [first = ''] = message.trim().split('\n');
  return { kind: refusing === undefined ? 'failed' : 'refused', reason: first === '' ? type : first };
}
