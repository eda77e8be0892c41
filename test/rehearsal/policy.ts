import type { AwsCall } from './aws-call.ts';

/** A statement of an IAM policy, its intrinsic functions worked out. */
export type Statement = {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
};

/**
 * The resources of a call that the statements do not grant: none when it is allowed. Actions match without case, `*` and
 * `?` are wildcards, a Deny wins. Throws an Error for a condition that is not known here.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function refusedResources(
  statements: readonly Statement[],
  call: Pick<AwsCall, 'action' | 'resources' | 'context'>,
): readonly string[] {
  return call.resources.filter((resource) => {
    const applying = statements.filter((statement) => applies(statement, call, resource));
    return !applying.some(({ Effect }) => Effect === 'Allow') || applying.some(({ Effect }) => Effect === 'Deny');
  });
}

function applies(statement: Statement, call: Pick<AwsCall, 'action' | 'context'>, resource: string): boolean {
  return (
    list(statement.Action).some((action) => isLike(action.toLowerCase(), call.action.toLowerCase())) &&
    list(statement.Resource).some((pattern) => isLike(pattern, resource)) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => holds(operator, call.context[key], list(wanted))),
    )
  );
}

function holds(operator: string, found: string | undefined, wanted: readonly string[]): boolean {
  const [, name, ifExists] = /^(\w+?)(IfExists)?$/.exec(operator) ?? [];
  if (found === undefined) return ifExists !== undefined;
  switch (name) {
    case 'StringLike':
      return wanted.some((pattern) => isLike(pattern, found));
    case 'StringEquals':
      return wanted.includes(found);
    case 'Bool':
      return wanted.some((one) => String(one) === found);
    case 'NumericLessThan':
      return wanted.some((one) => Number(found) < Number(one));
    default:
      throw new Error(`no way to tell whether the condition ${operator} holds`);
  }
}

/** A few patterns are held against thousands of calls. */
const known = new Map<string, RegExp>();

function isLike(pattern: string, text: string): boolean {
  const made = known.get(pattern) ?? expressionOf(pattern);
  known.set(pattern, made);
  return made.test(text);
}

function expressionOf(pattern: string): RegExp {
  const escaped = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[\\s\\S]*')
    .replaceAll('?', '[\\s\\S]');
  return new RegExp(`^${escaped}$`);
}

function list<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
