import { modelId, type TableRef } from '../core/spec.ts';

/** What ordering needs of a model. */
export type Readers = ReadonlyMap<string, { readonly ref: TableRef; readonly reads: readonly TableRef[] }>;

/**
 * Circles among models, each as a path that ends where it starts: `['silver.a', 'silver.b', 'silver.a']`.
 * One circle is given per model that closes one.
 */
export function findCircles(models: Readers): readonly (readonly string[])[] {
  const done = new Set<string>();
  const circles: string[][] = [];
  const visit = (id: string, path: readonly string[]): void => {
    const start = path.indexOf(id);
    if (start >= 0) circles.push([...path.slice(start), id]);
    if (start >= 0 || done.has(id)) return;
    for (const read of models.get(id)?.reads ?? []) if (models.has(modelId(read))) visit(modelId(read), [...path, id]);
    done.add(id);
  };
  for (const id of models.keys()) visit(id, []);
  return circles;
}

/**
 * Model ids by level: silver by depth of what they read, then gold by depth; each level sorted as declared.
 * The models must have no circle.
 */
export function levelsOf(models: Readers): readonly (readonly string[])[] {
  const depths = new Map<string, number>();
  const depthOf = (id: string): number => {
    const known = depths.get(id);
    if (known !== undefined) return known;
    const model = models.get(id);
    const own = (model?.reads ?? []).filter(({ pipeline }) => pipeline === undefined);
    const same = own.filter((read) => read.layer === model?.ref.layer);
    const depth = Math.max(-1, ...same.map((read) => depthOf(modelId(read)))) + 1;
    depths.set(id, depth);
    return depth;
  };
  const levels = { silver: [] as string[][], gold: [] as string[][] };
  for (const [id, { ref }] of models) {
    const layer = levels[ref.layer];
    const depth = depthOf(id);
    while (layer.length <= depth) layer.push([]);
    layer[depth]?.push(id);
  }
  return [...levels.silver, ...levels.gold];
}
