import type { ExpireAnswer, VacuumAnswer } from '../../core/maintenance.ts';
import { fullName, parseTableName } from '../../core/tables.ts';
import { optionsOf } from '../../runtime/maintain.ts';
import { openRemoteRuns, type RemotePlace, type RemoteRuns } from '../../runtime/remote-lake.ts';
import type { Context } from '../context.ts';
import { createProgress } from '../output/progress.ts';
import { followRun } from '../run-progress.ts';
import { type ExpiryArguments, requestOf, tellExpired } from './expire.ts';
import { tellVacuumed } from './vacuum.ts';

/** Forgets old snapshots of a deployed lake. Ctrl-C leaves it going on. */
export async function expireOnAws(context: Context, asked: ExpiryArguments, place: RemotePlace): Promise<number> {
  const options = optionsOf(requestOf(asked));
  const answer = await follow<ExpireAnswer>(context, asked, place, (runs, request) =>
    runs.expire({ ...request, expire: options }),
  );
  return tellExpired(context, answer);
}

/** Removes files of a deployed lake that nothing needs. */
export async function vacuumOnAws(
  context: Context,
  asked: Omit<ExpiryArguments, 'keep'>,
  place: RemotePlace,
): Promise<number> {
  const options = optionsOf(requestOf(asked));
  const answer = await follow<VacuumAnswer>(context, asked, place, (runs, request) =>
    runs.vacuum({ ...request, vacuum: options }),
  );
  return tellVacuumed(context, answer, context.at(place).hint);
}

type Followed = Omit<Parameters<RemoteRuns['expire']>[0], 'expire' | 'vacuum'>;

async function follow<Answer>(
  context: Context,
  { target, runId, dryRun }: ExpiryArguments,
  place: RemotePlace,
  act: (runs: RemoteRuns, request: Followed) => Promise<Answer>,
): Promise<Answer> {
  const table = target.includes('.') ? parseTableName(target) : undefined;
  const pipeline = table?.pipeline ?? target;
  const { stderr } = context;
  const progress = createProgress(stderr);
  try {
    const runs = await openRemoteRuns(pipeline, place, 'MaintenanceStateMachineArn');
    return await act(runs, {
      pipeline,
      ...(table === undefined ? {} : { table: fullName(table) }),
      ...(runId === undefined ? {} : { runId }),
      ...(dryRun === undefined ? {} : { dryRun }),
      onStarted: (arn) => progress.lines.write(`execution ${arn}; it goes on when this command is stopped\n`),
      onEvent: followRun(progress, stderr.isTTY),
    });
  } finally {
    progress.close();
  }
}
