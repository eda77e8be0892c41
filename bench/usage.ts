import type { Sample } from './figures.ts';

/** What a measured process says about itself when it ends. */
export type Usage = { readonly [part in 'cpuMs' | 'peakBytes']: NonNullable<Sample[part]> };

/** Throws Error for text that is not a Usage in JSON. */
export function parseUsage(text: string): Usage {
  const { cpuMs, peakBytes } = JSON.parse(text) as Partial<Record<keyof Usage, unknown>>;
  if (typeof cpuMs === 'number' && typeof peakBytes === 'number') return { cpuMs, peakBytes };
  throw new Error(`got ${text} for the usage of a process; expected numbers cpuMs and peakBytes`);
}

/**
 * The largest resident memory in bytes out of Linux's /proc/<pid>/status; undefined for any other text.
 * Source: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html (VmHWM)
 */
export function peakBytesOf(status: string): number | undefined {
  const found = /^VmHWM:\s*(\d+) kB$/m.exec(status);
  return found === null ? undefined : Number(found[1]) * 1024;
}
