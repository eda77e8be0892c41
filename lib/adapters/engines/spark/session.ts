import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { InvalidInput } from '../../../core/errors.ts';
import { SPARK_CATALOG, SPARK_SETTINGS, submitWords } from './statement.ts';

/** A Python that has PySpark, what spark-submit is given beside what is ours, and the file of spark/statement.py. */
export type SparkCommand = { readonly python: string; readonly more: string; readonly script: string };

/** A session in a process of its own, which does one statement after the other and lives as long as this process. */
export type SparkSession = {
  /** Waits for a statement's end; answers why the session ended before it did, if it did. */
  do(uri: string): Promise<string | undefined>;
  end(): void;
};

/** The catalog is this process, which is told nothing of scans. */
function settingsOf(catalog: string): Readonly<Record<string, string>> {
  const own = `spark.sql.catalog.${SPARK_CATALOG}`;
  return {
    ...SPARK_SETTINGS,
    [`${own}.type`]: 'rest',
    [`${own}.uri`]: catalog,
    [`${own}.io-impl`]: 'org.apache.iceberg.hadoop.HadoopFileIO',
    [`${own}.rest-metrics-reporting-enabled`]: 'false',
    'spark.ui.enabled': 'false',
    'spark.ui.showConsoleProgress': 'false',
  };
}

/** STRATA_SPARK: `python3 --packages <Iceberg for Spark>`. Throws InvalidInput for another text. */
export function parseSpark(text: string, script: string): SparkCommand {
  const [, python, more = ''] = /^\s*(\S+)\s*(.*?)\s*$/s.exec(text) ?? [];
  if (python !== undefined && !/spark-submit(\.cmd)?$/.test(python)) return { python, more, script };
  throw new InvalidInput(
    `STRATA_SPARK: got ${JSON.stringify(text)}; expected a Python that has PySpark, and then what spark-submit is to be given, such as ` +
      '`python3 --packages org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.9.2`',
  );
}

/** Lines of what a session has said last, for when it ends. */
const SAID = 40;

/** Starts a session and waits until it is there. Throws InvalidInput, with what it said, where it ends before. */
export async function openSession({ python, more, script }: SparkCommand, catalog: string): Promise<SparkSession> {
  const submit = `${more} ${submitWords(settingsOf(catalog))} pyspark-shell`;
  const env = { ...process.env, PYSPARK_SUBMIT_ARGS: submit, PYSPARK_PYTHON: python };
  const child = spawn(python, [script], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const said: string[] = [];
  const asked = new Map<string, (why: string | undefined) => void>();
  const ended = new Promise<string>((end) => {
    child.on('error', (cause) => end(String(cause)));
    child.on('close', (code, signal) => end(`it ended with ${code ?? signal}: ${said.join('\n').slice(-2000)}`));
  });
  const hear = (line: string): void => {
    said.push(line);
    if (said.length > SAID) said.shift();
  };
  createInterface({ input: child.stderr }).on('line', hear);
  // What is written to one that has ended is told by its end.
  child.stdin.on('error', () => {});
  const ready = new Promise<undefined>((there) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'ready') there(undefined);
      asked.get(line)?.(undefined);
      asked.delete(line);
    });
  });
  const failed = await Promise.race([ready, ended]);
  if (failed !== undefined) throw new InvalidInput(`Spark (${python}) does not start: ${failed}${remedyOf(failed)}`);
  leaveAlone(child);
  return {
    do(uri) {
      const done = new Promise<string | undefined>((end) => asked.set(uri, end));
      child.stdin.write(`${uri}\n`);
      return Promise.race([done, ended]);
    },
    end: () => child.kill('SIGKILL'),
  };
}

function remedyOf(said: string): string {
  if (/ENOENT|No module named 'pyspark'/.test(said))
    return '. STRATA_SPARK has to begin with a Python that has PySpark (pip install pyspark==3.5.*)';
  if (/JAVA_HOME|java: not found|Java gateway/.test(said)) return '. Spark needs a Java: set JAVA_HOME';
  return '. See what STRATA_SPARK gives it';
}

/** Nobody waits for it at the end: it goes when its input ends. */
function leaveAlone(child: ChildProcessByStdio<Writable, Readable, Readable>): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket).unref();
}
