import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { parseSpan } from '../core/durations.ts';
import { type AwsOptions, addAws, examples, parseCount, placeOf, type Start } from './command-shape.ts';
import type { ExpiryOptions } from './commands/expire.ts';

type SweepOptions = AwsOptions & ExpiryOptions;

/** The commands that remove what the tables no longer need. */
export function addExpiry(program: Command, start: Start): void {
  addRetention(program.command('expire'), 'only snapshots that were replaced so long ago (default: 168h)')
    .description('forget old snapshots, and remove the files that only they had')
    .addOption(
      new Option('--keep <n>', 'the latest snapshots of a table that stay, however old (default: 5)').argParser(
        parseCount,
      ),
    )
    .addHelpText('after', examples('strata expire retail --dry-run', 'strata expire retail_silver.sales --keep 20'))
    .action(async (target: string, options: SweepOptions, command: Command) =>
      start(command, async (context) => {
        const { aws, place, asked } = placeOf(options);
        const request = { target, ...asked };
        if (aws) return (await import('./commands/sweep-aws.ts')).expireOnAws(context, request, place);
        return (await import('./commands/expire.ts')).expire(context, request);
      }),
    );

  addRetention(program.command('vacuum'), 'only files that were written so long ago (default: 168h)')
    .description(
      'remove files that no snapshot and no unfinished run needs, and what ended runs and dropped tables left',
    )
    .addHelpText('after', examples('strata vacuum retail --dry-run', 'strata vacuum retail_silver.sales'))
    .action(async (target: string, options: SweepOptions, command: Command) =>
      start(command, async (context) => {
        const { aws, place, asked } = placeOf(options);
        const request = { target, ...asked };
        if (aws) return (await import('./commands/sweep-aws.ts')).vacuumOnAws(context, request, place);
        return (await import('./commands/vacuum.ts')).vacuum(context, request);
      }),
    );
}

function addRetention(command: Command, olderThan: string): Command {
  return addAws(command, 'do so in the deployed lake, and follow it')
    .option('--state-machine <arn>', "the state machine (default: by the pipeline's stack)")
    .addArgument(new Argument('<pipeline|table>', 'a pipeline, its books among its tables, or a table by full name'))
    .addOption(new Option('--older-than <age>', olderThan).argParser(parseAge))
    .option('--force-retention', 'also less than 168h, where nothing else works on the lake')
    .option('--run-id <id>', 'letters, digits, - and _; the same id again returns the first result')
    .option('--dry-run', 'show what would be removed');
}

function parseAge(text: string): number {
  const age = /^0[smhd]$/.test(text) ? 0 : parseSpan(text);
  if (age !== undefined) return age;
  throw new InvalidArgumentError('Expected a span such as 168h or 30d.');
}
