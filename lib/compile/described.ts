import type { ColumnOrigins, ColumnRef } from '../core/column-origins.ts';
import { type Descriptions, descriptionOf } from '../core/described.ts';
import type { ModelSpec } from '../core/spec.ts';
import type { BoundModel, SourceDraft } from './draft.ts';

/**
 * What the columns of a table are: what its model says, and for the others what is said of the one column that they are made of, where that
 * has the same name. `specs` are of the models before it. Undefined where nothing is said.
 */
export function describedOf(
  { parsed: { draft }, columns, tableColumns = columns }: BoundModel,
  origins: ColumnOrigins,
  sources: ReadonlyMap<string, SourceDraft>,
  specs: ReadonlyMap<string, ModelSpec>,
): Descriptions | undefined {
  const described = tableColumns.flatMap(({ name }) => {
    const said = descriptionOf(draft.described, name) ?? inherited(name, origins, sources, specs);
    return said === undefined ? [] : [[name, said] as const];
  });
  return described.length === 0 ? undefined : Object.fromEntries(described);
}

function inherited(
  name: string,
  { columns }: ColumnOrigins,
  sources: ReadonlyMap<string, SourceDraft>,
  specs: ReadonlyMap<string, ModelSpec>,
): string | undefined {
  const [from, ...others]: readonly ColumnRef[] = Object.hasOwn(columns, name) ? (columns[name] ?? []) : [];
  if (from === undefined || others.length > 0 || from[1] !== name) return undefined;
  const [table] = from;
  const source = table.startsWith(BATCH) ? sources.get(table.slice(BATCH.length))?.spec : undefined;
  if (source !== undefined) return source.columns.find((column) => column.name === name)?.description;
  return descriptionOf(specs.get(table)?.described, name);
}

const BATCH = 'batch.';
