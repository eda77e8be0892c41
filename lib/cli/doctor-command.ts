import type { Command } from 'commander';
import { type AwsOptions, addAws, examples, placeOf, type Start } from './command-shape.ts';

/** The commands that look at what is there before and after a deploy. */
export function addDoctor(program: Command, start: Start): void {
  addAws(program.command('doctor'), 'look at the account and region that a deploy would be made to')
    .description('look at what Strata needs here, line by line: ok, warn or fail, and what to do; changes nothing')
    .addHelpText('after', examples('strata doctor', 'strata doctor --aws', 'strata doctor --aws --stage dev --json'))
    .action(async (options: AwsOptions, command: Command) =>
      start(command, async (context) => {
        const { aws, place } = placeOf(options);
        return aws
          ? (await import('./commands/doctor-aws.ts')).doctorOnAws(context, place)
          : (await import('./commands/doctor.ts')).doctor(context);
      }),
    );

  const stacks = program
    .command('stacks')
    .description('hold the pipelines of the folder against those that are deployed')
    .option('--stage <name>', 'the deployed stage (default: the one without a name)')
    .addHelpText('after', examples('strata stacks', 'strata stacks --stage dev --json'))
    .action(async ({ stage }: { readonly stage?: string }, command: Command) =>
      start(command, async (context) =>
        (await import('./commands/stacks.ts')).stacks(context, stage === undefined ? {} : { deployment: stage }),
      ),
    );

  stacks
    .command('prune')
    .description('remove versions of deployed functions that no run, state machine or redrive needs any more')
    .argument('[pipeline]', 'only those of this pipeline')
    .option('--dry-run', 'show what would be removed')
    .addHelpText('after', examples('strata stacks prune --dry-run', 'strata stacks prune --stage dev'))
    .action(async (pipeline: string | undefined, _options, command: Command) =>
      start(command, async (context) => {
        const { dryRun = false } = command.opts<{ readonly dryRun?: boolean }>();
        const request = { dryRun, ...(pipeline === undefined ? {} : { pipeline }) };
        return (await import('./commands/stacks-prune.ts')).pruneStacks(context, request, stageOf(command));
      }),
    );

  stacks
    .command('delete')
    .description(
      'delete the stack of a pipeline that the folder has no more, and wait until it is gone; its tables stay',
    )
    .argument('<pipeline>', 'which')
    .addHelpText('after', examples('strata stacks delete old_shop'))
    .action(async (pipeline: string, _options, command: Command) =>
      start(command, async (context) =>
        (await import('./commands/stacks-delete.ts')).deletePipelineStack(context, pipeline, stageOf(command)),
      ),
    );
}

/** It may be told to the command or to the one that it is part of. */
function stageOf(command: Command): { readonly deployment?: string } {
  const { stage } = command.optsWithGlobals<{ readonly stage?: string }>();
  return stage === undefined ? {} : { deployment: stage };
}
