import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Says why a finding of cdk-nag's AwsSolutions is no problem here. It costs nothing where nobody checks. */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-${rule}`, reason });
}

/** The same for resources of a policy that end in a wildcard. */
export function acknowledgeResources(policy: IConstruct, resources: readonly unknown[], reason: string): void {
  const names = resources.map((resource) => flatten(Stack.of(policy).resolve(resource)));
  for (const name of new Set(names.filter((one) => one.includes('*')))) {
    acknowledge(policy, `IAM5[Resource::${name}]`, reason);
  }
}

/** A reference as cdk-nag writes it, which is no dependency of who uses the constructs. */
export function flatten(value: unknown): string {
  if (typeof value === 'string') return value;
  const fields = value as Readonly<Record<string, unknown>>;
  const { 'Fn::Join': join, 'Fn::GetAtt': attribute, 'Fn::Sub': text, Ref: ref } = fields;
  if (typeof text === 'string') return text.replaceAll(/\$\{([^}]*)\}/g, '<$1>');
  if (Array.isArray(join)) return (join[1] as readonly unknown[]).map(flatten).join(String(join[0]));
  if (Array.isArray(attribute)) return `<${attribute.map(flatten).join('.')}>`;
  if (ref !== undefined) return `<${flatten(ref)}>`;
  const imported = fields['Fn::ImportValue'];
  return imported === undefined ? JSON.stringify(value) : flatten(imported);
}
