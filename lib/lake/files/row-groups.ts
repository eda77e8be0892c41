import type { DataFile } from '../../iceberg/types.ts';
import type { Footer, RowGroup } from '../../landing/parquet/footer.ts';
import { type ChunkStatistics, chunkStatistics } from '../../landing/parquet/parts.ts';

/**
 * A row group of a data file as a data file of its own, with the statistics that the footer has, so that what decides
 * about files decides about row groups. `ids`: of each leaf the field id of its column.
 */
export function rowGroupAsFile(file: DataFile, footer: Footer, ids: readonly number[], group: RowGroup): DataFile {
  const flat = footer.leaves.flatMap((leaf, at): readonly (readonly [number, ChunkStatistics])[] => {
    const [id, chunk] = [ids[at], group.chunks[at]];
    return leaf.path.length > 1 || id === undefined || chunk === undefined ? [] : [[id, chunkStatistics(chunk, leaf)]];
  });
  const known = <T>(pick: (statistics: ChunkStatistics) => T | undefined): ReadonlyMap<number, T> =>
    new Map(
      flat.flatMap(([id, statistics]) => {
        const value = pick(statistics);
        return value === undefined ? [] : [[id, value] as const];
      }),
    );
  return {
    ...file,
    rows: BigInt(group.rows),
    valueCounts: known(({ values }) => BigInt(values)),
    nullCounts: known(({ nulls }) => nulls),
    nanCounts: new Map(),
    lowerBounds: known(({ min }) => min),
    upperBounds: known(({ max }) => max),
  };
}
