import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { faultCode } from './local-faults.ts';

/**
 * A name for this process that no other process of the machine ever has: `<host>:<pid>:<start>`. Process numbers are
 * used again, so the start time goes along where the system tells it (Linux).
 */
export function thisProcess(): string {
  return `${hostname()}:${process.pid}:${procStat(process.pid)?.start ?? ''}`;
}

/** True when the process of such a name surely ended; false for one that runs, or that lives on another machine. */
export function isGone(holder: string): boolean {
  const [host, pid, start] = holder.split(':');
  if (host !== hostname()) return false;
  if (!isRunning(Number(pid))) return true;
  const now = procStat(Number(pid));
  return now !== undefined && (now.ended || (start !== '' && now.start !== start));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return faultCode(cause) !== 'ESRCH';
  }
}

/**
 * State and start time from /proc/<pid>/stat, fields 3 and 22, counted after the command's closing parenthesis;
 * undefined outside Linux. A killed process whose parent has not asked for it yet still has a number (state Z).
 */
function procStat(pid: number): { readonly ended: boolean; readonly start: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { ended: fields[0] === 'Z' || fields[0] === 'X', start: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}
