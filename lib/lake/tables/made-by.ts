import { z } from 'zod';
import { isKeyed, logModelId } from '../../core/keyed.ts';
import type { MadeBy } from '../../core/made-by.ts';
import type { Expectation, ModelSpec, PipelineSpec } from '../../core/spec.ts';
import { docsToChange } from '../../iceberg/docs.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { madeBefore, madeBy, type TableNames } from '../../plan/made-by.ts';
import { compareChecks, compareMade, type TableChange, uncheckedOf } from '../../plan/table-changes.ts';

/** The table property by which a table remembers what made it. */
const MADE_BY = 'strata.made-by';

const hash = z.string();
const MADE = z.object({
  release: z.string(),
  columns: hash,
  sql: hash,
  written: hash,
  mode: hash,
  write: z.literal('merge-on-read').optional(),
  key: hash,
  keyed: z.boolean(),
  partitioning: hash,
  contract: z.record(z.string(), z.object({ type: z.string(), rest: hash })).nullable(),
  format: hash.nullable(),
  rules: hash,
  checks: z.record(z.string(), hash).optional(),
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
    if (table === undefined || was === undefined) return [];
    const { is, renamed } = madeBefore(spec, model, was, namesOf(table));
    const made = [compareMade(model, was, is, renamed) ?? [], compareChecks(model, was, is) ?? []].flat();
    return [...made, ...describedAnew(model, table)];
  });
}

function describedAnew(model: ModelSpec, table: TableMetadata): readonly TableChange[] {
  const docs = docsToChange(table, model.described);
  return docs.length === 0
    ? []
    : [{ model: model.id, kind: 'describe', what: docs.map(({ name }) => `description of ${name}`) }];
}

/** Keyed models whose tables are there, made from logs that are not: no row of theirs can follow new events any more. */
export function findLostLogs(
  spec: PipelineSpec,
  tables: ReadonlyMap<string, { readonly metadata: TableMetadata } | undefined>,
): ReadonlySet<string> {
  const lost = spec.models.filter((model) => {
    const table = tables.get(model.id)?.metadata;
    if (!isKeyed(model) || table === undefined || tables.get(logModelId(model)) !== undefined) return false;
    return readMade(table)?.keyed === true;
  });
  return new Set(lost.map(({ id }) => id));
}

/** The expectations of a model that its table as it was has yet to be asked about. */
export function uncheckedIn(
  spec: PipelineSpec,
  model: ModelSpec,
  table: TableMetadata | undefined,
): readonly Expectation[] {
  const was = table === undefined ? undefined : readMade(table);
  if (table === undefined || was === undefined) return [];
  const names = uncheckedOf(was, madeBefore(spec, model, was, namesOf(table)).is);
  return model.expect.filter(({ name }) => names.includes(name));
}

/** The properties of a table whose rows have been asked about all expectations, and which is otherwise as it was. */
export function checkedProperties(
  spec: PipelineSpec,
  model: ModelSpec,
  table: TableMetadata,
): Readonly<Record<string, string>> {
  const was = readMade(table);
  if (was === undefined) return {};
  const { checks } = madeBefore(spec, model, was, namesOf(table)).is;
  return { [MADE_BY]: JSON.stringify({ ...was, checks }) };
}

function namesOf(table: TableMetadata): TableNames {
  const now = currentSchema(table).fields.map(({ name }) => name);
  return { now, ever: new Set(table.schemas.flatMap((schema) => schema.fields.map(({ name }) => name))) };
}
