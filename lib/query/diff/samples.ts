import type { Compare } from '../../lake/compare/compare-rows.ts';
import type { JsonValue, Row } from '../../ports.ts';

/** A row that has changed: its key, and the columns in which it has. */
export type SampledChange = {
  readonly key: Row;
  readonly changed: Readonly<Record<string, { readonly from: JsonValue; readonly to: JsonValue }>>;
};

/** Keys that come more than once on a side: their rows on both, and by how many of these the sides differ. */
export type Duplicates = {
  readonly keys: number;
  readonly rows_from: number;
  readonly rows_to: number;
  readonly added: number;
  readonly removed: number;
  readonly sample: readonly { readonly key: Row; readonly from: number; readonly to: number }[];
};

/** A row, and how often it comes on its side more than on the other. */
export type SampledRow = { readonly row: Row; readonly times: number };

/** Rows under the names of their columns. */
export function describeRows(names: readonly string[], sampled: JsonValue | undefined): readonly SampledRow[] {
  return structsOf(sampled).map((row) => ({ row: valuesOf(names, row), times: Number(row['times'] ?? 1) }));
}

export function describeChanged(
  names: readonly string[],
  keys: readonly number[],
  sampled: JsonValue | undefined,
): readonly SampledChange[] {
  return structsOf(sampled).map((row) => ({
    key: Object.fromEntries(keys.map((at) => [names[at] ?? '', row[`l${at}`] ?? null])),
    changed: Object.fromEntries(
      names.flatMap((name, at) =>
        row[`d${at}`] === true ? [[name, { from: row[`l${at}`] ?? null, to: row[`r${at}`] ?? null }]] : [],
      ),
    ),
  }));
}

export function describeDuplicates(names: readonly string[], { keys, rows }: Required<Compare>['twice']): Duplicates {
  return {
    keys: Number(keys['keys']),
    rows_from: Number(keys['was']),
    rows_to: Number(keys['now']),
    added: Number(rows['added']),
    removed: Number(rows['removed']),
    sample: structsOf(keys['keys_shown']).map((row) => ({
      key: valuesOf(names, row),
      from: Number(row['was']),
      to: Number(row['now']),
    })),
  };
}

function valuesOf(names: readonly string[], row: Row): Row {
  return Object.fromEntries(
    names.flatMap((name, at) => {
      const value = row[`c${at}`];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function structsOf(value: JsonValue | undefined): readonly Row[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one): one is Row => typeof one === 'object' && one !== null && !Array.isArray(one));
}
