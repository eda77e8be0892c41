import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ARCHITECTURES, type Architecture, BINDING_MISSING } from '../core/bundle-folder.ts';
import { compilePipelines } from '../runtime/compile-pipelines.ts';
import { stageBinding } from './binding.ts';
import { APART, LIGHT } from './functions.ts';
import type { FunctionSource } from './source.ts';

export type BuildRequest = {
  /** The folder of the pipelines. */
  readonly pipelines: string;
  /** Replaced as a whole. */
  readonly folder: string;
  readonly architectures: readonly Architecture[];
  readonly source: FunctionSource;
};

export type Built = {
  readonly pipelines: readonly string[];
  /** Architectures for which DuckDB's native code is not at hand. */
  readonly missing: readonly Architecture[];
};

/**
 * Builds what is deployed: `<folder>/specs/<pipeline>.json`, and for each architecture a folder for each function, which is the same for
 * all pipelines.
 * Equal inputs give equal bytes. Throws InvalidInput for a pipeline that does not compile.
 */
export async function buildLambdas({ pipelines, folder, architectures, source }: BuildRequest): Promise<Built> {
  const fresh = `${folder}.new`;
  await rm(fresh, { recursive: true, force: true });
  const specs = join(fresh, 'specs');
  await mkdir(specs, { recursive: true });
  const compiled = await compilePipelines(pipelines);
  for (const spec of compiled) await writeFile(join(specs, `${spec.name}.json`), JSON.stringify(spec));
  const missing: Architecture[] = [];
  const code = join(fresh, 'code');
  await placeCode(source, code);
  for (const architecture of ARCHITECTURES.filter((one) => architectures.includes(one))) {
    const target = join(fresh, architecture);
    await cp(code, target, { recursive: true });
    const missed: boolean[] = [];
    for (const name of ['worker', ...APART]) {
      const worker = join(target, name);
      missed.push(!(await stageBinding(source.bindings, architecture, worker)));
      if (missed.at(-1))
        await writeFile(join(worker, BINDING_MISSING), `DuckDB for linux-${architecture} could not be fetched\n`);
    }
    if (missed.includes(true)) missing.push(architecture);
  }
  await rm(code, { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
  return { pipelines: compiled.map((spec) => spec.name), missing };
}

/** The bundler is there only where there are sources. */
async function placeCode({ code }: FunctionSource, folder: string): Promise<void> {
  switch (code.kind) {
    case 'sources': {
      const { bundleCode } = await import('./code.ts');
      return bundleCode(code.root, folder);
    }
    case 'bundles': {
      for (const name of ['worker', ...APART, ...LIGHT])
        await cp(join(code.folder, name), join(folder, name), { recursive: true });
    }
  }
}
