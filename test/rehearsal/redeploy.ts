import { UpdateStateMachineCommand } from '@aws-sdk/client-sfn';
import type { Deployment } from './deployment.ts';
import type { LambdaFunction } from './function.ts';
import type { Ended } from './runs.ts';
import type { Outcome } from './steps.ts';
import type { Template } from './template.ts';

const VERSION = /(:function:[\w-]+:)(\d+)/g;

/**
 * Deploys the pipeline once more, with other code, while executions work: a new version of every function, the one before kept if the template
 * says so, state machines that name the new ones. What is called without a version is new code at once, which here does not load.
 */
export async function redeploy(deployment: Deployment): Promise<Deployment> {
  const { stack, sfn, machineArn, maintenance, functionsByArn } = deployment;
  const kept = keepsVersions(stack.template);
  const anew = new Map<LambdaFunction, LambdaFunction>();
  for (const [arn, fn] of [...functionsByArn]) {
    const next = nextVersions(arn);
    if (next === arn) {
      functionsByArn.set(arn, { ...fn, taskRoot: `${fn.taskRoot}/of-another-release` });
      continue;
    }
    if (!kept) functionsByArn.delete(arn);
    const renewed = { ...fn };
    anew.set(fn, renewed);
    functionsByArn.set(next, renewed);
  }
  const update = async (stateMachineArn: string, definition: string): Promise<string> => {
    await sfn.send(new UpdateStateMachineCommand({ stateMachineArn, definition }));
    return definition;
  };
  return {
    ...deployment,
    functions: new Map([...deployment.functions].map(([name, fn]) => [name, anew.get(fn) ?? fn])),
    definition: await update(machineArn, nextVersions(deployment.definition)),
    maintenance: {
      machineArn: maintenance.machineArn,
      definition: await update(maintenance.machineArn, nextVersions(maintenance.definition)),
    },
  };
}

/** Whether executions called functions in one version alone, which is that of their definition. */
export function checkVersions({ definition }: Pick<Deployment, 'definition'>, ended: readonly Ended[]): Outcome {
  const problems = ended.flatMap(({ started, called }) =>
    [...called].filter((arn) => !definition.includes(`"${arn}"`)).map((arn) => `${started.name} called ${arn}`),
  );
  const called = new Set(ended.flatMap((one) => [...one.called]));
  if (called.size === 0) problems.push('nothing was called');
  const versions = new Set([...called].map((arn) => arn.split(':').at(-1)));
  return { problems, detail: `${called.size} functions in version ${[...versions].join(' and ')}` };
}

function nextVersions(text: string): string {
  return text.replaceAll(VERSION, (_all, name: string, version: string) => `${name}${Number(version) + 1}`);
}

/** Whether CloudFormation leaves a version that it replaces. */
function keepsVersions({ Resources }: Template): boolean {
  const versions = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Lambda::Version');
  return versions.length > 0 && versions.every(({ DeletionPolicy = '' }) => DeletionPolicy.startsWith('Retain'));
}
