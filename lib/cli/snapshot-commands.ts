import { Argument, type Command } from 'commander';
import { type AwsOptions, addAws, examples, lookAt, type Start } from './command-shape.ts';

type Place = Pick<AwsOptions, 'aws' | 'stage'>;

type TagOptions = Place & { readonly snapshot?: string; readonly run?: string; readonly delete?: boolean };

type RollbackOptions = Place & { readonly to: string; readonly reingest?: boolean; readonly dryRun?: boolean };

/** The commands that name snapshots of tables, and go back to them. */
export function addSnapshots(program: Command, start: Start): void {
  const table = () => new Argument('<table>', 'a table by full name, such as retail_silver.sales');
  addAws(program.command('tag'), 'in the deployed lake, with your own rights')
    .description('give a snapshot of a table a name, by which it stays and can be read')
    .addArgument(table())
    .argument('<name>', 'a letter, then letters, digits, ".", "_" or "-"')
    .option('--snapshot <id>', 'which snapshot (default: the current one)')
    .option('--run <id>', 'the snapshot of this run')
    .option('--delete', 'take the name away')
    .addHelpText('after', examples('strata tag retail_silver.sales june --run 2026-06-30'))
    .action(async (name: string, tag: string, options: TagOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        const { run, delete: remove, snapshot } = asked;
        const request = {
          table: name,
          name: tag,
          ...(snapshot === undefined ? {} : { snapshot }),
          ...(run === undefined ? {} : { runId: run }),
          ...(remove === undefined ? {} : { remove }),
        };
        return (await import('./commands/tag.ts')).tag(there, request);
      }),
    );

  addAws(program.command('rollback'), 'in the deployed lake, with your own rights')
    .description('make a table of silver what it was, by a snapshot on top of the others; a keyed one with its log')
    .addArgument(table())
    .requiredOption('--to <moment>', 'a run, a tag, a snapshot id, or a time (UTC)')
    .option('--reingest', 'files that were taken since become new again for this table')
    .option('--dry-run', 'show what would be undone')
    .addHelpText(
      'after',
      examples(
        'strata rollback retail_silver.sales --to 2026-06-30 --dry-run',
        'strata rollback retail_silver.sales --to june --reingest',
      ),
    )
    .action(async (name: string, options: RollbackOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/rollback.ts')).rollback(there, { table: name, ...asked });
      }),
    );
}
