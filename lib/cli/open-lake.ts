import type { Log } from '../ports.ts';
import { type LocalLake, openLocalLake } from '../runtime/local.ts';
import type { Context } from './context.ts';
import { createLog, type LineSink } from './output/log.ts';

/** The lake of a command. `read` makes and changes nothing below the root, which need not exist. */
export function openLake(
  { options, stderr }: Context,
  mode: 'read' | 'write',
  lines: LineSink = stderr,
  { rebase = false }: { readonly rebase?: boolean } = {},
): Promise<LocalLake> {
  const { root, pipelines, locationBase, memoryBytes } = options;
  return openLocalLake({
    root,
    pipelines,
    readOnly: mode === 'read',
    rebase,
    log: quiet(createLog(lines, { json: false })),
    ...(locationBase === undefined ? {} : { locationBase }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  });
}

/**
 * The lake that a command is about: the one in the folder, or the deployed one, whose pipelines are those of the folder here. What
 * is for AWS is loaded only then. A deployed lake is read, and written to, with the rights of the caller.
 */
export async function openLakeAt(
  context: Context,
  mode: 'read' | 'write',
): Promise<Pick<LocalLake, 'deps' | 'pipelines'>> {
  if (context.deployed === undefined) return openLake(context, mode);
  const { deps: here, pipelines } = await openLake(context, 'read');
  const { openRemoteTables } = await import('../runtime/remote-tables.ts');
  const deployed = await openRemoteTables(context.deployed, createLog(context.stderr, { json: false }));
  return { deps: { ...deployed, specs: here.specs }, pipelines };
}

/** How a run failed is the command's own answer. */
function quiet(log: Log): Log {
  return { ...log, warn: (event, fields) => (event === 'the run failed' ? undefined : log.warn(event, fields)) };
}
