import { copyFile, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session } from '../../lib/ports.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import type { Sample } from '../figures.ts';
import type { FingerprintSpec } from '../fingerprint.ts';
import { BENCH_PIPELINES, WORK } from '../folders.ts';
import { measureRun } from '../lake-side.ts';

/** The history that the pipeline `people` keeps of its events, all settings by default. */
export const PEOPLE: FingerprintSpec = {
  table: 'silver.history',
  key: ['id', 'valid_from'],
  measures: ['id', 'salary'],
};

export type Events = {
  /** That the whole history has. */
  readonly keys: number;
  readonly name: string;
  /** Of a later day each is another version. */
  readonly day: number;
  /** Which keys they are about, as a condition on `i`. */
  readonly where: string;
};

/** A file with one event for each key that it is about; made once. */
export async function makeEvents(session: Session, { keys, name, day, where }: Events): Promise<string> {
  const folder = join(WORK, 'data', `history-${keys}`);
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.parquet`);
  if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  const select = `SELECT i AS id, DATE '2000-01-01' + ${day} AS since, 'title ' || (hash(i, ${day}) % 50) AS title,
  CAST(20000 + ${day} * 7 + hash(i) % 5 AS INTEGER) AS salary, 'note ' || i AS note FROM range(${keys}) t(i) WHERE ${where}`;
  await session.run({ name: 'events', text: userSql(`COPY (${select}) TO ${quoteText(path)} (FORMAT parquet)`) });
  return path;
}

/** Lands a file and runs the pipeline, in a process of its own. */
export async function runPeople(root: string, step: string, input: string): Promise<Sample> {
  const folder = join(root, 'bronze', 'people', 'events');
  await mkdir(folder, { recursive: true });
  await copyFile(input, join(folder, `${step.replaceAll(/\W/g, '-')}.parquet`));
  return measureRun(root, { pipeline: 'people', pipelines: BENCH_PIPELINES });
}
