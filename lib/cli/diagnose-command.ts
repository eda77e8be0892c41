import type { Command } from 'commander';
import {
  type AwsOptions,
  addAwsLook,
  examples,
  lookAt,
  SHOW_PERSONAL,
  SHOW_PERSONAL_HELP,
  type Start,
} from './command-shape.ts';
import type { DiagnoseOptions } from './commands/diagnose.ts';

/** What makes a source or a table slow, or large. */
export function addDiagnose(program: Command, start: Start): void {
  addAwsLook(program.command('diagnose'))
    .description(
      'show hot keys, skew, small files, rows by day, null values and a sample, each with what is done about it',
    )
    .argument('<source|table>', 'a source as <pipeline>.<source>, or a table by full name; all of it is read')
    .option('--no-record', 'do not add it to <pipeline>_ops.diagnostics')
    .option(SHOW_PERSONAL, SHOW_PERSONAL_HELP)
    .addHelpText(
      'after',
      examples('strata diagnose sales.transactions', 'strata diagnose sales_silver.transactions --json'),
    )
    .action(async (name: string, options: DiagnoseOptions & AwsOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/diagnose.ts')).diagnose(there, name, asked);
      }),
    );
}
