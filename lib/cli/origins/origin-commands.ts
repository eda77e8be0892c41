import { type Command, InvalidArgumentError } from 'commander';
import { parseSpan } from '../../core/durations.ts';
import { examples, pipelineArgument, type Start } from '../command-shape.ts';
import type { ConsumeOptions } from '../commands/consume.ts';

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

  program
    .command('consume')
    .description('land the records of a Kafka topic, each once, until it is asked to end')
    .addArgument(pipelineArgument())
    .argument('<source>', 'one of its sources of a topic')
    .option('--until-idle <span>', 'end when nothing has come for so long, such as 10s', parseIdle)
    .option('--skip-lost', 'go on where the topic has lost records before they were landed')
    .addHelpText('after', examples('strata consume hr messages --until-idle 10s'))
    .action(async (pipeline: string, source: string, options: ConsumeOptions, command: Command) =>
      start(command, async (context) =>
        (await import('../commands/consume.ts')).consume(context, pipeline, source, options),
      ),
    );
}

function parseIdle(text: string): number {
  const span = parseSpan(text);
  if (span !== undefined) return span;
  throw new InvalidArgumentError("Expected a span such as '10s' or '2m'.");
}
