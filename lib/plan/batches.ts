import type { ModelMode } from '../core/spec.ts';

/** What came of one batch of a table that is made anew from several, which runs of their own took one after the other. */
export type BatchFiles<File> = {
  readonly batch: number;
  /** Data files with rows. */
  readonly files: readonly File[];
  /** It was read, and had no records or some that were accepted: otherwise it says nothing of what the table should be. */
  readonly counts: boolean;
};

/**
 * The files that stay of a table that is made anew. Of `replace` the latest batch of each partition, of `full` the latest
 * batch, as if each had been run by itself; of other modes all.
 */
export function survivingFiles<File>(
  mode: ModelMode['kind'],
  batches: readonly BatchFiles<File>[],
  partitionOf: (file: File) => string,
): readonly File[] {
  const all = batches.flatMap(({ files }) => files);
  switch (mode) {
    case 'append':
    case 'upsert':
    case 'scd2':
      return all;
    case 'full': {
      const last = Math.max(...batches.filter(({ counts }) => counts).map(({ batch }) => batch));
      return batches.filter(({ batch }) => batch === last).flatMap(({ files }) => files);
    }
    case 'replace': {
      const last = new Map<string, number>();
      for (const { batch, files } of batches) {
        for (const file of files) last.set(partitionOf(file), Math.max(batch, last.get(partitionOf(file)) ?? batch));
      }
      return batches.flatMap(({ batch, files }) => files.filter((file) => last.get(partitionOf(file)) === batch));
    }
  }
}
