import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { parseSpan } from '../core/durations.ts';
import { examples, parseCount, type Start } from './command-shape.ts';
import type { ExpiryOptions } from './commands/expire.ts';

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
    .action(async (target: string, options: ExpiryOptions, command: Command) =>
      start(command, async (context) => (await import('./commands/expire.ts')).expire(context, { target, ...options })),
    );

  addRetention(program.command('vacuum'), 'only files that were written so long ago (default: 168h)')
    .description(
      'remove files that no snapshot and no unfinished run needs, and what ended runs and dropped tables left',
    )
    .addHelpText('after', examples('strata vacuum retail --dry-run', 'strata vacuum retail_silver.sales'))
    .action(async (target: string, options: ExpiryOptions, command: Command) =>
      start(command, async (context) => (await import('./commands/vacuum.ts')).vacuum(context, { target, ...options })),
    );
}

function addRetention(command: Command, olderThan: string): Command {
  return command
    .addArgument(new Argument('<pipeline|table>', 'a pipeline, its books among its tables, or a table by full name'))
    .addOption(new Option('--older-than <age>', olderThan).argParser(parseAge))
    .option('--force-retention', 'also less than 168h, where nothing else works on the lake')
    .option('--dry-run', 'show what would be removed');
}

function parseAge(text: string): number {
  const age = /^0[smhd]$/.test(text) ? 0 : parseSpan(text);
  if (age !== undefined) return age;
  throw new InvalidArgumentError('Expected a span such as 168h or 30d.');
}
