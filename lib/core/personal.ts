import type { JsonValue } from './json-value.ts';
import type { PipelineSpec } from './spec.ts';

/** What stands in the place of a personal value. */
export const MASK = '***';

/** Of a table: its personal columns, as a JSON list of names. */
export const PERSONAL_COLUMNS = 'strata.personal-columns';

/** Of a quarantine table: the sources whose records hold what is personal, as a JSON list of names. */
export const PERSONAL_SOURCES = 'strata.personal-sources';

/** The names that a property lists; none for a table that has no such property, or one that is no list. */
export function listedIn(properties: Readonly<Record<string, string>>, property: string): readonly string[] {
  try {
    const names: unknown = JSON.parse(properties[property] ?? '[]');
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}

export function personalSources({ sources }: Pick<PipelineSpec, 'sources'>): readonly string[] {
  return sources.filter(({ columns }) => columns.some(({ personal }) => personal === true)).map(({ name }) => name);
}

export function holdsPersonal(spec: Pick<PipelineSpec, 'sources' | 'models'>): boolean {
  return personalSources(spec).length > 0 || spec.models.some(({ personal }) => personal !== undefined);
}

type Shown = Readonly<Record<string, JsonValue>>;

/** A row for people, without the values of the columns that are `hidden`. */
export function maskRow(row: Shown, hidden: (column: string) => boolean): Shown {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, hidden(name) ? masked(value) : value]));
}

export function masked(value: JsonValue | undefined): JsonValue {
  return value === null || value === undefined ? null : MASK;
}
