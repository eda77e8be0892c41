import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { faultCode } from './local-faults.ts';

/** What makes a process number mean one process: the start of the kernel, and the namespace that it is counted in. */
export type ProcessSpace = { readonly host: string; readonly boot: string; readonly namespace: string };

/**
 * A name for this process that no other process ever has: `<host>:<pid>:<start>:<boot>:<namespace>`. Process numbers
 * are used again, so the start time goes along; containers count them each for themselves, and share host names as
 * images do, so the boot id and the PID namespace do too, where the system tells them (Linux).
 */
export function thisProcess(space: ProcessSpace = thisSpace()): string {
  const { host, boot, namespace } = space;
  return [host, process.pid, procStat(process.pid)?.start ?? '', boot, namespace].join(':');
}

/**
 * True when the process of such a name surely ended; false for one that runs, and for one that cannot be seen from
 * here: on another machine, in another container, or under a name of another form.
 */
export function isGone(holder: string, space: ProcessSpace = thisSpace()): boolean {
  const [namespace, boot, start, pid, ...host] = holder.split(':').reverse();
  if (pid === undefined || boot === '' || !/^\d+$/.test(pid)) return false;
  if (boot !== space.boot || namespace !== space.namespace) return false;
  // Where boot and namespace say it all, a machine may have been given another name since.
  if (namespace === '' && host.reverse().join(':') !== space.host) return false;
  if (!isRunning(Number(pid))) return true;
  const now = procStat(Number(pid));
  return now !== undefined && (now.ended || (start !== '' && now.start !== start));
}

/**
 * Without a boot id there is no telling one machine from another, and nothing is known about any process. Systems that
 * have neither (macOS, Windows) have no PID namespaces; their processes are told apart by the host's name.
 */
function thisSpace(): ProcessSpace {
  if (process.platform !== 'linux') return { host: hostname(), boot: process.platform, namespace: '' };
  const boot = textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = textOf(() => /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '');
  return { host: hostname(), boot: namespace === '' ? '' : boot, namespace };
}

function textOf(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
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
