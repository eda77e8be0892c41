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

/** Which of several rows with one key stays: by ORDER BY terms, and where these leave it open by all columns in their order. */
export type Keep = { readonly terms: string; readonly columns: readonly string[] };

/** Undefined: the first of them stays. */
export function keepOf({ mode, columns }: Pick<SilverModel, 'mode' | 'columns'>): Keep | undefined {
  if (mode.kind !== 'append' || mode.dedupe?.by !== 'key' || mode.dedupe.keep === undefined) return undefined;
  return { terms: mode.dedupe.keep, columns: columns.map(({ name }) => name) };
}

/** Whether a row whose key is taken by a different row goes to quarantine for good, rather than being dropped. */
export function condemnsDuplicates({ mode }: Pick<SilverModel, 'mode'>): boolean {
  return mode.kind === 'append' && mode.dedupe?.by === 'key' && mode.onDuplicate === 'condemn';
}
