import { spawn } from 'node:child_process';
import { Writable } from 'node:stream';
import { main } from '../../lib/cli/main.ts';

const BIN = new URL('../../bin/strata.ts', import.meta.url).pathname;

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs the command line as a process of its own, far from any terminal, and waits for its end. */
export function strata(args: readonly string[], cwd: string): Promise<Ended> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (part: string) => {
      text[stream] += part;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...text }));
  });
}

/** The exit code of a command whose reader goes away after the first bytes. */
export function strataIntoHead(args: readonly string[], cwd: string): Promise<Pick<Ended, 'code' | 'stderr'>> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stdout.once('data', () => child.stdout.destroy());
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    stderr += part;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve({ code, stderr }));
  });
}

/** The same command line inside this process, which is much quicker; paths must be absolute. */
export async function strataHere(args: readonly string[]): Promise<Ended> {
  const stdout = new TextSink();
  const stderr = new TextSink();
  const code = await main(args, { stdout, stderr });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class TextSink extends Writable {
  text = '';
  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
