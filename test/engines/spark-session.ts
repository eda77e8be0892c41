import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ICEBERG_RELEASES, PEERS, pythonWith, sparkJar } from '../interop/environments.ts';

const [RELEASE] = ICEBERG_RELEASES;
const REQUIREMENTS = join(import.meta.dirname, '..', 'interop', 'requirements-spark.txt');

/** What keeps Spark from being started without fetching anything; undefined where all is there. */
export function missingForSpark(): string | undefined {
  const needed = [join(PEERS, 'spark', 'requirements.sha256'), join(PEERS, 'jars', jarName())];
  const absent = needed.find((file) => !existsSync(file));
  return absent === undefined ? undefined : `no ${absent}`;
}

function jarName(): string {
  return `iceberg-spark-runtime-3.5_2.12-${RELEASE}.jar`;
}

/** Spark with Iceberg as STRATA_SPARK names it: small, and compiled quickly rather than well. */
export async function sparkHere(): Promise<string> {
  const python = await pythonWith('spark', REQUIREMENTS);
  const options = '--driver-memory 700m --driver-java-options -XX:TieredStopAtLevel=1';
  return `${python} --master local[2] ${options} --jars ${await sparkJar(RELEASE)} --conf spark.sql.shuffle.partitions=2`;
}
