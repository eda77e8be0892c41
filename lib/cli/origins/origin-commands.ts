import type { Command } from 'commander';
import { examples, pipelineArgument, type Start } from '../command-shape.ts';

/** Landing what sources have elsewhere. */
export function addOrigins(program: Command, start: Start): void {
  program
    .command('fetch')
    .description('land what the sources of a pipeline have elsewhere: all of it as it is now, or nothing')
    .addArgument(pipelineArgument())
    .argument('[source]', 'one of its sources (default: all that can be fetched)')
    .addHelpText('after', examples('strata fetch crypto', 'strata fetch crypto markets'))
    .action(async (pipeline: string, source: string | undefined, _options, command: Command) =>
      start(command, async (context) => (await import('../commands/fetch.ts')).fetchInto(context, pipeline, source)),
    );
}
