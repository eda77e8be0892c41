import type { Command } from 'commander';
import {
  type AwsOptions,
  addAws,
  addAwsLook,
  examples,
  lookAt,
  type PersonalOption,
  SHOW_PERSONAL,
  SHOW_PERSONAL_HELP,
  type Start,
} from '../command-shape.ts';

type OfPipeline = { readonly pipeline?: string };
type DecideOptions = AwsOptions &
  OfPipeline & { readonly by: string; readonly reason: string; readonly digest?: string };

const RUN_HELP = 'the id of a run that `strata runs` shows as AWAITING_APPROVAL';
const PIPELINE_HELP = 'of which pipeline the run is, where several have one of that id';

/** What people do about runs that wait to be approved. */
export function addGate(program: Command, start: Start): void {
  addAwsLook(program.command('review'))
    .description('show what a run that awaits approval would publish, beside what is published')
    .argument('<run>', RUN_HELP)
    .option('--pipeline <name>', PIPELINE_HELP)
    .option(SHOW_PERSONAL, SHOW_PERSONAL_HELP)
    .addHelpText('after', examples('strata review 20260131T0600-1a2b3c', 'strata review run-7 --aws --stage prod'))
    .action(async (runId: string, options: PersonalOption & AwsOptions & OfPipeline, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('../commands/gate.ts')).review(there, runId, asked);
      }),
    );
  addDecision(program, 'approve', start)
    .description('publish a run that awaits approval')
    .option('--digest <hex>', 'only what has this digest, or one that begins so, as the review showed it')
    .addHelpText('after', examples("strata approve run-7 --by ann --reason 'sums agree with the ledger'"));
  addDecision(program, 'reject', start)
    .description('undo a run that awaits approval; the next run takes its files again')
    .addHelpText('after', examples("strata reject run-7 --by ann --reason 'March is not closed'"));
}

function addDecision(program: Command, name: 'approve' | 'reject', start: Start): Command {
  return addAws(program.command(name), 'in the deployed lake, with your own rights')
    .argument('<run>', RUN_HELP)
    .option('--pipeline <name>', PIPELINE_HELP)
    .requiredOption('--by <name>', 'who decides')
    .requiredOption('--reason <text>', 'why, for whoever asks later')
    .action(async (runId: string, options: DecideOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        const decision = name === 'approve' ? ('approved' as const) : ('rejected' as const);
        return (await import('../commands/gate.ts')).decide(there, runId, { decision, ...asked });
      }),
    );
}
