import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type AwsOptions,
  addAwsLook,
  examples,
  lookAt,
  SHOW_PERSONAL,
  SHOW_PERSONAL_HELP,
  type Start,
} from './command-shape.ts';
import type { DiffArguments } from './commands/diff.ts';
import type { PipelineDiffArguments } from './commands/diff-pipeline.ts';

const MOST_SHOWN = 1000;

/** What is not the same in two tables, or in one at two moments. */
export function addDiff(program: Command, start: Start): void {
  const more = (text: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), text];
  const list = (text: string): readonly string[] => text.split(',').map((name) => name.trim());
  addAwsLook(program.command('diff'))
    .description('compare the rows of a table at two moments, or of two tables; ends with 3 when they differ')
    .argument('[table]', 'a table by full name')
    .argument('[other]', 'the table to compare it with (default: itself)')
    .option('--pipeline <name>', 'all tables of a pipeline in the place of one, and those that are computed from them')
    .option('--from <moment>', 'the first side as a run left it, at a tag or snapshot, or at a time (UTC)')
    .option('--to <moment>', 'the same of the second side (default: now)')
    .option('--other <dir>', 'the folder of the lake in which the second side is')
    .addOption(
      new Option('--key <columns>', 'by which rows are paired, as a,b (default: what the pipeline says)').argParser(
        list,
      ),
    )
    .option('--no-key', 'compare rows as they are')
    .option('--tolerance <column=amount>', 'numbers that differ by no more are the same; as often as needed', more)
    .addOption(new Option('--ignore <columns>', 'columns that are not compared, as a,b').argParser(list))
    .addOption(new Option('--sample <n>', 'how many rows of each kind to show (default: 5)').argParser(parseSample))
    .option(SHOW_PERSONAL, SHOW_PERSONAL_HELP)
    .addHelpText(
      'after',
      examples(
        'strata diff retail_silver.sales --from 2026-06-30',
        'strata diff retail_gold.monthly_revenue --from run-1 --to run-2 --key yyyymm --tolerance revenue=0.01',
        'strata diff retail_silver.sales --other /backup/lake --key transaction_id',
        'strata diff --pipeline retail --from run-1 --to run-2',
      ),
    )
    .action(async (table: string | undefined, second: string | undefined, options: Options, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        const { pipeline, other: root, ...rest } = asked;
        if (pipeline !== undefined) {
          const idle = {
            table,
            key: rest.key === false ? undefined : rest.key,
            other: root,
            tolerance: rest.tolerance,
          };
          return (await import('./commands/diff-pipeline.ts')).diffPipelineTables(there, { pipeline, ...rest }, idle);
        }
        const sides = { table, other: second, root };
        return (await import('./commands/diff.ts')).diff(there, { ...rest, ...sides });
      }),
    );
}

type Options = Omit<DiffArguments, 'table' | 'other' | 'root'> &
  PipelineDiffArguments & { readonly other?: string } & AwsOptions;

function parseSample(text: string): number {
  const rows = Number(text);
  if (/^\d{1,4}$/.test(text) && rows <= MOST_SHOWN) return rows;
  throw new InvalidArgumentError(`Expected a whole number from 0 to ${MOST_SHOWN}.`);
}
