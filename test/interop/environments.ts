import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where peers are installed, once; git ignores it. */
export const PEERS = join(import.meta.dirname, '..', '..', '.peers');

/**
 * The interpreter of the Python environment `name`, which holds exactly the packages of the requirements file at
 * `requirements`: every one pinned, those that others need included. Installs it when the file changed.
 */
export async function pythonWith(name: string, requirements: string): Promise<string> {
  const folder = join(PEERS, name);
  const interpreter = join(folder, 'bin', 'python');
  const wanted = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  const stamp = join(folder, 'requirements.sha256');
  const installed = await readFile(stamp, 'utf8').catch(() => undefined);
  if (installed === wanted) return interpreter;
  console.log(`installing ${requirements} into ${folder}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(PEERS, { recursive: true });
  await command('python3', ['-m', 'venv', folder]);
  await command(interpreter, ['-m', 'pip', 'install', '--quiet', '--no-deps', '--requirement', requirements]);
  await writeFile(stamp, wanted);
  return interpreter;
}

/** Releases of Java Iceberg: one that many clusters run, and the latest for this Spark. */
export const ICEBERG_RELEASES = ['1.9.2', '1.12.0'] as const;

const MAVEN_CENTRAL = 'https://repo1.maven.org/maven2';
const SPARK_RUNTIME = 'iceberg-spark-runtime-3.5_2.12';

/** Java Iceberg for Spark, from Maven Central. */
export async function sparkJar(release: string): Promise<string> {
  const folder = join(PEERS, 'jars');
  const name = `${SPARK_RUNTIME}-${release}.jar`;
  const jar = join(folder, name);
  const present = await access(jar).then(
    () => true,
    () => false,
  );
  if (present) return jar;
  const address = `${MAVEN_CENTRAL}/org/apache/iceberg/${SPARK_RUNTIME}/${release}/${name}`;
  console.log(`fetching ${address}`);
  const content = Buffer.from(await (await fetched(address)).arrayBuffer());
  const wanted = (await (await fetched(`${address}.sha1`)).text()).trim();
  const got = createHash('sha1').update(content).digest('hex');
  if (got !== wanted) throw new Error(`${address}: its SHA-1 is ${got}; expected ${wanted}`);
  await mkdir(folder, { recursive: true });
  await writeFile(`${jar}.part`, content);
  await rename(`${jar}.part`, jar);
  return jar;
}

async function fetched(address: string): Promise<Response> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  return response;
}

/** Ends with the command; throws unless it ends well. */
async function command(file: string, args: readonly string[]): Promise<void> {
  const code = await exitCode(file, args);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}`);
}

/** Runs a program with this one's output. */
export function exitCode(file: string, args: readonly string[]): Promise<number> {
  return new Promise((ended, failed) => {
    const child = spawn(file, args, { stdio: 'inherit' });
    child.on('error', (cause) => failed(new Error(`${file} cannot be run; the interop checks need it`, { cause })));
    child.on('close', (code) => ended(code ?? 1));
  });
}
