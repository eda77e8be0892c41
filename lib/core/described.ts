import type { Column } from './types.ts';

/** Of a table: the columns that its pipeline has described, as a JSON list of names. What others said of its columns is theirs. */
export const DESCRIBED_COLUMNS = 'strata.described-columns';

/** What columns are, in words, by their names. */
export type Descriptions = Readonly<Record<string, string>>;

export function descriptionOf(descriptions: Descriptions | undefined, name: string): string | undefined {
  return descriptions !== undefined && Object.hasOwn(descriptions, name) ? descriptions[name] : undefined;
}

/** Columns with what is said of them. */
export function withDescriptions(
  columns: readonly Column[],
  descriptions: Descriptions | undefined,
): readonly Column[] {
  return columns.map((column) => {
    const doc = descriptionOf(descriptions, column.name);
    return doc === undefined ? column : { ...column, doc };
  });
}

/** The property of a table with these columns; none where its pipeline describes none of them. */
export function describedProperties(
  columns: readonly Pick<Column, 'name'>[],
  descriptions: Descriptions | undefined,
): Descriptions {
  const names = columns.flatMap(({ name }) => (descriptionOf(descriptions, name) === undefined ? [] : [name]));
  return names.length === 0 ? {} : { [DESCRIBED_COLUMNS]: JSON.stringify(names) };
}
