/** What a synthesized CloudFormation template holds of use here. */
export type Resource = {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
};

export type Template = {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
};

/** What intrinsic functions stand for: what was made of a resource, and the pseudo parameters. */
export type World = {
  /** The value of `Ref`; undefined for a resource that is not there. */
  ref(logicalId: string): string | undefined;
  /** The value of `Fn::GetAtt`; undefined when the resource has no such attribute. */
  attribute(logicalId: string, name: string): string | undefined;
};

type Fields = Readonly<Record<string, unknown>>;

const NOTHING = 'AWS::NoValue';

/**
 * A template's value with its intrinsic functions worked out: Ref, Fn::GetAtt, Fn::Join, Fn::Sub, Fn::Select, Fn::Split.
 * A field that refers to AWS::NoValue is left out. Throws an Error that names what it cannot work out.
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
 */
export function resolve(value: unknown, world: World): unknown {
  if (Array.isArray(value)) return value.filter((one) => !isNothing(one)).map((one) => resolve(one, world));
  if (!isFields(value)) return value;
  const [name, ...others] = Object.keys(value);
  if (name !== undefined && others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) {
    return resolveFunction(name, value[name], world);
  }
  const kept = Object.entries(value).filter(([, field]) => !isNothing(field));
  return Object.fromEntries(kept.map(([key, field]) => [key, resolve(field, world)]));
}

/** As `resolve`, for a value that must turn out to be text. */
export function resolveText(value: unknown, world: World): string {
  const text = resolve(value, world);
  if (typeof text === 'string') return text;
  throw new Error(`expected text, got ${JSON.stringify(text)}`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNothing(value: unknown): boolean {
  return isFields(value) && value['Ref'] === NOTHING;
}

function resolveFunction(name: string, given: unknown, world: World): unknown {
  switch (name) {
    case 'Ref':
      return known(world.ref(String(given)), `Ref ${String(given)}`);
    case 'Fn::GetAtt':
      return attribute(typeof given === 'string' ? given : (given as readonly string[]).join('.'), world);
    case 'Fn::Join': {
      const [separator, parts] = given as [string, unknown];
      return (resolve(parts, world) as readonly unknown[]).join(separator);
    }
    case 'Fn::Split': {
      const [separator, text] = given as [string, unknown];
      return resolveText(text, world).split(separator);
    }
    case 'Fn::Select': {
      const [at, list] = given as [number | string, unknown];
      return known((resolve(list, world) as readonly unknown[])[Number(at)], `Fn::Select ${JSON.stringify(given)}`);
    }
    case 'Fn::Sub':
      return substitute(given, world);
    default:
      throw new Error(`no way to work out ${name}: ${JSON.stringify(given)}`);
  }
}

function attribute(path: string, world: World): string {
  const dot = path.indexOf('.');
  return known(world.attribute(path.slice(0, dot), path.slice(dot + 1)), `Fn::GetAtt ${path}`);
}

function substitute(given: unknown, world: World): string {
  const [text, names] = (Array.isArray(given) ? given : [given, {}]) as [string, Fields];
  return text.replaceAll(/\$\{([^}]+)\}/g, (whole, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    if (name in names) return resolveText(names[name], world);
    return name.includes('.') ? attribute(name, world) : known(world.ref(name), `\${${name}} in ${whole}`);
  });
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what}: there is no such thing`);
  return value;
}

/** The resources of one type, by logical id. */
export function resourcesOf(template: Template, type: string): readonly (readonly [string, Fields])[] {
  return Object.entries(template.Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([id, resource]) => [id, resource.Properties ?? {}] as const);
}
