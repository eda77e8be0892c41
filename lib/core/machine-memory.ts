import { duckDbShare } from './worker-memory.ts';

/** What a process may take of the machine that it is on. */
export type Machine = {
  /** Bytes that it can still have: what the system can give, and no more than a container's limits leave. */
  readonly availableBytes: number;
  /** Processors that it may keep busy. */
  readonly processors: number;
};

/** What a process does its work with. */
export type WorkMemory = {
  /** Bytes that DuckDB may hold before it spills. */
  readonly memoryBytes: number;
  readonly threads: number;
  /** Bytes of uncompressed input above which a unit of several files is cut, whatever the pipeline asks for. */
  readonly unitBytes: number;
};

/** What Node, the bundle, DuckDB's own code and what it does not count take, measured: 230 MB. */
const PROCESS_BYTES = 250e6;
/** More is no use to a laptop that has other things to do. */
const MOST_BYTES = 2e9;
/** With less DuckDB cannot read a CSV file: a buffer has 32 MB. */
const LEAST_BYTES = 80e6;
/** Each thread holds buffers of what it reads, sorts and writes, which cannot be spilled. Source: duckdb.org/docs/stable/guides/performance/environment */
const THREAD_BYTES = 125e6;
/** What a process cannot begin with. */
export const LEAST_AVAILABLE_BYTES = PROCESS_BYTES / 2 + LEAST_BYTES;

/**
 * The memory and threads of a process by what its machine has left: DuckDB gets what Node does not need, less a share for
 * what it does not count; each thread has room for its buffers; no unit is larger than what can be held. `asked` is the
 * memory for DuckDB that a person asked for. Undefined: there is too little for any work.
 */
export function planMemory(machine: Machine, asked: number | undefined): WorkMemory | undefined {
  if (asked === undefined && machine.availableBytes < LEAST_AVAILABLE_BYTES) return undefined;
  const given = duckDbShare(machine.availableBytes - PROCESS_BYTES);
  const memoryBytes = asked ?? Math.min(MOST_BYTES, Math.max(LEAST_BYTES, given));
  return {
    memoryBytes,
    threads: Math.max(1, Math.min(Math.floor(machine.processors), Math.floor(memoryBytes / THREAD_BYTES))),
    unitBytes: memoryBytes,
  };
}

/** Node has four threads for what waits: a statement takes one while it works, and files and the lock of a run need one that is free. */
const MOST_AT_ONCE = 3;

/** How many units may be worked on at once, which share memory and threads: one that is by itself has all of them. */
export function unitsAtOnce({ threads }: Pick<WorkMemory, 'threads'>): number {
  return Math.min(threads, MOST_AT_ONCE);
}

/** With which something can be looked at, though nothing can be worked on. */
export function leastMemory(): WorkMemory {
  return { memoryBytes: LEAST_BYTES, threads: 1, unitBytes: LEAST_BYTES };
}
