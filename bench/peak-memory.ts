import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Loaded with `--import` into a measured process: at its end, writes its largest resident memory, in bytes, to the file
 * that STRATA_BENCH_PEAK names.
 */
const file = process.env['STRATA_BENCH_PEAK'];
if (file !== undefined) process.once('exit', () => writeFileSync(file, String(peakBytes())));

/** On Linux resourceUsage() may report the parent's memory, which a process has until it becomes another program. */
function peakBytes(): number {
  try {
    const found = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (found !== null) return Number(found[1]) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
