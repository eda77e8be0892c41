import type { Template } from 'aws-cdk-lib/assertions';
import type { FunctionName } from '../../lib/core/states.ts';
import { at, type Fields, type Json, list, resourceOf, resourcesOf } from './resources.ts';

export type Statement = {
  readonly effect: Json;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly condition: Fields;
};

export type Request = {
  readonly action: string;
  readonly resource: string;
  /** Of a request that lists. */
  readonly prefix?: string;
  /** Of a request for a key, by way of which service it comes and for what. */
  readonly context?: Readonly<Record<string, string>>;
};

/** What the role with this logical id may do, by all policies attached to it. */
export function statementsOf(template: Template, role: string): readonly Statement[] {
  return resourcesOf(template, 'AWS::IAM::Policy')
    .filter(({ properties }) => list(properties['Roles']).includes(role))
    .flatMap(({ properties }) => list(at(properties, 'PolicyDocument', 'Statement')))
    .map((one) => statementOf(one as Fields));
}

/** What a function may do, by the role that it shares. */
export function statementsOfFunction(template: Template, name: FunctionName): readonly Statement[] {
  const role = at(resourceOf(template, 'AWS::Lambda::Function', name).properties, 'Role');
  return statementsOf(template, String(role).replace(/\.Arn$/, ''));
}

/** Statements of a policy on a resource, such as a bucket's. */
export function statementOf(statement: Fields): Statement {
  return {
    effect: at(statement, 'Effect'),
    actions: list(statement['Action']).map(String),
    resources: list(statement['Resource']).map(String),
    condition: (statement['Condition'] ?? {}) as Fields,
  };
}

/** Whether statements allow a request. Throws for a condition that it does not know, so that none goes unseen. */
export function allows(statements: readonly Statement[], request: Request): boolean {
  return statements.some(
    ({ effect, actions, resources, condition }) =>
      effect === 'Allow' &&
      actions.some((action) => matches(action, request.action)) &&
      resources.some((resource) => matches(resource, request.resource)) &&
      holds(condition, request),
  );
}

function holds(condition: Fields, { prefix, context = {} }: Request): boolean {
  return Object.entries(condition).every(([operator, keys]) =>
    Object.entries(keys as Fields).every(([key, patterns]) => {
      if (operator === 'StringLikeIfExists' && key === 's3:prefix') {
        return prefix === undefined || list(patterns).some((pattern) => matches(String(pattern), prefix));
      }
      if (!/^String(Equals|Like)$/.test(operator) || !/^(kms:|iam:PassedToService$)/.test(key)) {
        throw new Error(`a condition that the test does not know: ${operator} ${key}`);
      }
      const found = context[key];
      return found !== undefined && list(patterns).some((pattern) => matches(String(pattern), found));
    }),
  );
}

function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('?', '.'));
  return new RegExp(`^${parts.join('.*')}$`).test(text);
}
