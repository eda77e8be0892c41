import type { Template } from 'aws-cdk-lib/assertions';
import { ACCOUNT, type Fields, type Json, list, resolve } from './resources.ts';

/** CloudWatch Logs says for which log group it asks, by what it encrypts: the account is part of it. */
const LOGS = /^logs\..*\.amazonaws\.com$/;
const OF_LOGS = 'kms:EncryptionContext:aws:logs:arn';

/** Why a service is let in without one of the conditions. */
const REASONS: Readonly<Record<string, { readonly without: 'SourceArn' | 'SourceAccount'; readonly reason: string }>> =
  {
    'lambda.amazonaws.com': {
      without: 'SourceArn',
      reason: 'Lambda gives it to policies on functions, not to those of the roles that functions have',
    },
    'events.amazonaws.com': {
      without: 'SourceAccount',
      reason: 'EventBridge gives only the ARN of the rule, which holds the account',
    },
  };

export type Trusted = { readonly place: string; readonly service: string; readonly conditions: Fields };

/** Everything in a template that lets in a service: statements of any policy, wherever it stands, and permissions of functions. */
export function trustedIn(template: Template): readonly Trusted[] {
  const resources = template.toJSON()['Resources'] as Readonly<Record<string, Fields>>;
  return Object.entries(resources).flatMap(([place, { Type, Properties }]) => {
    const properties = resolve(template, Properties ?? {}) as Fields;
    const statements = Type === 'AWS::Lambda::Permission' ? [permissionOf(properties)] : statementsIn(properties);
    return statements.flatMap(({ Principal, Condition = {} }) =>
      list((Principal as Fields)['Service']).map((service) => ({
        place,
        service: String(service),
        conditions: flattened(Condition),
      })),
    );
  });
}

function statementsIn(value: Json | undefined): readonly Fields[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((one: Json) => statementsIn(one));
  const fields = value as Fields;
  return fields['Principal'] === undefined ? Object.values(fields).flatMap(statementsIn) : [fields];
}

/** As the statement that Lambda makes of it. */
function permissionOf({ Principal = '', SourceArn, SourceAccount }: Fields): Fields {
  const keys = {
    ...(SourceArn === undefined ? {} : { 'aws:SourceArn': SourceArn }),
    ...(SourceAccount === undefined ? {} : { 'aws:SourceAccount': SourceAccount }),
  };
  return { Principal: { Service: Principal }, Condition: { StringEquals: keys } };
}

/** Values by condition key. An operator that lets pass what lacks the key is none. */
function flattened(condition: Json): Fields {
  const strict = Object.entries(condition as Fields).filter(([operator]) => !operator.endsWith('IfExists'));
  return Object.assign({}, ...strict.map(([, keys]) => keys)) as Fields;
}

/** What is missing, in words; empty where both conditions hold, or one and the reason. */
export function missingOf({ place, service, conditions }: Trusted): readonly string[] {
  if (LOGS.test(service) && String(conditions[OF_LOGS]).includes(ACCOUNT)) return [];
  return (['SourceArn', 'SourceAccount'] as const)
    .filter((key) => REASONS[service]?.without !== key && conditions[`aws:${key}`] === undefined)
    .map((key) => `${place} lets in ${service} without aws:${key}`);
}
