import { capture } from './child.ts';
import type { Sample } from './figures.ts';

/** What a shell says of those that it has waited for, in its second line: `0m0.053s 0m0.012s`, user and system. */
const TIMES = /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/;

/** Milliseconds of processor time out of what bash's `times` prints. Throws Error for any other text. */
export function processorMs(times: string): number {
  const [, userMinutes, userSeconds, systemMinutes, systemSeconds] =
    TIMES.exec(times.trim().split('\n').at(-1) ?? '') ?? [];
  if (systemSeconds === undefined) throw new Error(`got ${JSON.stringify(times)}; expected what bash's times prints`);
  const minutes = Number(userMinutes) + Number(systemMinutes);
  return 60_000 * minutes + 1000 * (Number(userSeconds) + Number(systemSeconds));
}

/**
 * Runs a command and measures it with all that it starts and waits for. Nothing is loaded into it, which counts where it
 * ends within a tenth of a second. Throws Error with its output where it fails.
 */
export async function measureTree(command: string, args: readonly string[], folder: string): Promise<Sample> {
  const script = 'cd "$1" && shift && out=$("$@" 2>&1) || { code=$?; echo "$out"; exit $code; }; times';
  const started = performance.now();
  const printed = await capture('bash', ['-c', script, 'bash', folder, command, ...args]);
  const ms = performance.now() - started;
  return { ms, cpuMs: processorMs(printed), peakBytes: null };
}
