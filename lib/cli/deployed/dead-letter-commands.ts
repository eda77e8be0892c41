import type { Command } from 'commander';
import { InvalidInput } from '../../core/errors.ts';
import { type AwsOptions, addAws, examples, parseCount, pipelineArgument, type Start } from '../command-shape.ts';
import { deployedOf } from './execution-commands.ts';

type IdOptions = AwsOptions & { readonly id?: readonly string[]; readonly all?: boolean };

const INSTEAD = 'a run on this machine takes all that has landed';

/** What could not be delivered to a deployed pipeline, or dealt with: events and schedules. */
export function addDeadLetters(program: Command, start: Start): void {
  const letters = program
    .command('dead-letters')
    .description('look at what could not be delivered to a deployed pipeline, send it once more, or remove it');
  const add = (name: string, description: string): Command =>
    addAws(letters.command(name), 'of the deployed pipeline; they are nowhere else')
      .description(description)
      .addArgument(pipelineArgument());

  add('list', 'show what each is about, and why it could not be delivered, the oldest first')
    .option('--limit <n>', 'messages to show', parseCount, 100)
    .addHelpText('after', examples('strata dead-letters list retail --aws'))
    .action(async (pipeline: string, options: AwsOptions & { readonly limit: number }, command: Command) =>
      start(command, async (context) => {
        const { place, asked } = deployedOf(options, INSTEAD);
        return (await import('../commands/dead-letters.ts')).list(context, pipeline, asked.limit, place);
      }),
    );

  add('redrive', 'send events to the starter once more, and start what schedules should have')
    .option('--id <id...>', 'only these')
    .addHelpText('after', examples('strata dead-letters redrive retail --aws'))
    .action(async (pipeline: string, options: IdOptions, command: Command) =>
      start(command, async (context) => {
        const { place, asked } = deployedOf(options, INSTEAD);
        return (await import('../commands/dead-letters.ts')).redrive(context, pipeline, asked.id ?? [], place);
      }),
    );

  add('delete', 'remove them: a run has taken what they tell of, or somebody else has dealt with it')
    .option('--id <id...>', 'these')
    .option('--all', 'all')
    .addHelpText('after', examples('strata dead-letters delete retail --aws --all'))
    .action(async (pipeline: string, options: IdOptions, command: Command) =>
      start(command, async (context) => {
        const { place, asked } = deployedOf(options, INSTEAD);
        if ((asked.id === undefined) === (asked.all !== true)) {
          throw new InvalidInput('dead-letters delete: expected --id with the ids that list shows, or --all');
        }
        return (await import('../commands/dead-letters.ts')).remove(context, pipeline, asked.id ?? [], place);
      }),
    );
}
