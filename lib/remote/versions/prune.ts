import type { DeploymentNames } from '../../core/deployment-names.ts';
import { type FunctionName, STATES, type TaskName, tasksOf } from '../../core/states.ts';
import type { Clock } from '../../ports.ts';
import { type DeployedStack, MACHINES } from '../deployed.ts';
import type { MachineDefinitions } from './machine-definitions.ts';
import type { Published } from './published.ts';
import { type FunctionVersion, superfluous, versionsIn } from './superfluous.ts';

export type PruneDeps = {
  readonly published: Published;
  readonly definitions: MachineDefinitions;
  readonly clock: Clock;
};

export type PruneRequest = {
  readonly names: DeploymentNames;
  readonly pipelines: ReadonlyMap<string, DeployedStack>;
  readonly dryRun: boolean;
};

export type PrunedPipeline = {
  readonly pipeline: string;
  readonly removed: readonly { readonly function: string; readonly version: number; readonly bytes: number }[];
  /** Versions that stay. */
  readonly kept: number;
  /** Why the pipeline was left as it is; null: it was not. */
  readonly left: string | null;
};

export type Pruned = {
  readonly dry_run: boolean;
  /** Of code that the account has no more, or would not have. */
  readonly bytes: number;
  readonly pipelines: readonly PrunedPipeline[];
};

/** An execution may be redriven for 14 days; a day more, for clocks and for what is under way. */
const REDRIVABLE_MS = 15 * 86_400_000;

/**
 * Removes versions of functions that nothing can call any more: none that a state machine names now, none that an execution at work or one
 * that can be redriven was begun with. Versions are listed before executions, so that a deploy meanwhile adds none that this could
 * take away. Throws InvalidInput for rights that are missing.
 */
export async function pruneVersions(deps: PruneDeps, request: PruneRequest): Promise<Pruned> {
  const found: PrunedPipeline[] = [];
  for (const [pipeline, stack] of [...request.pipelines].sort(([a], [b]) => (a < b ? -1 : 1))) {
    found.push(await prunePipeline(deps, request, { pipeline, stack }));
  }
  const bytes = found.flatMap(({ removed }) => removed).reduce((sum, one) => sum + one.bytes, 0);
  return { dry_run: request.dryRun, bytes, pipelines: found };
}

type Place = { readonly pipeline: string; readonly stack: DeployedStack };

async function prunePipeline(
  { published, definitions, clock }: PruneDeps,
  { names, dryRun }: PruneRequest,
  { pipeline, stack }: Place,
): Promise<PrunedPipeline> {
  const left = whyLeft(stack);
  if (left !== null) return { pipeline, removed: [], kept: 0, left };
  const versions: (readonly FunctionVersion[])[] = [];
  for (const name of calledOf(names, pipeline)) versions.push((await published.versions(name)) ?? []);
  const now = clock.now();
  const named = new Set<string>();
  for (const machine of stack.machines) {
    const held = await definitions.held(machine, new Date(now.getTime() - REDRIVABLE_MS));
    const all = [...held, await definitions.current(machine)];
    for (const name of all.flatMap(versionsIn)) named.add(name);
  }
  const removed: FunctionVersion[] = [];
  for (const version of versions.flatMap((of) => superfluous(of, named, now))) {
    if (dryRun || (await published.remove(version))) removed.push(version);
  }
  return {
    pipeline,
    removed: removed.map(({ publishedAt: _at, ...version }) => version),
    kept: versions.flat().length - removed.length,
    left: null,
  };
}

/** A deploy that is under way, or may be undone, names versions that no machine does. */
function whyLeft({ stack, status, machines }: DeployedStack): string | null {
  if (!/^(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT|IMPORT_ROLLBACK)_COMPLETE$/.test(status)) return `${stack} is ${status}`;
  return machines.length < MACHINES.length ? `${stack} does not name its state machines: deploy it again` : null;
}

/** The functions that state machines call. */
function calledOf(names: DeploymentNames, pipeline: string): readonly string[] {
  const tasks = new Set<TaskName & FunctionName>([...tasksOf('medallion'), ...tasksOf('maintenance')]);
  return [...tasks].map((task) => names.lambda(pipeline, STATES[task].file));
}
