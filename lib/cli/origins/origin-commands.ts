import { type Command, InvalidArgumentError } from 'commander';
import { parseSpan } from '../../core/durations.ts';
import { type AwsOptions, addAws, examples, pipelineArgument, placeOf, type Start } from '../command-shape.ts';
import type { ConsumeOptions } from '../commands/consume.ts';

/** Landing what sources have elsewhere. */
export function addOrigins(program: Command, start: Start): void {
  addAws(
    program
      .command('fetch')
      .description('land what the sources of a pipeline have elsewhere: all of it as it is now, or nothing')
      .addArgument(pipelineArgument())
      .argument('[source]', 'one of its sources (default: all that can be fetched)'),
    'start the deployed functions that do it',
  )
    .addHelpText('after', examples('strata fetch crypto', 'strata fetch crypto markets', 'strata fetch crypto --aws'))
    .action(async (pipeline: string, source: string | undefined, options: AwsOptions, command: Command) =>
      start(command, async (context) => {
        const { aws, place } = placeOf(options);
        return aws
          ? (await import('./start-on-aws.ts')).fetchOnAws(context, pipeline, source, place)
          : (await import('../commands/fetch.ts')).fetchInto(context, pipeline, source);
      }),
    );

  addAws(
    program
      .command('consume')
      .description('land the records of a Kafka topic, each once, until it is asked to end')
      .addArgument(pipelineArgument())
      .argument('<source>', 'one of its sources of a topic')
      .option('--until-idle <span>', 'end when nothing has come for so long, such as 10s', parseIdle)
      .option('--skip-lost', 'go on where the topic has lost records before they were landed'),
    'start the deployed function that does it, until nothing more comes',
  )
    .addHelpText('after', examples('strata consume hr messages --until-idle 10s'))
    .action(async (pipeline: string, source: string, options: ConsumeOptions & AwsOptions, command: Command) =>
      start(command, async (context) => {
        const { aws, place, asked } = placeOf(options);
        return aws
          ? (await import('./start-on-aws.ts')).consumeOnAws(context, pipeline, source, { ...asked, place })
          : (await import('../commands/consume.ts')).consume(context, pipeline, source, asked);
      }),
    );
}

function parseIdle(text: string): number {
  const span = parseSpan(text);
  if (span !== undefined) return span;
  throw new InvalidArgumentError("Expected a span such as '10s' or '2m'.");
}
