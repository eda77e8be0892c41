import { z } from 'zod';
import type { MadeBy } from '../../core/made-by.ts';
import type { ModelSpec, PipelineSpec } from '../../core/spec.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { madeBy } from '../../plan/made-by.ts';
import { compareMade, type TableChange } from '../../plan/table-changes.ts';

/** The table property by which a table remembers what made it. */
const MADE_BY = 'strata.made-by';

const hash = z.string();
const MADE = z.object({
  release: z.string(),
  columns: hash,
  sql: hash,
  written: hash,
  mode: hash,
  key: hash,
  keyed: z.boolean(),
  partitioning: hash,
  contract: z.record(z.string(), z.object({ type: z.string(), rest: hash })).nullable(),
  format: hash.nullable(),
  rules: hash,
});

/** The properties by which a model's table remembers what makes it. */
export function madeProperties(spec: PipelineSpec, model: ModelSpec): Readonly<Record<string, string>> {
  return { [MADE_BY]: JSON.stringify(madeBy(spec, model)) };
}

/** What made a table; undefined for one of an earlier release, which does not tell. */
export function readMade(table: TableMetadata): MadeBy | undefined {
  const text = table.properties[MADE_BY];
  if (text === undefined) return undefined;
  const read = MADE.safeParse(JSON.parse(text));
  // A later release may remember other things.
  return read.success ? read.data : undefined;
}

/** How the models of a pipeline differ from what made their tables, for tables that remember. */
export function findChanges(
  spec: PipelineSpec,
  tables: ReadonlyMap<string, { readonly metadata: TableMetadata } | undefined>,
): readonly TableChange[] {
  return spec.models.flatMap((model) => {
    const table = tables.get(model.id)?.metadata;
    const was = table === undefined ? undefined : readMade(table);
    return was === undefined ? [] : (compareMade(model, was, madeBy(spec, model)) ?? []);
  });
}
