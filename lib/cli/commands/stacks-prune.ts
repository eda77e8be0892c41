import { deploymentNames } from '../../core/deployment-names.ts';
import { InvalidInput } from '../../core/errors.ts';
import { findPipelines } from '../../remote/deployed.ts';
import { type Pruned, type PrunedPipeline, pruneVersions } from '../../remote/versions/prune.ts';
import { openAccount, openVersions } from '../../runtime/remote-account.ts';
import type { RemotePlace } from '../../runtime/remote-lake.ts';
import { type Context, EXIT } from '../context.ts';
import { formatBytes } from '../output/human.ts';
import { renderTable } from '../output/table.ts';

export type PruneArguments = { readonly pipeline?: string; readonly dryRun: boolean };

/** Removes versions of deployed functions that nothing can call any more. */
export async function pruneStacks(
  context: Context,
  { pipeline, dryRun }: PruneArguments,
  { deployment }: RemotePlace,
): Promise<number> {
  const names = deploymentNames(deployment, '--stage');
  const account = openAccount();
  const deployed = await findPipelines(account, names);
  if (pipeline !== undefined && !deployed.has(pipeline)) {
    const known = [...deployed.keys()].sort().join(', ') || 'none';
    throw new InvalidInput(`pipeline ${pipeline} is not deployed: expected one of those that are (${known})`);
  }
  const pipelines = pipeline === undefined ? deployed : new Map([...deployed].filter(([name]) => name === pipeline));
  const pruned = await pruneVersions(openVersions(account), { names, pipelines, dryRun });
  await context.answer(pruned, () => renderPruned(pruned, context));
  return EXIT.done;
}

function renderPruned({ dry_run, bytes, pipelines }: Pruned, { layout }: Context): string {
  if (pipelines.length === 0) return 'no pipelines are deployed\n';
  const count = pipelines.flatMap(({ removed }) => removed).length;
  const what = `${count} version${count === 1 ? '' : 's'} of functions, ${formatBytes(bytes)} of code`;
  const first = dry_run ? `would remove ${what}\n` : `removed ${what}\n`;
  const columns = ['pipeline', 'removed', 'kept', 'left'];
  return `${first}${renderTable(
    pipelines.map(rowOf),
    columns.map((name) => ({ name, whole: true })),
    layout,
  )}`;
}

function rowOf({ pipeline, removed, kept, left }: PrunedPipeline) {
  return { pipeline, removed: String(removed.length), kept: left === null ? String(kept) : '-', left: left ?? '-' };
}
