import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compilePipeline, type Pipelines } from '../compile/compile.ts';
import { InvalidInput } from '../core/errors.ts';
import type { PipelineSpec } from '../core/spec.ts';
import type { Engine, SessionOptions } from '../ports.ts';
import { checkFolder } from './lake-folder.ts';
import { describeLoadError } from './load-error.ts';

/** A pipeline's file; compiled in the package, below node_modules, where Node reads no TypeScript. */
const FILES = ['pipeline.ts', 'pipeline.js'] as const;

/** Names of the folders below `pipelines` that hold a pipeline. */
export async function listPipelines(pipelines: string): Promise<readonly string[]> {
  const entries = await readdir(pipelines, { withFileTypes: true }).catch(() => []);
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.isDirectory() && (await pipelineFile(join(pipelines, entry.name))) !== undefined) names.push(entry.name);
  }
  return names.sort();
}

/**
 * Imports and compiles pipelines of a folder, and those whose tables they read, each once. What it gives throws InvalidInput
 * with every problem found.
 */
export function pipelineLoader(
  engine: Engine,
  session: SessionOptions,
  pipelines: string,
  instead: OtherFiles = {},
): (name: string) => Promise<PipelineSpec> {
  const done = new Map<string, PipelineSpec>();
  const load = async (name: string, before: readonly string[]): Promise<PipelineSpec> => {
    const path = [...before, name];
    const others = { names: await listPipelines(pipelines), path, compile: (other: string) => load(other, path) };
    const spec = done.get(name) ?? (await compileOne(engine, session, { pipelines, name, others, instead }));
    done.set(name, spec);
    return spec;
  };
  return (name) => load(name, []);
}

/** By a path from the folder of pipelines: the one of the file that is read in its place. */
export type OtherFiles = Readonly<Record<string, string>>;

type Loading = {
  readonly pipelines: string;
  readonly name: string;
  readonly others: Pipelines;
  readonly instead: OtherFiles;
};

async function compileOne(
  engine: Engine,
  session: SessionOptions,
  { pipelines, name, others, instead }: Loading,
): Promise<PipelineSpec> {
  const folder = resolve(pipelines, name);
  const path = /^[A-Za-z0-9_-]+$/.test(name) ? await pipelineFile(folder) : undefined;
  if (path === undefined) {
    await checkFolder(pipelines, '--pipelines');
    const { names } = others;
    throw new InvalidInput(
      `no pipeline ${JSON.stringify(name)}: expected one of ${names.length === 0 ? '(none)' : names.join(', ')} in ${pipelines}`,
    );
  }
  const shown = relative(process.cwd(), path);
  const definition = await importDefault(path, shown);
  await using opened = await engine.open(session);
  await mkdir(session.scratch, { recursive: true });
  const empty = join(session.scratch, 'empty');
  await writeFile(empty, '');
  const files = { read: (file: string) => readIfAny(join(pipelines, instead[join(name, file)] ?? join(name, file))) };
  return await compilePipeline({
    definition,
    folder: name,
    files,
    file: shown,
    session: opened,
    empty,
    pipelines: others,
  });
}

async function pipelineFile(folder: string): Promise<string | undefined> {
  for (const path of FILES.map((file) => join(folder, file))) if (await isFile(path)) return path;
  return undefined;
}

export async function importDefault(path: string, shown: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
    return module.default;
  } catch (cause) {
    throw new InvalidInput(`${shown} cannot be loaded: ${await describeLoadError(path, cause)}`, [], { cause });
  }
}

async function readIfAny(path: string): Promise<string | undefined> {
  return (await isFile(path)) ? readFile(path, 'utf8') : undefined;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
