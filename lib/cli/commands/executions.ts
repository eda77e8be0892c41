import { deploymentNames } from '../../core/deployment-names.ts';
import type { FoundExecution, MachineKind } from '../../remote/executions/list.ts';
import { functionUsage } from '../../remote/usage/function-usage.ts';
import { openAccount, openUsage } from '../../runtime/remote-account.ts';
import { listRemoteExecutions, openRemoteRuns, type RemotePlace } from '../../runtime/remote-lake.ts';
import { type Context, EXIT } from '../context.ts';
import { createProgress } from '../output/progress.ts';
import { runDocument, runText, tellEnd } from '../output/run-answer.ts';
import { renderTable } from '../output/table.ts';
import { followRun } from '../run-progress.ts';

/** Lists the executions of a deployed pipeline, runs and maintenance. */
export async function list(context: Context, pipeline: string, limit: number, place: RemotePlace): Promise<number> {
  const found = await listRemoteExecutions(pipeline, place, limit);
  await context.answer(found, () =>
    found.length === 0 ? `no executions of ${pipeline} yet\n` : render(found, context),
  );
  return EXIT.done;
}

const COLUMNS = ['machine', 'name', 'status', 'state', 'started_at', 'ended_at', 'redrives'] as const;

function render(found: readonly FoundExecution[], { layout }: Context): string {
  return renderTable(
    found,
    COLUMNS.map((name) => ({ name, whole: true })),
    layout,
  );
}

/** Starts a failed execution once more where it ended, and follows it as its run. Ctrl-C leaves it going on. */
export async function redrive(
  context: Context,
  { pipeline, name }: { readonly pipeline: string; readonly name?: string },
  place: RemotePlace,
): Promise<number> {
  const { stderr } = context;
  const progress = createProgress(stderr);
  try {
    const runs = await openRemoteRuns(pipeline, place);
    const answer = await runs.redrive({
      pipeline,
      ...(name === undefined ? {} : { name }),
      onStarted: (arn) => progress.lines.write(`execution ${arn}; it goes on when this command is stopped\n`),
      onEvent: followRun(progress, stderr.isTTY),
    });
    progress.close();
    const there = context.at(place);
    await there.answer(runDocument({ pipeline }, answer), () => runText(there, { pipeline }, answer));
    return await tellEnd(there, answer, {
      strict: false,
      unfinished: () => runs.unfinished(),
      finish: there.hint(`run ${pipeline}`),
    });
  } finally {
    progress.close();
  }
}

/** Shows what the functions of a deployed pipeline took at most, of memory and of time. */
export async function usage(context: Context, pipeline: string, days: number, place: RemotePlace): Promise<number> {
  const names = deploymentNames(place.deployment, '--stage');
  const found = await functionUsage(openUsage(openAccount()), { names, pipeline, days });
  const columns = ['function', 'calls', 'memory_percent', 'time_percent'];
  await context.answer(found, () =>
    found.length === 0
      ? `no calls of ${pipeline} in ${days} days\n`
      : renderTable(
          found,
          columns.map((name) => ({ name, whole: true })),
          context.layout,
        ),
  );
  return EXIT.done;
}

/** Ends an execution that works. */
export async function stop(
  context: Context,
  { pipeline, name, machine }: { readonly pipeline: string; readonly name: string; readonly machine: MachineKind },
  place: RemotePlace,
): Promise<number> {
  const runs = await openRemoteRuns(
    pipeline,
    place,
    machine === 'runs' ? 'StateMachineArn' : 'MaintenanceStateMachineArn',
  );
  await runs.stop({ pipeline, name });
  const there = context.at(place);
  await there.answer(
    { pipeline, name, status: 'ABORTED' },
    () =>
      `stopped ${name}; its lock ends 20 minutes after its last sign of life, then this finishes what it has begun:\n  ${there.hint(`run ${pipeline}`)}\n`,
  );
  return EXIT.done;
}
