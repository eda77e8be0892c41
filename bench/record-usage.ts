import { readFileSync, writeFileSync } from 'node:fs';
import { peakBytesOf, type Usage } from './usage.ts';

/** Loaded with `--import` into a measured process: at its end, writes its usage to the file that STRATA_BENCH_USAGE names. */
const file = process.env['STRATA_BENCH_USAGE'];
if (file !== undefined) process.once('exit', () => writeFileSync(file, JSON.stringify(readUsage())));

function readUsage(): Usage {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return { cpuMs: (userCPUTime + systemCPUTime) / 1000, peakBytes: peakBytesOf(readStatus()) ?? maxRSS * 1024 };
}

/** On Linux maxRSS may be the parent's, which a process has until it becomes another program. */
function readStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}
