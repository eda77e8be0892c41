import { resolveSpec } from '../../iceberg/partition.ts';
import { renderScalarText } from '../../iceberg/partition-path.ts';
import { leafFields } from '../../iceberg/schema.ts';
import type { DataFile } from '../../iceberg/types.ts';
import { decodeValue } from '../../iceberg/values.ts';
import type { Footer } from '../../landing/parquet/footer.ts';
import type { WrittenFile } from '../../ports.ts';
import type { Target } from '../tables/target.ts';
import { countsIn, leavesByName } from './written-file.ts';

/**
 * A file that an engine wrote, in the words in which DuckDB says it of its own. Counts are those of the footer: a manifest may have
 * none. Of columns that the file has under other names than the table nothing is said, since what is said of a column is taken for
 * that, too, when files are read; nor of those whose nulls nobody has counted.
 */
export function adoptedFile(file: DataFile, footer: Footer, target: Target): WrittenFile {
  const { schema, spec, partitionBy } = target;
  const byName = leavesByName(footer, schema);
  const counts = countsIn(footer);
  return {
    path: '',
    rows: Number(file.rows),
    bytes: Number(file.bytes),
    // As the text that `partitionTuple` reads: years, months and hours are counted from 1970 there.
    partition: resolveSpec(spec, schema).map(({ type }, at) => {
      const value = file.partition[at] ?? null;
      return { column: partitionBy[at]?.column ?? '', value: value === null ? null : renderScalarText(type, value) };
    }),
    columns: leafFields(schema).flatMap(({ id, path, type, insideList }) => {
      const { values = 0, nulls = file.nullCounts.get(id) } = counts.get(id) ?? {};
      if (!byName.has(id) || (nulls === undefined && !insideList)) return [];
      return {
        path,
        bytes: Number(file.columnSizes.get(id) ?? 0n),
        values,
        nulls: Number(nulls ?? 0n),
        min: boundText(type, file.lowerBounds.get(id)),
        max: boundText(type, file.upperBounds.get(id)),
        hasNan: (file.nanCounts.get(id) ?? 0n) > 0n,
      };
    }),
  };
}

/** Undone by `parseStatText`, for which binary is hexadecimal. */
function boundText(type: string, bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined) return null;
  if (type === 'binary') return Buffer.from(bytes).toString('hex').toUpperCase();
  const value = decodeValue(type, bytes);
  return value === null || Number.isNaN(value) ? null : renderScalarText(type, value);
}
