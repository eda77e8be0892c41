import { readFileSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { dirname, join } from 'node:path';
import { InvalidInput } from '../core/errors.ts';
import {
  LEAST_AVAILABLE_BYTES,
  leastMemory,
  type Machine,
  planMemory,
  unitsAtOnce,
  type WorkMemory,
} from '../core/machine-memory.ts';

/** Reads a file of the system; undefined where there is none. */
export type ReadSystemFile = (path: string) => string | undefined;

/** What tells one start of this machine from another; '' where the system does not say (outside Linux). */
export function bootId(read: ReadSystemFile = readSystemFile): string {
  return (read('/proc/sys/kernel/random/boot_id') ?? '').trim();
}

/**
 * What this process may still take: what the system can give without swapping, within the limits of the control groups
 * that it is in, those above them included. Outside Linux as Node says.
 * Source: docs.kernel.org/admin-guide/cgroup-v2.html, docs.kernel.org/admin-guide/cgroup-v1/memory.html
 */
export function readMachine(
  read: ReadSystemFile = readSystemFile,
  os: Machine = { availableBytes: freemem(), processors: availableParallelism() },
): Machine {
  const groups = groupsOf(read('/proc/self/cgroup') ?? '');
  const memory = [
    memAvailable(read('/proc/meminfo')) ?? os.availableBytes,
    ...groups.memory.flatMap((folder) => leftOf(read, folder)),
  ];
  const processors = [os.processors, ...groups.cpu.flatMap((folder) => quotaOf(read, folder))];
  return { availableBytes: Math.max(0, Math.min(...memory)), processors: Math.max(1, Math.min(...processors)) };
}

/** What a process on this machine works with. `short`: there is too little memory to begin any run. */
export function workMemory(asked: {
  readonly memoryBytes?: number;
  readonly threads?: number;
  readonly profile?: boolean;
}): WorkMemory & { readonly unitsAtOnce: number; readonly short: boolean } {
  const machine = readMachine();
  const planned = planMemory(machine, asked.memoryBytes);
  // Who only looks may look with little.
  const { threads: most, ...memory } = planned ?? leastMemory();
  const threads = asked.threads ?? most;
  // What is profiled has a database of its own, and all of the memory.
  const atOnce = asked.profile === true ? 1 : unitsAtOnce({ threads });
  return { ...memory, threads, unitsAtOnce: atOnce, short: planned === undefined };
}

/** A run that is not begun, since it would be killed. */
export function tooLittleMemory(): InvalidInput {
  const [found, needed] = [readMachine().availableBytes, LEAST_AVAILABLE_BYTES].map((bytes) => Math.floor(bytes / 1e6));
  return new InvalidInput(
    `too little memory for a run: ${found} MB are left for this process, expected at least ${needed} MB; nothing was begun. ` +
      'Free some, raise the limit of the container, or try with less by --memory 80MB',
  );
}

function readSystemFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const MOUNT = '/sys/fs/cgroup';

/** The folders of the groups that a process is in, up to the root; in a container the root may be all that there is. */
function groupsOf(cgroup: string): { readonly memory: readonly string[]; readonly cpu: readonly string[] } {
  const lines = cgroup.split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line));
  const foldersOf = (controller: string): readonly string[] =>
    lines.flatMap((line) => {
      const [, controllers = '', path = '/'] = line ?? [];
      if (line === null) return [];
      if (controllers === '') return upwards(MOUNT, path);
      return controllers.split(',').includes(controller) ? upwards(join(MOUNT, controller), path) : [];
    });
  return { memory: foldersOf('memory'), cpu: foldersOf('cpu') };
}

function upwards(mount: string, path: string): readonly string[] {
  const folders: string[] = [];
  for (let at = join('/', path); ; at = dirname(at)) {
    folders.push(join(mount, at));
    if (at === '/') return folders;
  }
}

/** What a group may still take; the file cache that is counted for it is given back when memory is short. */
function leftOf(read: ReadSystemFile, folder: string): readonly number[] {
  const number = (name: string): number | undefined => amount(read(join(folder, name)));
  const limits = [number('memory.max'), number('memory.high'), number('memory.limit_in_bytes')].filter(
    (limit) => limit !== undefined,
  );
  if (limits.length === 0) return [];
  const used = number('memory.current') ?? number('memory.usage_in_bytes') ?? 0;
  const stat = read(join(folder, 'memory.stat')) ?? '';
  const cached = Number(/^(?:total_)?inactive_file (\d+)$/m.exec(stat)?.[1] ?? 0);
  return [Math.min(...limits) - Math.max(0, used - cached)];
}

/** `max 100000` or `50000 100000` (microseconds in each period); in version 1 in two files, -1 for no limit. */
function quotaOf(read: ReadSystemFile, folder: string): readonly number[] {
  const [quota, period] = (read(join(folder, 'cpu.max')) ?? '').trim().split(' ');
  const old = [read(join(folder, 'cpu.cfs_quota_us')), read(join(folder, 'cpu.cfs_period_us'))];
  const share = Number(period === undefined ? old[0] : quota) / Number(period ?? old[1]);
  return Number.isFinite(share) && share > 0 ? [share] : [];
}

/** Groups without a limit say `max`, or more than any machine has. */
function amount(text: string | undefined): number | undefined {
  const bytes = Number(text?.trim());
  return text === undefined || text.trim() === '' || !Number.isFinite(bytes) || bytes > 2 ** 60 ? undefined : bytes;
}

function memAvailable(meminfo: string | undefined): number | undefined {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}
