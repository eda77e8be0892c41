import { type Notes, placeIn, showValue } from './notes.ts';

const NAME = /^[a-z][a-z0-9_]*$/;

/** Strata's own columns in staged rows, and the row hash in tables. */
const RESERVED_COLUMN = /^(__|_row_hash)/i;

/** Lambda functions are named `<pipeline>-<step>` in at most 64 characters. */
export const LONGEST_PIPELINE_NAME = 40;
/** Glue allows 255 for a table; the rest is for the names of files and companions. */
export const LONGEST_TABLE_NAME = 100;

/** Notes a name of a pipeline, source or table that cannot be one; answers whether it is good. */
export function checkName(name: string, longest: number, place: string, notes: Notes): boolean {
  const good = NAME.test(name) && !name.includes('__') && name.length <= longest;
  if (!good) {
    const expected = `a name of at most ${longest} lower case letters, digits and single _, starting with a letter`;
    notes.add(place, showValue(name), expected + suggestion(name, longest));
  }
  return good;
}

/** Notes names that differ only by case, which would be one table on disk and in Glue; answers the others. */
export function checkDistinct(names: readonly string[], place: string, notes: Notes): ReadonlySet<string> {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other === undefined) seen.set(name.toLowerCase(), name);
    else {
      notes.add(
        placeIn(place, name),
        `the name of ${placeIn(place, other)} too`,
        'two names that differ by more than case',
      );
    }
  }
  return new Set(seen.values());
}

/** Notes column names that Strata keeps for itself or that occur twice; answers whether all are good. */
export function checkColumns(
  columns: readonly { readonly name: string; readonly place: string }[],
  remedy: string,
  notes: Notes,
): boolean {
  const seen = new Map<string, string>();
  let good = true;
  for (const { name, place } of columns) {
    const other = seen.get(name.toLowerCase());
    if (RESERVED_COLUMN.test(name)) {
      notes.add(
        place,
        `the column name ${showValue(name)}`,
        `a name that starts with neither __ nor _row_hash (${remedy})`,
      );
      good = false;
    } else if (other !== undefined) {
      notes.add(place, `a second column ${showValue(name)} (case does not count)`, `a name of its own (${remedy})`);
      good = false;
    } else seen.set(name.toLowerCase(), place);
  }
  return good;
}

function suggestion(name: string, longest: number): string {
  const snake = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
    .slice(0, longest);
  return NAME.test(snake) && snake !== name ? `, such as ${showValue(snake)}` : '';
}
