import { LOG_SUFFIX } from '../core/keyed.ts';
import { sourcePrefix } from '../core/seeds.ts';
import type { GoldModel, SilverModel, SourceSpec } from '../core/spec.ts';
import { fullName } from '../core/tables.ts';
import { tableIdOf } from '../lake/tables/table-state.ts';

/** Where a table's rows come from and where they go, by full names; a source is `bronze/<pipeline>/<source>`. */
export type Lineage = {
  readonly reads: readonly string[];
  readonly read_by: readonly string[];
  /** Everything above it, nearest first; `reads` included. */
  readonly upstream: readonly string[];
  readonly downstream: readonly string[];
};

/** Of a PipelineSpec, what says which model reads what. */
export type ModelGraph = {
  readonly name: string;
  readonly sources?: readonly Pick<SourceSpec, 'name' | 'seed'>[];
  readonly models: readonly Node[];
};

type Shared = 'id' | 'name' | 'layer' | 'reads';
type Node = Pick<SilverModel, Shared | 'from'> | Pick<GoldModel, Shared>;

/**
 * The lineage of a model's table through its pipeline and the others that are given; `undefined` when the pipeline has no such
 * model. A log stands for its table.
 */
export function lineageOf(spec: ModelGraph, id: string, others: readonly ModelGraph[] = []): Lineage | undefined {
  if (!spec.models.some((model) => model.id === id)) return undefined;
  const all = [spec, ...others.filter(({ name }) => name !== spec.name)];
  const above = new Map(
    all.flatMap((one) => one.models.map((model) => [nameOf(one, model), inputsOf(one, model)] as const)),
  );
  const below = (name: string): readonly string[] =>
    [...above].filter(([, inputs]) => inputs.includes(name)).map(([reader]) => reader);
  const start = nameOf(spec, byId(spec, id));
  return {
    reads: above.get(start) ?? [],
    read_by: below(start),
    upstream: reach(start, (name) => above.get(name) ?? []),
    downstream: reach(start, below),
  };
}

/** What each table of a pipeline reads. */
export function tableEdges(spec: ModelGraph): readonly { readonly name: string; readonly from: string }[] {
  return spec.models.flatMap((model) => inputsOf(spec, model).map((from) => ({ name: nameOf(spec, model), from })));
}

function inputsOf(spec: ModelGraph, model: Node): readonly string[] {
  const tables = model.reads.map(({ name, ...ref }) => fullName(tableIdOf(spec, { ...ref, name: withoutLog(name) })));
  return model.layer === 'silver' ? [sourceName(spec, model.from), ...tables] : tables;
}

export function withoutLog(name: string): string {
  return name.endsWith(LOG_SUFFIX) ? name.slice(0, -LOG_SUFFIX.length) : name;
}

/** Breadth first, so that nearer names come first. */
function reach(start: string, next: (name: string) => readonly string[]): readonly string[] {
  const seen = new Set<string>();
  for (let front = [start]; front.length > 0; ) {
    front = front.flatMap(next).filter((name) => !seen.has(name));
    for (const name of front) seen.add(name);
  }
  return [...seen];
}

/** The folder of a source, without its slash. */
function sourceName(spec: ModelGraph, name: string): string {
  const source = spec.sources?.find((one) => one.name === name);
  return sourcePrefix(spec.name, source ?? { name }).slice(0, -1);
}

function byId(spec: ModelGraph, id: string): Node {
  const model = spec.models.find((one) => one.id === id);
  if (model === undefined) throw new RangeError(`pipeline ${spec.name} has no model ${id}`);
  return model;
}

function nameOf(spec: ModelGraph, model: Node): string {
  return fullName({ pipeline: spec.name, layer: model.layer, name: model.name });
}
