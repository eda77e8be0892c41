import type { Command } from 'commander';
import { type AwsOptions, addAwsLook, examples, lookAt, type Start } from '../command-shape.ts';
import type { FollowOptions } from './follow.ts';

/** What the schedules of branches do, and following them where nothing else does. */
export function addSchedule(program: Command, start: Start): void {
  const schedule = program
    .command('schedule')
    .description("look at the schedules of pipelines' branches, and follow them");
  addAwsLook(schedule.command('list'))
    .description('show of each branch when it runs next, how its last period ended, and what is due')
    .argument('[pipeline]', 'only of this one')
    .addHelpText('after', examples('strata schedule list', 'strata schedule list hr --json'))
    .action(async (pipeline: string | undefined, options: AwsOptions, command: Command) =>
      start(command, async (context) => (await import('./list.ts')).list(lookAt(context, options).context, pipeline)),
    );

  schedule
    .command('run')
    .description('run branches when their schedules fire, and first what is due; Ctrl-C ends it')
    .argument('[pipeline]', 'only of this one')
    .option('--once', 'only what is due now')
    .addHelpText('after', examples('strata schedule run', 'strata schedule run hr --once'))
    .action(async (pipeline: string | undefined, options: FollowOptions, command: Command) =>
      start(command, async (context) => (await import('./follow.ts')).follow(context, pipeline, options)),
    );
}
