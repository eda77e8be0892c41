import { deploymentNames } from '../../core/deployment-names.ts';
import { checkAccount } from '../../remote/check-account.ts';
import { adoptedPipelines, nestsDatabases, openAccount } from '../../runtime/remote-account.ts';
import type { RemotePlace } from '../../runtime/remote-lake.ts';
import type { Context } from '../context.ts';
import { checkProject, tell } from './doctor.ts';

/** Looks at the account and the region that a deploy would be made to. Ends with 2 where it would fail. */
export async function doctorOnAws(context: Context, { deployment }: RemotePlace): Promise<number> {
  const names = deploymentNames(deployment, '--stage');
  const { findings, specs } = await checkProject(context);
  const account = await checkAccount(openAccount(), {
    names,
    specs,
    adopted: adoptedPipelines(),
    nested: nestsDatabases(),
  });
  return tell(context, [...findings, ...account]);
}
