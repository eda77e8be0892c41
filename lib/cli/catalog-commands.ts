import { type Command, Option } from 'commander';
import {
  type AwsOptions,
  addAwsLook,
  examples,
  lookAt,
  parseCount,
  pipelineArgument,
  type Start,
} from './command-shape.ts';
import type { ModelsOptions } from './commands/models.ts';
import { QUERY_FORMATS } from './output/formats.ts';

/** What there is to operate, and how. */
export function addCatalog(program: Command, start: Start): void {
  const days = () => new Option('--days <n>', 'over which figures go (default: 30)').argParser(parseCount);
  addAwsLook(program.command('models'))
    .description('list the models: owner, inputs, outputs, schedule, tier, last run, p95, cost, freshness')
    .argument('[pipeline]', 'only those of this pipeline')
    .addOption(new Option('--format <format>', 'how they are printed (default: table)').choices(QUERY_FORMATS))
    .addOption(days())
    .addHelpText('after', examples('strata models', 'strata models sales --format csv'))
    .action(async (pipeline: string | undefined, options: ModelsOptions & AwsOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/models.ts')).models(there, pipeline, asked);
      }),
    );

  addAwsLook(program.command('runbook'))
    .description('print how to run a pipeline and mend it, as Markdown, with the figures of now')
    .addArgument(pipelineArgument())
    .addOption(days())
    .addHelpText('after', examples('strata runbook sales', 'strata runbook --aws sales'))
    .action(async (pipeline: string, options: AwsOptions & { readonly days?: number }, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/runbook.ts')).runbook(there, pipeline, asked.days);
      }),
    );

  program
    .command('incident')
    .description('try out what a failure looks like')
    .command('simulate')
    .description('let a run fail by an expectation and mend it, in a lake of its own: alert, incident, time to repair')
    .addArgument(pipelineArgument())
    .addHelpText('after', examples('strata incident simulate sales', 'strata incident simulate sales --json'))
    .action(async (pipeline: string, _options, command: Command) =>
      start(command, async (context) => (await import('./commands/incident.ts')).simulate(context, pipeline)),
    );
}
