import type { Dedupe, ModelMode } from '../core/spec.ts';

export type AppendOptions = {
  /**
   * Which rows are the same row, compared within the batch and with the table; the first one stays, the others are counted.
   * - `'row'`: rows whose columns are all equal.
   * - `{ key: ['a', 'b'] }`: rows equal in these columns.
   * Default: none, every accepted row is added.
   */
  readonly dedupe?: 'row' | { readonly key: string | readonly string[] };
};

/** New rows are added to the table. The default mode. */
export function append(options: AppendOptions = {}): ModelMode {
  return { kind: 'append', dedupe: dedupeOf(options.dedupe) };
}

/** The partitions that the batch touches become the batch's rows; other partitions stay. Needs `partitionBy`. */
export function replace(): ModelMode {
  return { kind: 'replace' };
}

/** The table becomes the batch: what it held before is gone from its current snapshot. */
export function full(): ModelMode {
  return { kind: 'full' };
}

function dedupeOf(dedupe: AppendOptions['dedupe']): Dedupe | null {
  if (dedupe === undefined) return null;
  if (dedupe === 'row') return { by: 'row' };
  return { by: 'key', columns: typeof dedupe.key === 'string' ? [dedupe.key] : dedupe.key };
}
