import { deploymentNames } from '../../core/deployment-names.ts';
import { findDeployed } from '../../remote/deployed.ts';
import { listStacks, type StackList, type StackPlace } from '../../remote/list-stacks.ts';
import { listPipelines } from '../../runtime/load-pipeline.ts';
import { adoptedPipelines, openAccount } from '../../runtime/remote-account.ts';
import type { RemotePlace } from '../../runtime/remote-lake.ts';
import { nameCommands } from '../command-here.ts';
import { type Context, EXIT } from '../context.ts';
import { renderTable } from '../output/table.ts';

/** Shows the pipelines of the folder beside those that are deployed. */
export async function stacks(context: Context, { deployment }: RemotePlace): Promise<number> {
  const names = deploymentNames(deployment, '--stage');
  const here = await listPipelines(context.options.pipelines);
  const list = listStacks(await findDeployed(openAccount(), names), { names, here, adopted: adoptedPipelines() });
  await context.answer(list, () => renderList(list, context));
  return EXIT.done;
}

function renderList({ lake, pipelines }: StackList, { options, layout }: Context): string {
  const first = `${lake.stack}: ${lake.status ?? 'not deployed'}\n`;
  if (pipelines.length === 0) return `${first}no pipelines, neither in ${options.pipelines} nor deployed\n`;
  const rows = pipelines.map((place) => ({
    pipeline: place.pipeline,
    folder: place.here ? 'yes' : 'no',
    stack: place.stack,
    deployed: deployedText(place),
    'what to do': nameCommands(place.advice ?? '-'),
  }));
  const columns = ['pipeline', 'folder', 'stack', 'deployed', 'what to do'];
  return `${first}${renderTable(
    rows,
    columns.map((name) => ({ name, whole: true })),
    layout,
  )}`;
}

function deployedText({ status, changed, left }: StackPlace): string {
  if (status !== null) return changed === null ? status : `${status}, ${changed.slice(0, 10)}`;
  return left.length === 0 ? 'no' : `no, but databases: ${left.join(', ')}`;
}
