import { InvalidInput, renderProblem } from '../core/errors.ts';
import { isKeyed, logTable } from '../core/keyed.ts';
import { readableColumns, readableLogColumns } from '../core/readable-columns.ts';
import { modelId, type OtherTable, type PipelineSpec } from '../core/spec.ts';
import { oneOf } from '../core/suggest.ts';
import type { Session } from '../ports.ts';
import { createTableAt } from '../sql/bind.ts';
import { attachPipeline, detachPipeline } from '../sql/other-pipelines.ts';
import { type Notes, showValue } from './notes.ts';
import type { NamedTable } from './references.ts';

/** The pipelines of the folder that a pipeline is compiled in. */
export type Pipelines = {
  /** All of them, itself included. */
  readonly names: readonly string[];
  /** Which pipelines are being compiled, each for the one before it; the last is this one. */
  readonly path: readonly string[];
  /** Throws InvalidInput for a pipeline that does not compile. */
  compile(name: string): Promise<PipelineSpec>;
};

/** Of a pipeline that stands alone, or whose others are not known. */
export function noOthers(name: string): Pipelines {
  const compile = (other: string): never => {
    throw new RangeError(`nothing is known of a pipeline ${other}`);
  };
  return { names: [name], path: [name], compile };
}

/** What stands where something else should. */
export type Fault = { readonly got: string; readonly expected: string };

/** Names that a session has for other things, so that SQL cannot name a pipeline by them. */
const TAKEN: readonly string[] = ['memory', 'system', 'temp', 'main', 'batch', 'silver', 'gold', 'mapped'];

const AHEAD = 'pipelines that do not wait for each other';

/** A pipeline by its name, compiled; or why it cannot be named there. */
export async function findPipeline(pipelines: Pipelines, name: string): Promise<PipelineSpec | Fault> {
  const start = pipelines.path.indexOf(name);
  if (start >= 0) return { got: `the circle ${[...pipelines.path.slice(start), name].join(' -> ')}`, expected: AHEAD };
  const others = pipelines.names.filter((other) => !pipelines.path.includes(other));
  if (!others.includes(name)) return { got: 'an unknown pipeline', expected: oneOf(name, others) };
  try {
    return await pipelines.compile(name);
  } catch (cause) {
    if (!(cause instanceof InvalidInput)) throw cause;
    const [first] = cause.problems;
    const why = first === undefined ? cause.message : renderProblem(first).trim();
    return { got: 'a pipeline that does not compile', expected: `one that does (${why})` };
  }
}

/** What gold names as `<pipeline>.<layer>.<table>`; or why it cannot. */
export async function findOtherTable(pipelines: Pipelines, named: NamedTable): Promise<OtherTable | Fault> {
  const [pipeline, layer, name] = [named.catalog, named.schema, named.table].map((part) => part.toLowerCase());
  const written = `${pipeline}.${layer}.${name}`;
  const spec = await findPipeline(pipelines, pipeline ?? '');
  if ('got' in spec) return { got: `the table ${written}: ${spec.got}`, expected: spec.expected };
  if (TAKEN.includes(spec.name))
    return {
      got: `the table ${written}`,
      expected: `a pipeline of another name: DuckDB has a ${spec.name} of its own`,
    };
  const tables = tablesOf(spec);
  const found = tables.find((table) => modelId(table) === written);
  return found ?? { got: `the table ${written}`, expected: oneOf(written, tables.map(modelId)) };
}

/** Notes what keeps a pipeline from running after others. */
export async function checkAfter(after: readonly string[], pipelines: Pipelines, notes: Notes): Promise<void> {
  for (const name of after) {
    const found = await findPipeline(pipelines, name);
    if ('got' in found) notes.add('after', `${showValue(name)}: ${found.got}`, found.expected);
  }
}

/** Every table of a pipeline that others may read. */
function tablesOf({ name: pipeline, models }: PipelineSpec): readonly OtherTable[] {
  return models.flatMap((model) => {
    const { layer, name } = model;
    const { personal } = model;
    const table = {
      ...{ pipeline, layer, name, columns: readableColumns(model) },
      ...(personal === undefined ? {} : { personal }),
    };
    if (!isKeyed(model)) return [table];
    const log = logTable({ pipeline, layer, name });
    return [table, { ...table, name: log.name, columns: readableLogColumns(model) }];
  });
}

/** `retail.gold.sales` for `retail_gold.sales`, which is how queries name it; `undefined` for other names. */
export function nameInModels({ names, path }: Pipelines, schema: string, table: string): string | undefined {
  const [, pipeline, layer] = /^(.+)_(silver|gold)$/.exec(schema) ?? [];
  if (pipeline === undefined || path.includes(pipeline) || !names.includes(pipeline)) return undefined;
  return `${pipeline}.${layer}.${table}`;
}

/** Makes empty tables of other pipelines, which SQL is bound against. */
export async function bindOthers(session: Session, others: readonly OtherTable[]): Promise<void> {
  await unbindOthers(session, others);
  for (const { pipeline, layer, name, columns } of others) {
    for (const statement of attachPipeline(pipeline, layer)) await session.run(statement);
    await session.run(createTableAt([pipeline, layer, name], columns));
  }
}

export async function unbindOthers(session: Session, others: readonly OtherTable[]): Promise<void> {
  for (const pipeline of new Set(others.map((other) => other.pipeline))) await session.run(detachPipeline(pipeline));
}
