/**
 * Bytes of the data files that something read. `kept`: of the files that partitions and statistics left; `brought`: those of
 * them that were needed, footers included, and came to the worker where files do not lie there; `skipped`: all others of the
 * tables, in files that were left out and in parts of those that were kept.
 */
export type InputBytes = { readonly brought: number; readonly kept: number; readonly skipped: number };

export const NO_INPUTS: InputBytes = { brought: 0, kept: 0, skipped: 0 };

export function addInputs(a: InputBytes, b: InputBytes): InputBytes {
  return { brought: a.brought + b.brought, kept: a.kept + b.kept, skipped: a.skipped + b.skipped };
}

/** By the id of a table's model: how many of its bytes came to a worker. */
export type BytesByTable = Readonly<Record<string, number>>;

export function addByTable(all: readonly BytesByTable[]): BytesByTable {
  const sums = new Map<string, number>();
  for (const [id, bytes] of all.flatMap((one) => Object.entries(one))) sums.set(id, (sums.get(id) ?? 0) + bytes);
  return Object.fromEntries(sums);
}
