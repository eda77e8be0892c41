import type { PipelineSpec } from '../core/spec.ts';
import type { Log } from '../ports.ts';
import { lastSpec } from '../query/last-spec.ts';
import { listPipelines } from '../runtime/load-pipeline.ts';
import { type LocalLake, openLocalLake } from '../runtime/local.ts';
import type { Context } from './context.ts';
import { createLog, type LineSink } from './output/log.ts';

/** The lake of a command. `read` makes and changes nothing below the root, which need not exist. */
export function openLake(
  { options, stderr }: Context,
  mode: 'read' | 'write',
  lines: LineSink = stderr,
  { rebase = false, profile = false }: { readonly rebase?: boolean; readonly profile?: boolean } = {},
): Promise<LocalLake> {
  const { root, pipelines, locationBase, memoryBytes } = options;
  return openLocalLake({
    root,
    pipelines,
    readOnly: mode === 'read',
    rebase,
    profile,
    log: quiet(createLog(lines, { json: false })),
    ...(locationBase === undefined ? {} : { locationBase }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  });
}

/**
 * The lake that a command is about: the one in the folder, or the deployed one, with the rights of the caller. What is for AWS
 * is loaded only then. A deployed pipeline is taken for what the folder here says, and for a command that looks, where the folder
 * has none, for what its latest run was. `trial`: shows what would be changed.
 */
export async function openLakeAt(
  context: Context,
  mode: 'read' | 'trial' | 'write',
): Promise<Pick<LocalLake, 'deps' | 'pipelines'>> {
  const { deployed } = context;
  if (deployed === undefined) return openLake(context, mode === 'write' ? 'write' : 'read');
  const { deps: here, pipelines } = await openLake(context, 'read');
  const { openRemoteTables } = await import('../runtime/remote-tables.ts');
  const tables = await openRemoteTables(deployed, createLog(context.stderr, { json: false }));
  if (mode !== 'read') return { deps: { ...tables, specs: here.specs }, pipelines };
  const specs = async (pipeline: string): Promise<PipelineSpec> => {
    if ((await listPipelines(pipelines)).includes(pipeline)) return here.specs(pipeline);
    return (await lastSpec(tables, pipeline)) ?? here.specs(pipeline);
  };
  return { deps: { ...tables, specs }, pipelines };
}

/** How a run failed is the command's own answer. */
function quiet(log: Log): Log {
  return {
    // What an alert says beside its subject, the command says too.
    info: (event, fields) => log.info(event, event === 'alert' ? { subject: fields?.['subject'] ?? '' } : fields),
    warn: (event, fields) => (event === 'the run failed' ? undefined : log.warn(event, fields)),
  };
}
