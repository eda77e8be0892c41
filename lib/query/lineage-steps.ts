import type { ColumnRef } from '../core/column-origins.ts';
import { InvalidInput } from '../core/errors.ts';
import { sourcePrefix } from '../core/seeds.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { didYouMean, oneOf } from '../core/suggest.ts';
import { fullName } from '../core/tables.ts';
import { tableEdges } from './lineage.ts';

/** Of a pipeline, what says where its tables and columns come from. */
export type Described = Pick<PipelineSpec, 'name' | 'sources' | 'models'>;

/**
 * One step of a lineage: `name` comes from `from`. Tables by full names, sources as `bronze/<pipeline>/<source>`, columns
 * behind a dot. By `rows`: a column by which the rows of the table `name` are chosen, joined or grouped.
 */
export type LineageStep = { readonly name: string; readonly from: string; readonly by: 'table' | 'value' | 'rows' };

export type LineageSteps = {
  readonly name: string;
  /** What it comes from, nearest first; of a column, then what chooses the rows of the tables on the way. */
  readonly upstream: readonly LineageStep[];
  /** What comes from it, nearest first. */
  readonly downstream: readonly LineageStep[];
};

/** The lineage of a table or source, or of a column of one. Throws InvalidInput for one that no pipeline has. */
export function lineageSteps(pipelines: readonly Described[], asked: string): LineageSteps {
  const name = findName(pipelines, asked);
  const tables = pipelines.flatMap(tableEdges).map((edge): LineageStep => ({ ...edge, by: 'table' }));
  const steps = [...tables, ...pipelines.flatMap(columnSteps)];
  const upstream = reach(name, steps, 'name', 'from');
  const column = tableOf(name) !== name;
  const passed = new Set(column ? [tableOf(name), ...upstream.map(({ from }) => tableOf(from))] : []);
  return {
    name,
    upstream: [...upstream, ...steps.filter((step) => step.by === 'rows' && passed.has(step.name))],
    downstream: reach(name, steps, 'from', 'name').filter((step) => column || step.by === 'table'),
  };
}

/** The name as the pipelines spell it. */
function findName(pipelines: readonly Described[], asked: string): string {
  const columns = new Map(pipelines.flatMap(columnsByTable));
  const folded = asked.toLowerCase();
  const names = [...columns].flatMap(([table, own]) => [table, ...own.map((column) => `${table}.${column}`)]);
  const found = names.find((one) => one.toLowerCase() === folded);
  if (found !== undefined) return found;
  const own = columns.get(tableOf(asked));
  if (own !== undefined) {
    const column = asked.slice(tableOf(asked).length + 1);
    throw new InvalidInput(`${tableOf(asked)} has no column ${JSON.stringify(column)}: expected ${oneOf(column, own)}`);
  }
  throw new InvalidInput(
    `no pipeline here has ${JSON.stringify(asked)}: expected a table or a source, or a column of one${didYouMean(asked, names)}`,
  );
}

function columnsByTable(spec: Described): readonly (readonly [table: string, columns: readonly string[]])[] {
  const sources = spec.sources.map(
    (source) => [folderOf(spec, source), source.columns.map(({ name }) => name)] as const,
  );
  const tables = spec.models.map(
    ({ layer, name, columns }) =>
      [fullName({ pipeline: spec.name, layer, name }), columns.map((column) => column.name)] as const,
  );
  return [...sources, ...tables];
}

/** `retail_gold.sales` of `retail_gold.sales.amount`, `bronze/retail/sales` of `bronze/retail/sales.amount`. */
function tableOf(name: string): string {
  return /^(?:bronze\/[^.]*|[^.]*\.[^.]*)/.exec(name)?.[0] ?? name;
}

function columnSteps(spec: Described): readonly LineageStep[] {
  return spec.models.flatMap(({ layer, name, origins }): readonly LineageStep[] => {
    const table = fullName({ pipeline: spec.name, layer, name });
    const { columns = {}, rows = [] } = origins ?? {};
    const values = Object.entries(columns).flatMap(([column, refs]) =>
      refs.map((ref): LineageStep => ({ name: `${table}.${column}`, from: columnName(spec, ref), by: 'value' })),
    );
    return [...values, ...rows.map((ref): LineageStep => ({ name: table, from: columnName(spec, ref), by: 'rows' }))];
  });
}

/** The full name of a column as a model of this pipeline names it. */
function columnName(spec: Described, [table, column]: ColumnRef): string {
  const [first = '', second = '', third] = table.split('.');
  if (third !== undefined) return `${first}_${second}.${third}.${column}`;
  if (first !== 'batch') return `${spec.name}_${first}.${second}.${column}`;
  return `${folderOf(spec, spec.sources.find(({ name }) => name === second) ?? { name: second })}.${column}`;
}

function folderOf(spec: Described, source: Parameters<typeof sourcePrefix>[1]): string {
  return sourcePrefix(spec.name, source).slice(0, -1);
}

/** Breadth first, so that nearer steps come first. Columns that choose rows are named, and not followed. */
function reach(
  start: string,
  steps: readonly LineageStep[],
  at: 'name' | 'from',
  to: 'name' | 'from',
): readonly LineageStep[] {
  const seen = new Set([start]);
  const found: LineageStep[] = [];
  for (let front = new Set([start]); front.size > 0; ) {
    const next = steps.filter((step) => front.has(step[at]) && (step.by !== 'rows' || at === 'from'));
    found.push(...next);
    front = new Set(next.flatMap((step) => (step.by === 'rows' || seen.has(step[to]) ? [] : [step[to]])));
    for (const one of front) seen.add(one);
  }
  return found;
}
