import { resolve } from 'node:path';
import { buildLambdas } from '../../bundle/build.ts';
import { findFunctionSource } from '../../bundle/source.ts';
import { ARCHITECTURES, type Architecture } from '../../core/bundle-folder.ts';
import { InvalidInput } from '../../core/errors.ts';
import { checkFolder } from '../../runtime/lake-folder.ts';
import { listPipelines } from '../../runtime/load-pipeline.ts';
import { type Context, EXIT } from '../context.ts';

export type BuildOptions = { readonly out: string; readonly arch: Architecture | 'all' };

/** Compiles every pipeline and puts together what the CDK deploys. */
export async function build(context: Context, { out, arch }: BuildOptions): Promise<number> {
  const { pipelines: folder } = context.options;
  await checkFolder(folder, '--pipelines');
  if ((await listPipelines(folder)).length === 0) {
    throw new InvalidInput(
      `no pipeline in ${folder}: expected ${folder}/<name>/pipeline.ts; or name another folder by --pipelines`,
    );
  }
  const { pipelines, missing } = await buildLambdas({
    pipelines: folder,
    folder: resolve(out),
    architectures: arch === 'all' ? ARCHITECTURES : [arch],
    source: await findFunctionSource(process.cwd()),
  });
  for (const architecture of missing) {
    context.note(
      `DuckDB for linux-${architecture} is not at hand and npm could not fetch it: ` +
        'the templates can be looked at, but not deployed. Build again with a network that reaches npm',
    );
  }
  await context.answer(
    { pipelines, folder: out, missing },
    () => `built the functions of ${pipelines.join(', ')} in ${out}\n`,
  );
  return EXIT.done;
}
