import type { PipelineSpec } from '../core/spec.ts';
import { fullName } from '../core/tables.ts';

/** A pipeline among others: whose runs it follows, and whose tables its gold reads. */
export type PipelinePlace = {
  readonly name: string;
  readonly schedule: string | null;
  /** Pipelines after whose runs it runs. */
  readonly after: readonly string[];
  readonly followed_by: readonly string[];
  /** Tables of other pipelines, by full name. */
  readonly reads: readonly string[];
  /** Pipelines that read its tables. */
  readonly read_by: readonly string[];
};

type Node = Pick<PipelineSpec, 'name' | 'schedule' | 'after' | 'others'>;

/** Pipelines in an order in which each comes after those that it reads and follows, else by name. Compiled ones have no circle. */
export function orderPipelines(specs: readonly Node[]): readonly PipelinePlace[] {
  const byName = new Map([...specs].sort((a, b) => (a.name < b.name ? -1 : 1)).map((spec) => [spec.name, spec]));
  const ordered = new Set<string>();
  const visit = (name: string): void => {
    const spec = byName.get(name);
    if (spec === undefined || ordered.has(name)) return;
    for (const before of upstreamOf(spec)) visit(before);
    ordered.add(name);
  };
  for (const name of byName.keys()) visit(name);
  const all = [...byName.values()];
  return [...ordered].flatMap((name) => {
    const spec = byName.get(name);
    if (spec === undefined) return [];
    return {
      name,
      schedule: spec.schedule,
      after: spec.after ?? [],
      followed_by: all.filter(({ after }) => after?.includes(name)).map((one) => one.name),
      reads: (spec.others ?? []).map(fullName),
      read_by: all.filter(({ others }) => others?.some(({ pipeline }) => pipeline === name)).map((one) => one.name),
    };
  });
}

/** The pipelines that run after one, and after those, in order. */
export function followersOf(places: readonly PipelinePlace[], name: string): readonly PipelinePlace[] {
  const reached = new Set([name]);
  for (const place of places) if (place.after.some((before) => reached.has(before))) reached.add(place.name);
  return places.filter((place) => place.name !== name && reached.has(place.name));
}

function upstreamOf({ after = [], others = [] }: Node): readonly string[] {
  return [...new Set([...after, ...others.map(({ pipeline }) => pipeline)])].sort();
}
