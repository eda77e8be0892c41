import { IS_CURRENT, isKeyedMode, VALID_FROM, VALID_TO } from '../../core/keyed.ts';
import type { ModelSpec, PipelineSpec, SilverModel, SourceSpec } from '../../core/spec.ts';

const OF_HISTORY: ReadonlySet<string> = new Set([VALID_FROM, VALID_TO, IS_CURRENT]);

/**
 * The columns by which a table's rows are told apart, held against others, or joined, in order: those of its key, of what it is
 * deduplicated by, of `unique` expectations, and those by which it finds rows of other tables.
 */
export function keysOfModel(model: ModelSpec): readonly string[] {
  const own = model.layer === 'silver' ? keysOfMode(model) : [];
  const unique = model.expect.flatMap((one) => (one.kind === 'unique' ? one.columns : []));
  const joined = model.layer === 'silver' ? model.joins.flatMap(({ keys }) => keys) : [];
  return among(
    [...own, ...unique, ...joined].filter((name) => !OF_HISTORY.has(name)),
    model.columns,
  );
}

/** Of a source: its business key, and what is such a column of the silver tables that are made from it. */
export function keysOfSource({ models }: Pick<PipelineSpec, 'models'>, source: SourceSpec): readonly string[] {
  const silver = models.filter((model) => model.layer === 'silver' && model.from === source.name);
  return among([...source.key, ...silver.flatMap(keysOfModel)], source.columns);
}

function keysOfMode({ mode }: SilverModel): readonly string[] {
  if (isKeyedMode(mode)) return mode.key;
  return mode.kind === 'append' && mode.dedupe?.by === 'key' ? mode.dedupe.columns : [];
}

/** The column whose days its rows are of: that which orders a key's events, else one of a partition, else the first with a date or a time. */
export function dayOfModel(model: ModelSpec): string | undefined {
  const sequence = model.layer === 'silver' && isKeyedMode(model.mode) ? [model.mode.sequence] : [];
  return firstDay([...sequence, ...model.partitionBy.map(({ column }) => column)], model.columns);
}

export function dayOfSource({ models }: Pick<PipelineSpec, 'models'>, source: SourceSpec): string | undefined {
  const silver = models.filter((model) => model.layer === 'silver' && model.from === source.name);
  return firstDay(
    silver.flatMap((model) => dayOfModel(model) ?? []),
    source.columns,
  );
}

type Columns = ModelSpec['columns'];

/** By a table's columns alone, of a table that no pipeline of the folder declares. */
export function firstDay(wanted: readonly string[], columns: Columns): string | undefined {
  const days = columns.filter(({ type }) => ['date', 'timestamp', 'timestamptz'].includes(type.kind));
  return wanted.find((name) => days.some((column) => column.name === name)) ?? days[0]?.name;
}

function among(names: readonly string[], columns: Columns): readonly string[] {
  const known = new Set(columns.map(({ name }) => name));
  return [...new Set(names)].filter((name) => known.has(name));
}
