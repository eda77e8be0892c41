import type { Command } from 'commander';
import {
  type AwsOptions,
  addAwsLook,
  addRunOptions,
  addSelectors,
  askedBy,
  examples,
  lookAt,
  type PersonalOption,
  pipelineArgument,
  placeOf,
  type RunOptions,
  SHOW_PERSONAL,
  SHOW_PERSONAL_HELP,
  type Start,
  waitFor,
} from './command-shape.ts';
import type { BackfillArguments } from './commands/backfill.ts';
import type { ReprocessArguments } from './commands/reprocess.ts';

/** The commands for keyed tables, which keep the events that their rows come from. */
export function addKeyed(program: Command, start: Start): void {
  addRunOptions(program.command('rebuild'))
    .description('compute a keyed table anew from its log, by the mode that it is declared with now')
    .argument('<table>', 'a table of mode upsert or scd2, by full name')
    .addHelpText('after', examples('strata rebuild hr_silver.employee_timeframe'))
    .action(async (table: string, options: RunOptions, command: Command) =>
      start(command, async (context) => {
        const { aws, place, asked } = placeOf(options);
        const { wait, ...how } = askedBy(asked);
        const request = { table, ...how, ...waitFor(wait, aws) };
        return aws
          ? (await import('./commands/run-aws.ts')).rebuildOnAws(context, request, place)
          : (await import('./commands/rebuild.ts')).rebuild(context, request);
      }),
    );

  addRunOptions(program.command('reprocess'))
    .description('take corrected files in bronze through again, in the place of what runs took of them before')
    .addArgument(pipelineArgument())
    .requiredOption('--source <name>', 'the source of the files')
    .option('--file <name...>', "files by their names below the source's folder")
    .option('--from <time>', 'files that landed at this time or later (UTC)')
    .option('--to <time>', 'files that landed before this time (UTC)')
    .addHelpText(
      'after',
      examples(
        'strata reprocess hr --source employee_timeframe --file employee_timeframe_data.csv',
        'strata reprocess hr --source employee_timeframe --from 2026-01-01 --to 2026-02-01',
      ),
    )
    .action(async (pipeline: string, options: RunOptions & Omit<ReprocessArguments, 'pipeline'>, command: Command) =>
      start(command, async (context) => {
        const { aws, place, asked } = placeOf(options);
        const { wait, ...how } = askedBy(asked);
        const request = (await import('./commands/reprocess.ts')).reprocessRequest({
          pipeline,
          ...how,
          ...waitFor(wait, aws),
        });
        return aws
          ? (await import('./commands/run-aws.ts')).runOnAws(context, request, place)
          : (await import('./commands/run.ts')).run(context, request);
      }),
    );

  addSelectors(addRunOptions(program.command('backfill')))
    .description('make silver tables anew from all that has landed, as the pipeline is now, and what is made from them')
    .addArgument(pipelineArgument())
    .option('--allow-missing', 'do without files that were ingested and are gone from bronze')
    .option(
      '--from <time>',
      'only partitions that begin at this time or later (UTC), of tables that are partitioned by a time',
    )
    .option('--to <time>', 'only partitions that begin before this time (UTC)')
    .addHelpText(
      'after',
      examples(
        'strata backfill hr --dry-run',
        'strata backfill retail --select source:sales',
        'strata backfill retail --select sales --from 2026-01-01 --to 2026-02-01 --dry-run',
      ),
    )
    .action(async (pipeline: string, options: RunOptions & Omit<BackfillArguments, 'pipeline'>, command: Command) =>
      start(command, async (context) => {
        const { aws, place, asked } = placeOf(options);
        const { wait, ...how } = askedBy(asked);
        const { backfillRequest } = await import('./commands/backfill.ts');
        const request = backfillRequest({ pipeline, ...how, ...waitFor(wait, aws) });
        return aws
          ? (await import('./commands/run-aws.ts')).runOnAws(context, request, place)
          : (await import('./commands/run.ts')).run(context, request);
      }),
    );

  addAwsLook(program.command('key'))
    .description('show the events of one key beside the rows that they made: why is it as it is?')
    .argument('<table>', 'a table of mode upsert or scd2, by full name')
    .argument('<key...>', 'the value of each key column, in their order')
    .option(SHOW_PERSONAL, SHOW_PERSONAL_HELP)
    .addHelpText(
      'after',
      examples('strata key hr_silver.employee_timeframe 10001', 'strata key shop_silver.items 7 eu'),
    )
    .action(async (table: string, parts: string[], options: PersonalOption & AwsOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/key.ts')).key(there, table, parts, asked);
      }),
    );
}
