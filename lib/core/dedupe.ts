import type { ModelSpec, SilverModel } from './spec.ts';

/** The column of a silver table that holds the row hash, where rows are told apart by it. */
export const ROW_HASH = '_row_hash';

/** Whether an append model tells rows apart by the hash of their source row. */
export function dedupesByHash(model: ModelSpec): boolean {
  return model.layer === 'silver' && model.mode.kind === 'append' && model.mode.dedupe?.by === 'row';
}

/** The columns by which an append model tells rows apart; empty where it keeps everything. */
export function dedupeColumns({ mode }: Pick<SilverModel, 'mode'>): readonly string[] {
  if (mode.kind !== 'append' || mode.dedupe === null) return [];
  return mode.dedupe.by === 'row' ? [ROW_HASH] : mode.dedupe.columns;
}

/** Whether a row whose key is taken by a different row goes to quarantine for good, rather than being dropped. */
export function condemnsDuplicates({ mode }: Pick<SilverModel, 'mode'>): boolean {
  return mode.kind === 'append' && mode.dedupe?.by === 'key' && mode.onDuplicate === 'condemn';
}
