import { InvalidInput } from '../../core/errors.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { QueryDeps } from '../deps.ts';
import { type FoundTable, findTable, tableNames } from '../find-table.ts';
import { type LakeMoment, snapshotIfAny } from '../moment.ts';
import { orderPipelines } from '../pipeline-graph.ts';
import { type DiffRequest, diffSides, type TableDiff } from './diff-tables.ts';
import { computedBy, type Downstream, downstreamOf, ownTables, type UpstreamState } from './downstream.ts';
import { usualKey } from './key-of-table.ts';
import { momentOf, sideOf } from './side.ts';

export type PipelineDiffRequest = Pick<DiffRequest, 'ignore' | 'sample'> & {
  readonly pipeline: string;
  readonly from: string;
  /** Left out: now. */
  readonly to?: string;
};

/** In what the tables of a pipeline, and those that follow from them, are not the same at two moments. */
export type PipelineDiff = {
  readonly equal: boolean;
  readonly pipeline: string;
  readonly from: string;
  readonly to: string | null;
  /** Each after the tables that it is made from. */
  readonly tables: readonly TableDiff[];
};

/**
 * Compares all tables of a pipeline at two moments, and the tables of other pipelines that are computed from them: those as
 * they were last computed from what they read at each moment, whenever that was done. `all` are the pipelines that there are.
 * Throws InvalidInput for a moment that no table can be read at.
 */
export async function diffPipeline(
  deps: QueryDeps,
  spec: PipelineSpec,
  all: readonly PipelineSpec[],
  request: PipelineDiffRequest,
): Promise<PipelineDiff> {
  const others = inOrder(all.filter(({ name }) => name !== spec.name));
  const own = await existing(deps, ownTables(spec));
  if (own.length === 0)
    throw new InvalidInput(`pipeline ${spec.name} has no table yet: got none; expected one that has run`);
  const down = await existingDownstream(deps, downstreamOf(spec, others));
  const specs = new Map([spec, ...others].map((one) => [one.name, one]));
  const from = statesAt(own, down, await momentOf(deps, '--from', request.from, own));
  const to = statesAt(own, down, await momentOf(deps, '--to', request.to, own));
  const tables: TableDiff[] = [];
  for (const table of [...own, ...down.map(({ found }) => found)]) {
    const name = fullName(table.id);
    const [before, after] = [from, to].map((states) => sideOf(deps, table, states.get(name)?.snapshot));
    if (before === undefined || after === undefined) continue;
    const key = usualKey(before, after, specs.get(table.id.pipeline), request.ignore);
    tables.push(
      await diffSides(before, after, { key, tolerances: {}, ignore: request.ignore, sample: request.sample }),
    );
  }
  return {
    equal: tables.every((table) => table.equal),
    pipeline: spec.name,
    from: request.from,
    to: request.to ?? null,
    tables,
  };
}

type FoundDownstream = { readonly found: FoundTable; readonly of: Downstream };

/** By full name: the state of each table at a moment; undefined: now. */
function statesAt(
  own: readonly FoundTable[],
  down: readonly FoundDownstream[],
  moment: LakeMoment | undefined,
): ReadonlyMap<string, UpstreamState> {
  const states = new Map<string, UpstreamState>();
  for (const table of own) {
    const snapshot = moment === undefined ? currentSnapshot(table.metadata) : snapshotIfAny(table, moment);
    states.set(fullName(table.id), { metadata: table.metadata, snapshot });
  }
  for (const { found, of } of down) {
    const snapshot = moment === undefined ? currentSnapshot(found.metadata) : computedBy(found.metadata, of, states);
    states.set(fullName(found.id), { metadata: found.metadata, snapshot });
  }
  return states;
}

/** Those that are there. */
async function existing(deps: QueryDeps, ids: readonly TableId[]): Promise<readonly FoundTable[]> {
  const names = new Set(await tableNames(deps.catalog));
  const found: FoundTable[] = [];
  for (const name of ids.map(fullName)) if (names.has(name)) found.push(await findTable(deps.catalog, name));
  return found;
}

async function existingDownstream(deps: QueryDeps, all: readonly Downstream[]): Promise<readonly FoundDownstream[]> {
  const found = await existing(
    deps,
    all.map(({ id }) => id),
  );
  return found.flatMap((table) => {
    const of = all.find(({ id }) => fullName(id) === fullName(table.id));
    return of === undefined ? [] : [{ found: table, of }];
  });
}

function inOrder(specs: readonly PipelineSpec[]): readonly PipelineSpec[] {
  return orderPipelines(specs).flatMap(({ name }) => specs.find((one) => one.name === name) ?? []);
}
