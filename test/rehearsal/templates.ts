import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Moto } from './moto-calls.ts';

export type Resource = {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
};

export type Template = {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
};

/** The synthesized template of a stack. */
export async function readTemplate(assembly: string, stack: string): Promise<Template> {
  const path = join(assembly, `${stack}.template.json`);
  const text = await readFile(path, 'utf8').catch(async () => {
    const there = (await readdir(assembly).catch(() => [])).filter((file) => file.endsWith('.template.json'));
    throw new Error(`no template ${path}: got ${there.join(', ') || 'none'}; run npx cdk synth first`);
  });
  return JSON.parse(text) as Template;
}

/** What references stand for: `Ref` and `Fn::GetAtt` by `<logical id>` and `<logical id>.<attribute>`. */
export type Known = ReadonlyMap<string, string>;

/** A value with its intrinsic functions worked out. Throws for a reference to something that is not known. */
export function resolve(value: unknown, moto: Moto, known: Known): unknown {
  if (Array.isArray(value)) return value.map((element) => resolve(element, moto, known));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && (first[0] === 'Ref' || first[0].startsWith('Fn::'))) {
    return intrinsic(first[0], first[1], moto, known);
  }
  return Object.fromEntries(entries.map(([name, field]) => [name, resolve(field, moto, known)]));
}

function intrinsic(name: string, argument: unknown, moto: Moto, known: Known): unknown {
  switch (name) {
    case 'Ref':
      return pseudo(String(argument), moto) ?? require(known, String(argument));
    case 'Fn::GetAtt':
      return require(known, (argument as readonly string[]).join('.'));
    case 'Fn::Join': {
      const [separator, parts] = argument as readonly [string, readonly unknown[]];
      return parts.map((part) => String(resolve(part, moto, known))).join(separator);
    }
    case 'Fn::Sub':
      return String(argument).replaceAll(/\$\{([^}]+)\}/g, (_, id: string) => pseudo(id, moto) ?? require(known, id));
    default:
      throw new Error(`the rehearsal does not know ${name}`);
  }
}

function pseudo(name: string, { region, account }: Moto): string | undefined {
  const values: Readonly<Record<string, string>> = {
    'AWS::AccountId': account,
    'AWS::Region': region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
  };
  return values[name];
}

function require(known: Known, name: string): string {
  const value = known.get(name);
  if (value === undefined) throw new Error(`the template refers to ${name}, which was not created`);
  return value;
}

/** A template with references to some resources replaced by what they stand for. */
export function replaceReferences<T>(value: T, known: Known): T {
  if (Array.isArray(value)) return value.map((element) => replaceReferences(element, known)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined) {
    const name =
      first[0] === 'Ref' ? String(first[1]) : first[0] === 'Fn::GetAtt' ? (first[1] as string[]).join('.') : '';
    const stands = known.get(name);
    if (stands !== undefined) return stands as T;
  }
  return Object.fromEntries(entries.map(([name, field]) => [name, replaceReferences(field, known)])) as T;
}
