import type { Command } from 'commander';
import { InvalidInput } from '../../core/errors.ts';
import {
  type AwsOptions,
  addAws,
  addAwsRun,
  examples,
  parseCount,
  pipelineArgument,
  placeOf,
  type Start,
} from '../command-shape.ts';

/** What runs of deployed pipelines are made of on AWS: looked at, started once more, ended. */
export function addExecutions(program: Command, start: Start): void {
  const executions = program
    .command('executions')
    .description('look at the executions of a deployed pipeline, start a failed one once more, end one');
  addAws(executions.command('list'), 'of the deployed pipeline; they are nowhere else')
    .description('list runs and maintenance, the newest first, and the state that each is in')
    .addArgument(pipelineArgument())
    .option('--limit <n>', 'executions to show', parseCount, 20)
    .addHelpText('after', examples('strata executions list retail --aws'))
    .action(async (pipeline: string, options: AwsOptions & { readonly limit: number }, command: Command) =>
      start(command, async (context) => {
        const { place, asked } = deployedOf(options, `strata runs ${pipeline} shows the runs of a lake in a folder`);
        return (await import('../commands/executions.ts')).list(context, pipeline, asked.limit, place);
      }),
    );

  addAws(executions.command('usage'), 'of the deployed pipeline; nothing measures it elsewhere')
    .description('show what the calls of each function took at most, in percent of its memory and of its time')
    .addArgument(pipelineArgument())
    .option('--days <n>', 'of so many days', parseCount, 7)
    .addHelpText('after', examples('strata executions usage retail --aws --days 1'))
    .action(async (pipeline: string, options: AwsOptions & { readonly days: number }, command: Command) =>
      start(command, async (context) => {
        const { place, asked } = deployedOf(options, 'a run on this machine says what its steps took');
        return (await import('../commands/executions.ts')).usage(context, pipeline, asked.days, place);
      }),
    );

  addAwsRun(executions.command('redrive'))
    .description(
      'start an execution that failed, timed out or was stopped once more where it ended, with the code that it began with',
    )
    .addArgument(pipelineArgument())
    .argument('[run_id]', 'which (default: the latest that has failed)')
    .addHelpText(
      'after',
      examples('strata executions redrive retail --aws', 'strata executions redrive retail r1 --aws'),
    )
    .action(async (pipeline: string, name: string | undefined, options: AwsOptions, command: Command) =>
      start(command, async (context) => {
        const { place } = deployedOf(options, `strata run ${pipeline} finishes what was begun in a folder`);
        const request = { pipeline, ...(name === undefined ? {} : { name }) };
        return (await import('../commands/executions.ts')).redrive(context, request, place);
      }),
    );

  addAws(executions.command('stop'), 'of the deployed pipeline; Ctrl-C ends a run on this machine')
    .description('end an execution at once; the next run finishes what it has begun')
    .addArgument(pipelineArgument())
    .argument('<run_id>', 'which')
    .option('--maintenance', 'an execution of its maintenance')
    .addHelpText('after', examples('strata executions stop retail r1 --aws'))
    .action(async (pipeline: string, name: string, options: StopOptions, command: Command) =>
      start(command, async (context) => {
        const { place, asked } = deployedOf(options, 'Ctrl-C ends a run on this machine');
        const machine = asked.maintenance === true ? 'maintenance' : 'runs';
        return (await import('../commands/executions.ts')).stop(context, { pipeline, name, machine }, place);
      }),
    );
}

type StopOptions = AwsOptions & { readonly maintenance?: boolean };

/** Where, for what is on AWS alone. Throws InvalidInput without `--aws`, with what there is instead. */
export function deployedOf<Options extends AwsOptions>(
  options: Options,
  instead: string,
): Omit<ReturnType<typeof placeOf<Options>>, 'aws'> {
  const { aws, ...found } = placeOf(options);
  if (aws) return found;
  throw new InvalidInput(`no --aws: expected it, since this is about what was deployed; ${instead}`);
}
