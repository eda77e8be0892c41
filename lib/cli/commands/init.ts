import { basename, join, resolve } from 'node:path';
import { InvalidInput } from '../../core/errors.ts';
import { packageFolder, packageManifest } from '../../package-files.ts';
import { checkFolder, requireFolder } from '../../runtime/lake-folder.ts';
import { type Context, EXIT } from '../context.ts';
import { draftGold, draftSilver } from '../model-draft.ts';
import { openLake } from '../open-lake.ts';
import { dependencySpec, renderProjectManifest } from '../project-manifest.ts';
import { type NewFile, readTemplate, writeNew } from '../scaffold.ts';

const NAME = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;

/** Makes a project in a folder: package.json, a pipeline, sample data, and what checks them. */
export async function initProject(
  context: Context,
  folder: string,
  { aws = false }: { readonly aws?: boolean },
): Promise<number> {
  const target = resolve(folder);
  const own = packageManifest();
  const manifest = {
    path: 'package.json',
    text: renderProjectManifest(basename(target), { spec: dependencySpec(packageFolder(), target, own), aws }, own),
  };
  const files = [manifest, ...(await readTemplate('project')), ...(aws ? await readTemplate('aws') : [])];
  await checkFolder(target, 'the folder');
  await requireFolder(target, 'the folder');
  await writeNew(target, files);
  const steps = [
    ...(target === process.cwd() ? [] : [`cd ${folder}`]),
    'npm install',
    'npm start        # lands data/, runs the pipeline shop, shows its gold table',
    'npm test         # types, and the tests of models',
    ...(aws
      ? ['npx strata doctor --aws   # what the account lacks; npx cdk bootstrap, once per account and region']
      : []),
    ...(aws ? ['npx cdk deploy --all'] : []),
  ];
  return tell(context, { folder, files, next: steps });
}

/** Begins another pipeline among those of the project. */
export async function initPipeline(context: Context, name: string): Promise<number> {
  const { pipelines } = context.options;
  checkName('pipeline', name);
  await checkFolder(pipelines, '--pipelines');
  const template = await readTemplate('pipeline');
  const files = template.map(({ path, text }) => ({
    path: `${name}/${path}`,
    text: text.replaceAll("'example'", `'${name}'`),
  }));
  await writeNew(pipelines, files);
  const steps = [`test ${name}`, `land ${name} events events.csv`, `run ${name}`].map(context.hint);
  return tell(context, { folder: pipelines, files, next: steps });
}

/** Begins the SQL of a table, from what the pipeline has; how it is declared is said, since pipeline.ts is the user's. */
export async function initModel(context: Context, table: string): Promise<number> {
  const { pipeline, layer, name } = parseTable(table);
  const { pipelines } = context.options;
  const spec = await (await openLake(context, 'read')).deps.specs(pipeline);
  if (spec.models.some((model) => model.layer === layer && model.name === name)) {
    throw new InvalidInput(`${table} is a table of ${pipeline} already: choose another name`);
  }
  const draft = layer === 'gold' ? draftGold(spec, name) : draftSilver(spec, name);
  const files = [{ path: `${pipeline}/${layer}/${name}.sql`, text: draft.sql }];
  await writeNew(pipelines, files);
  const steps = [
    `# in ${join(pipelines, pipeline, 'pipeline.ts')}, below ${layer}:`,
    `#   ${draft.declaration}`,
    ...[`test ${pipeline}`, `run ${pipeline}`].map(context.hint),
  ];
  return tell(context, { folder: pipelines, files, next: steps });
}

type Made = { readonly folder: string; readonly files: readonly NewFile[]; readonly next: readonly string[] };

async function tell(context: Context, { folder, files, next }: Made): Promise<number> {
  const paths = files.map(({ path }) => join(folder, path));
  await context.answer({ folder, files: paths }, () =>
    ['made:', ...paths.map((path) => `  ${path}`), '', 'next:', ...next.map((step) => `  ${step}`), ''].join('\n'),
  );
  return EXIT.done;
}

function parseTable(table: string): { pipeline: string; layer: 'silver' | 'gold'; name: string } {
  const [, pipeline, layer, name] = /^(.+)_(silver|gold)\.(.+)$/.exec(table) ?? [];
  if (pipeline === undefined || name === undefined || (layer !== 'silver' && layer !== 'gold')) {
    throw new InvalidInput(
      `${JSON.stringify(table)} is no name of a table: expected <pipeline>_gold.<name> or <pipeline>_silver.<name>`,
    );
  }
  checkName('table', name);
  return { pipeline, layer, name };
}

function checkName(what: string, name: string): void {
  if (NAME.test(name)) return;
  throw new InvalidInput(
    `${JSON.stringify(name)} is no name of a ${what}: expected lower case letters, digits and single _, starting with a letter`,
  );
}
