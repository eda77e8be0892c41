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
import type { TraceArguments } from './commands/trace.ts';

/** From a row back to the line that brought it. */
export function addTrace(program: Command, start: Start): void {
  addAwsLook(program.command('trace'))
    .description('show which lines of which landed files brought rows of a silver table, and the runs that took them')
    .argument('<table>', 'a silver table by full name')
    .requiredOption('--where <sql>', 'a condition over the columns of the table')
    .option('--limit <n>', 'rows to trace (default: 10)')
    .option(SHOW_PERSONAL, SHOW_PERSONAL_HELP)
    .addHelpText(
      'after',
      examples(
        'strata trace retail_silver.sales --where "transaction_id = 4711"',
        'strata trace hr_silver.employee_timeframe --where "employee_id = 10001 AND is_current"',
      ),
    )
    .action(async (table: string, options: Omit<TraceArguments, 'table'> & AwsOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/trace.ts')).trace(there, { table, ...asked });
      }),
    );
}
