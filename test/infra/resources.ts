import type { Template } from 'aws-cdk-lib/assertions';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Fields = { readonly [key: string]: Json };

export type Resource = {
  readonly id: string;
  readonly properties: Fields;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
};

export const ACCOUNT = '111122223333';
export const REGION = 'eu-west-1';

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::AccountId': ACCOUNT,
  'AWS::Region': REGION,
  'AWS::URLSuffix': 'amazonaws.com',
};

/** The resources of a type, with what CloudFormation would put in place of references. */
export function resourcesOf(template: Template, type: string): readonly Resource[] {
  return Object.entries(template.findResources(type)).map(([id, found]) => ({
    id,
    properties: resolve(template, found['Properties'] ?? {}) as Fields,
    ...(found['DeletionPolicy'] === undefined ? {} : { DeletionPolicy: found['DeletionPolicy'] }),
    ...(found['UpdateReplacePolicy'] === undefined ? {} : { UpdateReplacePolicy: found['UpdateReplacePolicy'] }),
  }));
}

/** The one resource of a type, or the one whose id begins so. Throws when there is none or more than one. */
export function resourceOf(template: Template, type: string, idPrefix = ''): Resource {
  const found = resourcesOf(template, type).filter(({ id }) => new RegExp(`^${idPrefix}[0-9A-F]{0,8}$`).test(id));
  const [only, ...others] = idPrefix === '' ? resourcesOf(template, type) : found;
  if (only === undefined || others.length > 0) throw new Error(`not one ${type} ${idPrefix}: ${found.length}`);
  return only;
}

/**
 * References as text: pseudo parameters by an account and a region, attributes as `<id>.<attribute>`, and names of
 * resources that the template gives them by those.
 */
export function resolve(template: Template, value: unknown): Json {
  if (Array.isArray(value)) return value.map((one) => resolve(template, one));
  if (typeof value !== 'object' || value === null) return value as Json;
  const fields = value as Readonly<Record<string, unknown>>;
  const [[name, argument] = ['', undefined], ...rest] = Object.entries(fields);
  if (rest.length === 0) {
    if (name === 'Ref') return PSEUDO[String(argument)] ?? String(argument);
    if (name === 'Fn::GetAtt') return (argument as readonly string[]).join('.');
    if (name === 'Fn::Join') {
      const [glue, parts] = argument as readonly [string, readonly unknown[]];
      return parts.map((part) => String(resolve(template, part))).join(glue);
    }
    if (name.startsWith('Fn::')) return JSON.stringify(fields);
  }
  return Object.fromEntries(Object.entries(fields).map(([key, one]) => [key, resolve(template, one)]));
}

/** A value inside properties by its path. Throws where the path ends early. */
export function at(value: Json | undefined, ...path: readonly (string | number)[]): Json {
  const found = path.reduce<Json | undefined>(
    (inside, key) => (inside as Readonly<Record<string | number, Json>> | undefined)?.[key],
    value,
  );
  if (found === undefined) throw new Error(`nothing at ${path.join('.')} in ${JSON.stringify(value)}`);
  return found;
}

export function list(value: Json | undefined): readonly Json[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as Json];
}

/** Ids of what would stay behind when the deployment that makes it fails, so that its name is taken when it is repeated. */
export function leftBehind(template: { readonly Resources?: Readonly<Record<string, object>> }): readonly string[] {
  return Object.entries(template.Resources ?? {}).flatMap(([id, resource]) =>
    'DeletionPolicy' in resource && resource.DeletionPolicy === 'Retain' ? [id] : [],
  );
}
