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

  program
    .command('stacks')
    .description('hold the pipelines of the folder against those that are deployed')
    .option('--stage <name>', 'the deployed stage (default: the one without a name)')
    .addHelpText('after', examples('strata stacks', 'strata stacks --stage dev --json'))
    .action(async ({ stage }: { readonly stage?: string }, command: Command) =>
      start(command, async (context) =>
        (await import('./commands/stacks.ts')).stacks(context, stage === undefined ? {} : { deployment: stage }),
      ),
    );
}
