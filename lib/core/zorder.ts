/** The most columns of a Z-order: with more, each is hardly narrowed. */
export const MOST_ZORDER = 4;

/** Bits of a row's place along one column of a Z-order: a thousand places are more than a table has files. */
export const ZORDER_BITS = 10;

/**
 * Whose bit of a Z-order comes next, from the highest: always that of the widest column, which halves it. `widths` are the parts of
 * what each column has that rows lie over, so that rows which are near each other in one column already are brought together in the others.
 */
export function zorderTurns(widths: readonly number[]): readonly number[] {
  const left = [...widths];
  const bits = widths.map(() => ZORDER_BITS);
  return Array.from({ length: widths.length * ZORDER_BITS }, () => {
    const open = left.map((width, at) => ((bits[at] ?? 0) > 0 ? width : -1));
    const turn = open.indexOf(Math.max(...open));
    left[turn] = (left[turn] ?? 0) / 2;
    bits[turn] = (bits[turn] ?? 0) - 1;
    return turn;
  });
}
