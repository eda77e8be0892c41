import type { Renamed } from '../core/renames.ts';
import type { SourceSpec } from '../core/spec.ts';
import type { Column } from '../core/types.ts';

/**
 * Former names of a table's columns: those that the model gives, and for a silver table those that its source's contract
 * gives to columns of the same names. A name that another column of the model has is none of before.
 */
export function renamedOf(
  own: Renamed,
  source: SourceSpec | undefined,
  columns: readonly Column[],
): Renamed | undefined {
  const names = new Set(columns.map(({ name }) => name));
  const claimed = new Set(Object.values(own).flat());
  const read = (source?.columns ?? []).flatMap(({ name, renamedFrom = [] }) => {
    const before = renamedFrom.filter((one) => !names.has(one) && !claimed.has(one));
    return names.has(name) && before.length > 0 ? [[name, before] as const] : [];
  });
  const renamed = { ...Object.fromEntries(read), ...own };
  return Object.keys(renamed).length === 0 ? undefined : renamed;
}
