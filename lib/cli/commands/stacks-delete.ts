import { deploymentNames } from '../../core/deployment-names.ts';
import { deleteStack } from '../../remote/delete-stack.ts';
import { findPipelines } from '../../remote/deployed.ts';
import { listPipelines } from '../../runtime/load-pipeline.ts';
import { openAccount } from '../../runtime/remote-account.ts';
import type { RemotePlace } from '../../runtime/remote-lake.ts';
import { type Context, EXIT } from '../context.ts';

/** Deletes the stack of a pipeline that the folder has no more. */
export async function deletePipelineStack(
  context: Context,
  pipeline: string,
  { deployment }: RemotePlace,
): Promise<number> {
  const account = openAccount();
  const deployed = await findPipelines(account, deploymentNames(deployment, '--stage'));
  const here = await listPipelines(context.options.pipelines);
  const stack = await deleteStack(account, { pipeline, here, deployed });
  await context.answer({ pipeline, stack, deleted: true }, () => `deleted ${stack}; the tables of ${pipeline} stay\n`);
  return EXIT.done;
}
