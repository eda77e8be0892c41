import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sample } from './figures.ts';
import { parseUsage } from './usage.ts';

const RECORD_USAGE = new URL('record-usage.ts', import.meta.url).href;

/**
 * Runs a Node script to its end and measures the whole process, from before it starts until it is gone. What it prints
 * on stdout is returned. Throws Error with its stderr when it fails. `work` is an existing folder.
 */
export async function measureNode(
  script: string,
  args: readonly string[],
  work: string,
): Promise<Sample & { readonly stdout: string }> {
  const usageFile = join(work, `usage-${process.pid}.json`);
  const env = { ...process.env, STRATA_BENCH_USAGE: usageFile };
  const started = performance.now();
  const stdout = await capture(process.execPath, ['--import', RECORD_USAGE, script, ...args], env);
  const ms = performance.now() - started;
  const usage = parseUsage(await readFile(usageFile, 'utf8'));
  await rm(usageFile);
  return { ms, ...usage, stdout };
}

/** Stdout of a command that ends well. Throws Error with its stderr otherwise. */
export async function capture(command: string, args: readonly string[], env = process.env): Promise<string> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, code] = await Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve)),
  ]);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stderr}${stdout}`);
  return stdout;
}

async function collect(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
