import type { DeploymentNames } from '../core/deployment-names.ts';
import { adoptAdvice } from './check-account.ts';
import type { Deployed } from './deployed.ts';

/**
 * A pipeline of the folder here, of the account, or of both. `left`: databases of a pipeline that is in no stack any more.
 * `stack` is what runs it, or would.
 */
export type StackPlace = {
  readonly pipeline: string;
  readonly stack: string;
  readonly here: boolean;
  /** As CloudFormation says it; null: it is not deployed. */
  readonly status: string | null;
  /** ISO instant of the last deploy. */
  readonly changed: string | null;
  /** Databases that no stack has. */
  readonly left: readonly string[];
  /** What to do where folder and account differ. */
  readonly advice: string | null;
};

export type StackList = {
  readonly lake: { readonly stack: string; readonly status: string | null };
  readonly pipelines: readonly StackPlace[];
};

/** Holds the pipelines of a folder against what is deployed, in the order of their names. */
export function listStacks(
  { lake, pipelines, databases }: Deployed,
  {
    names,
    here,
    adopted,
  }: { readonly names: DeploymentNames; readonly here: readonly string[]; readonly adopted: readonly string[] },
): StackList {
  const all = [...new Set([...here, ...pipelines.keys(), ...databases.keys()])].sort();
  return {
    lake: { stack: names.lakeStack, status: lake?.status ?? null },
    pipelines: all.map((pipeline) => {
      const deployed = pipelines.get(pipeline);
      const found = {
        pipeline,
        stack: deployed?.stack ?? names.pipelineStack(pipeline),
        here: here.includes(pipeline),
      };
      const left = (databases.get(pipeline) ?? []).filter(({ managed }) => !managed).map(({ name }) => name);
      const place = {
        ...found,
        status: deployed?.status ?? null,
        changed: deployed?.changed?.toISOString() ?? null,
        left,
      };
      return { ...place, advice: adviceFor(place, adopted, names) };
    }),
  };
}

function adviceFor(
  { pipeline, stack, here, status, left }: Omit<StackPlace, 'advice'>,
  adopted: readonly string[],
  { deployment }: DeploymentNames,
): string | null {
  if (here && left.length > 0 && !adopted.includes(pipeline)) return adoptAdvice(pipeline, adopted);
  if (here) return status === null ? `npx cdk deploy ${stack}` : null;
  // The app of this folder does not know the stack.
  if (status !== null)
    return `strata stacks delete ${pipeline}${deployment === '' ? '' : ` --stage ${deployment}`}; its tables stay`;
  return 'its tables are still there; put its folder back to go on with them, or drop the databases in Glue';
}
