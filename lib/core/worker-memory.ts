/** MB that Node, the bundle and buffers of transfers take of a function. */
export const NODE_SHARE_MB = 256;

const DUCKDB_SHARE = 0.8;
const MB_PER_VCPU = 1_769;
const MOST_VCPUS = 6;

/** Of the bytes that are there for DuckDB those that it may count; the rest is for what it does not. */
export function duckDbShare(bytes: number): number {
  return Math.floor(bytes * DUCKDB_SHARE);
}

/** Bytes that DuckDB may use in a function of so many MB. */
export function duckDbBytes(memoryMb: number): number {
  return duckDbShare(memoryMb - NODE_SHARE_MB) * 2 ** 20;
}

/**
 * What DuckDB is allowed of them, so that a full unit leaves a tenth of the function free: with 2,201 MB allowed, a run of a unit of
 * 248 MiB held 2,732 MiB.
 */
const ALLOWED_SHARE = 0.875;

/** Bytes that DuckDB is allowed in a function of so many MB; beyond them it spills. */
export function allowedBytes(memoryMb: number): number {
  return Math.floor(duckDbBytes(memoryMb) * ALLOWED_SHARE);
}

/** vCPUs that come with memory. Source: docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
export function vcpusOf(memoryMb: number): number {
  return memoryMb / MB_PER_VCPU;
}

/** Threads worth having: one for each vCPU, whole or not. */
export function threadsOf(memoryMb: number): number {
  return Math.min(MOST_VCPUS, Math.max(1, Math.ceil(vcpusOf(memoryMb))));
}

/** Bytes of uncompressed input that a unit may have to fit a function: what is parsed is held, sorted and written. */
export function unitBytesFor(memoryMb: number): number {
  return Math.floor(duckDbBytes(memoryMb) / 4);
}
