import { Stack, Validations } from 'aws-cdk-lib';
import { flattenCfnReference } from 'cdk-nag/lib/utils/flatten-cfn-reference.js';
import type { IConstruct } from 'constructs';

/** Says why a finding of cdk-nag's AwsSolutions is no problem here. */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-${rule}`, reason });
}

/** The same for resources of a policy that end in a wildcard. */
export function acknowledgeResources(policy: IConstruct, resources: readonly string[], reason: string): void {
  for (const resource of resources.filter((one) => one.includes('*'))) {
    acknowledge(policy, `IAM5[Resource::${flattenCfnReference(Stack.of(policy).resolve(resource))}]`, reason);
  }
}
