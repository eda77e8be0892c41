/** Values of a row by which it is compared, column by column; null is NULL. */
export type TextRow = readonly (string | null)[];

export type RowDiff = {
  readonly columns: readonly string[];
  readonly missing: readonly TextRow[];
  readonly unexpected: readonly TextRow[];
  /** Rows that are alike but not equal. */
  readonly changed: readonly { readonly expected: TextRow; readonly got: TextRow }[];
  /** The rows are those that were expected, in another order. */
  readonly order: boolean;
};

/**
 * What two sets of rows do not have in common; rows that are there twice count twice. `undefined` where they are the
 * same. Of the rest, those that share most of their values are shown as one row that has changed.
 */
export function diffRows(
  columns: readonly string[],
  expected: readonly TextRow[],
  got: readonly TextRow[],
  ordered: boolean,
): RowDiff | undefined {
  const missing = without(expected, got);
  const unexpected = without(got, expected);
  if (missing.length > 0 || unexpected.length > 0) {
    return { columns, ...pairUp(missing, unexpected), order: false };
  }
  const moved = ordered && expected.some((row, nth) => keyOf(row) !== keyOf(got[nth] ?? []));
  return moved ? { columns, missing: expected, unexpected: got, changed: [], order: true } : undefined;
}

function keyOf(row: TextRow): string {
  return JSON.stringify(row);
}

function without(rows: readonly TextRow[], others: readonly TextRow[]): readonly TextRow[] {
  const left = new Map<string, number>();
  for (const row of others) left.set(keyOf(row), (left.get(keyOf(row)) ?? 0) + 1);
  return rows.filter((row) => {
    const count = left.get(keyOf(row)) ?? 0;
    left.set(keyOf(row), count - 1);
    return count <= 0;
  });
}

/** Beyond so many rows that differ, nobody looks at pairs, and finding them takes the square of their number. */
const MOST_PAIRED = 200;

function pairUp(
  missing: readonly TextRow[],
  unexpected: readonly TextRow[],
): Pick<RowDiff, 'missing' | 'unexpected' | 'changed'> {
  if (missing.length > MOST_PAIRED || unexpected.length > MOST_PAIRED) return { missing, unexpected, changed: [] };
  const pairs = missing
    .flatMap((row, a) => unexpected.map((other, b) => ({ a, b, alike: alike(row, other) })))
    .filter(({ a, alike }) => alike > 0 && 2 * alike >= (missing[a]?.length ?? 0))
    .sort((one, two) => two.alike - one.alike || one.a - two.a || one.b - two.b);
  const [left, right] = [new Set<number>(), new Set<number>()];
  const changed: RowDiff['changed'][number][] = [];
  for (const { a, b } of pairs) {
    const [expected, got] = [missing[a], unexpected[b]];
    if (left.has(a) || right.has(b) || expected === undefined || got === undefined) continue;
    left.add(a);
    right.add(b);
    changed.push({ expected, got });
  }
  return {
    missing: missing.filter((_, a) => !left.has(a)),
    unexpected: unexpected.filter((_, b) => !right.has(b)),
    changed,
  };
}

function alike(a: TextRow, b: TextRow): number {
  return a.filter((value, at) => value !== null && value === b[at]).length;
}
