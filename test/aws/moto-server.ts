import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PEERS, pythonWith } from '../interop/environments.ts';

/** Milliseconds until a server that says nothing counts as broken. */
const START_LIMIT = 60_000;
const STOP_LIMIT = 5_000;

/** The interpreter of the environment below .peers that holds moto, PyIceberg and cfn-lint; installed by the first call. */
export function awsPython(): Promise<string> {
  return pythonWith('moto', join(import.meta.dirname, 'requirements.txt'));
}

/** What keeps moto from being started without fetching anything; undefined where it is installed. */
export function missingForMoto(): string | undefined {
  const folder = join(PEERS, 'moto');
  return existsSync(join(folder, 'requirements.sha256')) ? undefined : `no moto in ${folder}`;
}

export type MotoOptions = {
  /** Where Lambda's API is for state machines that moto interprets: those of the access key `interpreter`. Left out: it interprets none. */
  readonly functions?: string;
};

/**
 * Starts a moto server of its own on a free port of this machine: S3, Glue and what else moto imitates, empty, for any
 * credentials. It answers when the promise is kept, and ends with `stop` or with this process, however that ends.
 * Source: https://docs.getmoto.org/en/latest/docs/server_mode.html
 */
export async function startMoto({ functions }: MotoOptions = {}): Promise<{ endpoint: string; stop(): Promise<void> }> {
  const interpreter = await awsPython();
  const script = join(import.meta.dirname, 'moto_server.py');
  const child = spawn(interpreter, ['-u', script, ...(functions === undefined ? [] : [functions])], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000);
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`moto ended with ${code} before it answered:\n${complaints}`)));
    setTimeout(
      () => reject(new Error(`moto said no address in ${START_LIMIT} ms:\n${complaints}`)),
      START_LIMIT,
    ).unref();
  });
  try {
    const endpoint = await Promise.race([firstLine(child), failed]);
    await Promise.race([fetch(`${endpoint}/moto-api/`), failed]);
    return { endpoint, stop: () => stop(child) };
  } catch (cause) {
    child.kill('SIGKILL');
    throw cause;
  } finally {
    failed.catch(() => {});
  }
}

async function firstLine(child: ChildProcess & { stdout: NodeJS.ReadableStream }): Promise<string> {
  for await (const line of createInterface({ input: child.stdout })) return line;
  return new Promise(() => {});
}

/** Closing its input asks the server to end; one that does not is killed. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.stdin?.end();
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT);
  await ended.finally(() => clearTimeout(late));
}
