import type { Command } from 'commander';
import { type AwsOptions, addAws, examples, lookAt, type Start } from './command-shape.ts';

type DropOptions = AwsOptions & { readonly data?: boolean; readonly force?: boolean; readonly dryRun?: boolean };

type RelocateOptions = { readonly from?: string; readonly dryRun?: boolean };

/** The commands that change tables without a run. */
export function addTables(program: Command, start: Start): void {
  addAws(program.command('drop'), 'drop it from the deployed lake, with your own rights')
    .description('take a table that no model makes any more out of the lake, a keyed one together with its log')
    .argument('<table>', 'a table of silver or gold, by full name')
    .option('--data', 'remove its files as well')
    .option('--force', 'also a table that a model makes: the next run makes it from all that has landed')
    .option('--dry-run', 'show what would be dropped')
    .addHelpText(
      'after',
      examples('strata drop shop_silver.old_items', 'strata drop --aws shop_silver.old_items --data'),
    )
    .action(async (table: string, options: DropOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/drop.ts')).drop(there, { table, ...asked });
      }),
    );

  program
    .command('relocate')
    .description('after a lake was moved or copied: write its new place into its metadata, for other engines')
    .option('--from <url>', 'only tables that were below this location (default: all that were elsewhere)')
    .option('--dry-run', 'show what would be rewritten')
    .addHelpText('after', examples('strata relocate --dry-run', 'strata relocate --from file:///mnt/old/lake'))
    .action(async (options: RelocateOptions, command: Command) =>
      start(command, async (context) => (await import('./commands/relocate.ts')).relocate(context, options)),
    );
}
