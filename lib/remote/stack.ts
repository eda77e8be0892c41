import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { awsFailure } from '../adapters/aws/errors.ts';
import { InvalidInput } from '../core/errors.ts';

/**
 * Some outputs of a deployed stack. Throws InvalidInput when the stack or one of them is missing, or when the caller
 * may not ask (it needs cloudformation:DescribeStacks); Unavailable for passing faults.
 * Source: docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
 */
export async function readOutputs<Name extends string>(
  client: Pick<CloudFormationClient, 'send'>,
  stack: string,
  names: readonly Name[],
): Promise<Readonly<Record<Name, string>>> {
  const found = await describe(client, stack);
  const missing = names.filter((name) => found[name] === undefined);
  if (missing.length > 0) {
    throw new InvalidInput(
      `stack ${stack} has no output ${missing.join(', ')}: expected what npx cdk deploy --all makes; deploy again`,
    );
  }
  return found as Readonly<Record<Name, string>>;
}

async function describe(
  client: Pick<CloudFormationClient, 'send'>,
  stack: string,
): Promise<Readonly<Record<string, string>>> {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    const outputs = Stacks[0]?.Outputs ?? [];
    return Object.fromEntries(outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
  } catch (cause) {
    if (cause instanceof Error && /does not exist/.test(cause.message)) {
      throw new InvalidInput(
        `stack ${stack} is not deployed in this account and region: run npx cdk deploy --all, name the stage that was deployed with --stage, or choose account and region with AWS_PROFILE and AWS_REGION`,
        [],
        { cause },
      );
    }
    if (cause instanceof Error && /Region is missing/.test(cause.message)) {
      throw new InvalidInput('no AWS region: set AWS_REGION, or a region in the profile of AWS_PROFILE', [], { cause });
    }
    throw awsFailure({ action: 'cloudformation:DescribeStacks', resource: `stack ${stack}` }, cause);
  }
}
