import type { ColumnQuality, LineageNode, ModelFigures } from '../../core/page-facts.ts';
import type { TestFact } from '../../core/test-fact.ts';
import { idOf } from '../page/overview.ts';
import type { Report } from '../page/report.ts';

/** A source or a table with all that is known of it, whichever pipeline says it. */
export type MapNode = LineageNode & {
  /** Whose it is; null of a table that no pipeline of the lake makes. */
  readonly pipeline: string | null;
  /** What is made from it. */
  readonly readBy: readonly string[];
  readonly tests: readonly TestFact[];
  readonly quality: readonly ColumnQuality[];
  readonly figures: ModelFigures | null;
};

export type LakeMap = {
  readonly nodes: readonly MapNode[];
  readonly byName: ReadonlyMap<string, MapNode>;
  /** By a column behind the name of its node: the columns that are made of it, alike. */
  readonly uses: ReadonlyMap<string, readonly string[]>;
};

/** All tables of a lake as one graph: a table that one pipeline reads and another makes is one node. */
export function mapLake({ pipelines }: Report): LakeMap {
  const own = pipelines.flatMap((one) =>
    one.nodes.filter(({ kind }) => kind !== 'elsewhere').map((node) => ({ node, one })),
  );
  const known = new Set(own.map(({ node }) => node.name));
  const strange = pipelines.flatMap(({ nodes }) => nodes.filter(({ name }) => !known.has(name)));
  const all = [...own.map(({ node }) => node), ...new Map(strange.map((node) => [node.name, node])).values()];
  const readBy = Map.groupBy(
    all.flatMap(({ name, reads }) => reads.map((read) => ({ name, read }))),
    ({ read }) => read,
  );
  const levels = levelsOf(all);
  const reports = new Map(own.map(({ node, one }) => [node.name, one]));
  const nodes = all.map((node): MapNode => {
    const report = reports.get(node.name);
    const model = `${node.kind}.${node.name.slice(node.name.indexOf('.') + 1)}`;
    return {
      ...node,
      level: levels.get(node.name) ?? 0,
      pipeline: report?.status.pipeline ?? null,
      readBy: (readBy.get(node.name) ?? []).map(({ name }) => name),
      tests: report?.tests.filter(({ table }) => table === node.name) ?? [],
      quality: report?.quality.filter(({ table }) => table === node.name) ?? [],
      figures: report?.models.find((one) => one.model === model) ?? null,
    };
  });
  const uses = Map.groupBy(
    nodes.flatMap(({ name, columns }) =>
      columns.flatMap((column) => column.from.map((from) => ({ from, to: `${name}.${column.name}` }))),
    ),
    ({ from }) => from,
  );
  return {
    nodes,
    byName: new Map(nodes.map((node) => [node.name, node])),
    uses: new Map([...uses].map(([from, all]) => [from, all.map(({ to }) => to)])),
  };
}

/** Each one above all that it is made from; what is made from itself by way of others stands where the walk came upon it. */
function levelsOf(nodes: readonly LineageNode[]): ReadonlyMap<string, number> {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const levels = new Map<string, number>();
  const levelOf = (name: string): number => {
    const known = levels.get(name);
    if (known !== undefined) return known;
    levels.set(name, 0);
    const reads = (byName.get(name)?.reads ?? []).filter((read) => byName.has(read));
    const level = reads.reduce((most, read) => Math.max(most, 1 + levelOf(read)), 0);
    levels.set(name, level);
    return level;
  };
  for (const { name } of nodes) levelOf(name);
  return levels;
}

/** All that a table is made from and all that is made from it, itself included. */
export function around({ byName }: LakeMap, name: string): readonly MapNode[] {
  const reach = (next: (node: MapNode) => readonly string[]): ReadonlySet<string> => {
    const reached = new Set([name]);
    for (const one of reached) {
      const node = byName.get(one);
      if (node !== undefined) for (const other of next(node)) reached.add(other);
    }
    return reached;
  };
  const names = new Set([...reach(({ reads }) => reads), ...reach(({ readBy }) => readBy)]);
  return [...byName.values()].filter((node) => names.has(node.name));
}

/** Where the page of a table is, from the folder of the site; undefined where it has none. */
export function tablePath({ byName }: LakeMap, name: string): string | undefined {
  return (byName.get(name)?.pipeline ?? null) === null ? undefined : `tables/${fileName(name)}.html`;
}

export function pipelinePath(pipeline: string): string {
  return `pipelines/${fileName(pipeline)}.html`;
}

/** Of names that differ, names of files differ too; they need no escape in a link. */
function fileName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_.-]/g, (char) => `~${char.codePointAt(0)?.toString(16)}~`);
}

/** The table or source of a column that stands behind its name: such names have two parts, and columns any. */
export function tableOfColumn(column: string): string {
  return /^[^.]*\.[^.]*/.exec(column)?.[0] ?? column;
}

export function columnId(column: string): string {
  return idOf('column', column);
}
