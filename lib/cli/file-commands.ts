import { type Command, Option } from 'commander';
import {
  type AwsOptions,
  addAwsLook,
  addAwsRun,
  examples,
  lookAt,
  pipelineArgument,
  placeOf,
  type Start,
} from './command-shape.ts';
import type { FilesOptions, RetryOptions } from './commands/files.ts';

/** What became of landed files, and taking those again that were set aside. */
export function addFiles(program: Command, start: Start): void {
  const files = program.command('files').description('look at landed files, and take those again that were set aside');
  addAwsLook(files.command('list'))
    .description('show what became of each file that a run has dealt with')
    .addArgument(pipelineArgument())
    .option('--source <name>', 'only files of this source')
    .addOption(
      new Option('--status <status>', 'only files with this status').choices(['ingested', 'rejected', 'suspended']),
    )
    .addHelpText('after', examples('strata files list retail', 'strata files list retail --status suspended'))
    .action(async (pipeline: string, options: FilesOptions & AwsOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/files.ts')).list(there, pipeline, asked);
      }),
    );

  addAwsRun(files.command('retry'))
    .description('take files again that were suspended or rejected; all that are suspended, unless some are named')
    .addArgument(pipelineArgument())
    .option('--file <name...>', "only these, by key or by name below the source's folder")
    .addOption(new Option('--status <status>', 'files with this status').choices(['rejected', 'suspended']))
    .option('--run-id <id>', 'letters, digits, - and _; the same id again returns the first result')
    .addHelpText(
      'after',
      examples('strata files retry retail', 'strata files retry retail --file 2026-01-31.csv --memory 4GB'),
    )
    .action(async (pipeline: string, options: AwsOptions & RetryOptions, command: Command) =>
      start(command, async (context) => {
        const { aws, place, asked } = placeOf(options);
        const request = (await import('./commands/files.ts')).retryRequest(pipeline, asked);
        return aws
          ? (await import('./commands/run-aws.ts')).runOnAws(context, request, place)
          : (await import('./commands/run.ts')).run(context, request);
      }),
    );
}
