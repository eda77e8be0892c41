import type { LineageNode } from '../../core/page-facts.ts';
import { type Html, html } from './html.ts';

const COLUMN = 230;
const NODE = { width: 180, height: 24, gap: 10 } as const;
const MARGIN = 6;
/** Passes over the levels that move each node beside those that it is made from. */
const PASSES = 4;

/** What a box stands for: a table, or one of its columns. */
export type GraphNode = Pick<LineageNode, 'name' | 'kind' | 'level' | 'reads'>;

type Placed<Node extends GraphNode = GraphNode> = Node & { readonly x: number; readonly y: number };

/** From sources on the left to what is made of them on the right, each in the column of its level; `hrefOf`: where a box leads, if anywhere. */
export function renderLineage<Node extends GraphNode>(
  nodes: readonly Node[],
  hrefOf: (name: string) => string | undefined,
  aboutOf: (node: Node) => string,
): Html {
  const placed = placeNodes(nodes);
  const byName = new Map(placed.map((node) => [node.name, node]));
  const edges = placed.flatMap((node) =>
    node.reads.flatMap((name) => {
      const from = byName.get(name);
      return from === undefined ? [] : [edge(from, node)];
    }),
  );
  const boxes = placed.map((node) => {
    const { x, y, name, kind } = node;
    const box = html`<title>${aboutOf(node)}</title><rect class="node ${kind}" x="${x}" y="${y}" width="${NODE.width}" height="${NODE.height}" rx="4"/><text x="${x + 8}" y="${y + 16}">${shortName(name)}</text>`;
    const href = hrefOf(name);
    return href === undefined
      ? html`<g>${box}</g>
`
      : html`<a href="${href}">${box}</a>
`;
  });
  const width = Math.max(...placed.map(({ x }) => x)) + NODE.width + MARGIN;
  const height = Math.max(...placed.map(({ y }) => y)) + NODE.height + MARGIN;
  return html`<div class="wide" role="region" tabindex="0" aria-label="Lineage"><svg class="graph" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="group" aria-label="Tables and what they are made from">
<g class="edges">${edges}</g>${boxes}</svg></div>
`;
}

/** In each column nodes stand in the order of the middle of what they are made from, so that few edges cross. */
export function placeNodes<Node extends GraphNode>(nodes: readonly Node[]): readonly Placed<Node>[] {
  const levels = [...Map.groupBy(nodes, ({ level }) => level)].sort(([a], [b]) => a - b).map(([, own]) => [...own]);
  const rank = new Map(levels.flatMap((own) => own.map(({ name }, at) => [name, at] as const)));
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (const own of levels.slice(1)) {
      const middle = new Map(own.map((node) => [node.name, middleOf(node, rank)]));
      own.sort((a, b) => (middle.get(a.name) ?? 0) - (middle.get(b.name) ?? 0));
      for (const [at, { name }] of own.entries()) rank.set(name, at);
    }
  }
  return levels.flatMap((own, column) =>
    own.map((node, at) => ({
      ...node,
      x: MARGIN + column * COLUMN,
      y: MARGIN + at * (NODE.height + NODE.gap),
    })),
  );
}

function middleOf({ name, reads }: GraphNode, rank: ReadonlyMap<string, number>): number {
  const places = reads.flatMap((one) => rank.get(one) ?? []);
  return places.length === 0 ? (rank.get(name) ?? 0) : places.reduce((a, b) => a + b, 0) / places.length;
}

function edge(from: Placed, to: Placed): Html {
  const [x1, y1, x2, y2] = [from.x + NODE.width, from.y + NODE.height / 2, to.x, to.y + NODE.height / 2];
  const bend = Math.max(20, (x2 - x1) / 2);
  return html`<path d="M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}"/>
`;
}

/** Within its pipeline. */
function shortName(name: string): string {
  const own = name.replace(/^.*_(?=(silver|gold)\.)/, '');
  const letters = [...own];
  return letters.length > 26 ? `${letters.slice(0, 25).join('')}…` : own;
}
