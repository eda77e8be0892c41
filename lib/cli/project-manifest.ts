import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { PACKAGE_NAME, type PackageManifest } from '../package-files.ts';

/** What a project starts with: it lands the sample, runs the pipeline and shows what comes out. */
const START = [
  'strata land shop orders data/orders/*.csv',
  'strata land shop customers data/customers/*.csv',
  'strata run shop',
  'strata query "FROM shop_gold.monthly_revenue"',
].join(' && ');

export type ProjectParts = {
  /** Which Strata it depends on. */
  readonly spec: string;
  /** Whether it can be deployed. */
  readonly aws: boolean;
};

/** The CDK, with the types of Node that its own types name. */
const CDK = ['@types/node', 'aws-cdk', 'aws-cdk-lib', 'constructs'];

/** package.json of a new project in a folder of that name. */
export function renderProjectManifest(folder: string, { spec, aws }: ProjectParts, own: PackageManifest): string {
  const tools = ['typescript', ...(aws ? CDK : [])];
  const manifest = {
    name: packageName(folder),
    private: true,
    type: 'module',
    engines: own.engines,
    scripts: { start: START, test: 'tsc && strata test' },
    dependencies: { [PACKAGE_NAME]: spec },
    devDependencies: Object.fromEntries(tools.sort().map((name) => [name, own.devDependencies[name] ?? '*'])),
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** A name that npm takes, for a folder of any name. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9._~-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '');
  return name === '' ? 'lake' : name;
}

/**
 * What a project in `folder` (absolute) names as its dependency: the file or address from which this package was installed,
 * the repository while its sources run, else the release.
 */
export function dependencySpec(packageFolder: string, folder: string, own: PackageManifest): string {
  const [project = '', below] = packageFolder.split(`${sep}node_modules${sep}`);
  if (below === undefined) return `file:${pathFrom(folder, packageFolder)}`;
  const asked = askedFor(join(project, 'package.json'));
  const [, path] = /^(?:file:)?(\.{0,2}\/.*|[^:]+\.tgz)$/.exec(asked ?? '') ?? [];
  if (path !== undefined) return `file:${pathFrom(folder, resolve(project, path))}`;
  return asked?.includes(':') ? asked : own.version;
}

/** What the package.json of a project says about this package. */
function askedFor(manifest: string): string | undefined {
  if (!existsSync(manifest)) return undefined;
  const { dependencies, devDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    readonly [kind: string]: Readonly<Record<string, string>> | undefined;
  };
  return dependencies?.[PACKAGE_NAME] ?? devDependencies?.[PACKAGE_NAME];
}

function pathFrom(folder: string, path: string): string {
  const way = relative(folder, path);
  return isAbsolute(way) || way.startsWith('..') ? way : `./${way}`;
}
