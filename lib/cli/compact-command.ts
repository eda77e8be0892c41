import { type Command, InvalidArgumentError } from 'commander';
import { type AwsOptions, addAws, examples, parseCount, placeOf, type Start } from './command-shape.ts';
import type { CompactArguments } from './commands/compact.ts';

type CompactOptions = AwsOptions & Omit<CompactArguments, 'target'>;

/** The command that writes data files anew. */
export function addCompact(program: Command, start: Start): void {
  addAws(program.command('compact'), 'compact tables of the deployed lake, and follow it')
    .option('--state-machine <arn>', "the state machine (default: by the pipeline's stack)")
    .description('join small data files and split large ones, beside runs; no row changes')
    .argument('<table>', 'a table by full name, or a pipeline for all of its tables')
    .option('--where <condition>', "only partitions for which it holds: day_month >= '2026-01'")
    .option('--target-mb <n>', "megabytes of a data file (default: the pipeline's settings.fileBytes)", parseMegabytes)
    .option('--min-files <n>', 'small files that a partition has before they are joined (default: 5)', parseCount)
    .option('--sort <columns>', 'write all rows anew, in this order', parseColumns)
    .option('--zorder <columns>', 'write all rows anew along a Z-order of these columns', parseColumns)
    .option('--all', 'also partitions that nothing has touched since the last compaction')
    .option('--run-id <id>', 'letters, digits, - and _; the same id again returns the first result')
    .option('--dry-run', 'show what would be rewritten, and why')
    .addHelpText(
      'after',
      examples(
        'strata compact retail --dry-run',
        'strata compact retail_silver.sales',
        'strata compact retail_silver.sales --zorder customer_id,product_id',
      ),
    )
    .action(async (target: string, options: CompactOptions, command: Command) =>
      start(command, async (context) => {
        const { aws, place, asked } = placeOf(options);
        const request = { target, ...asked };
        if (aws) return (await import('./commands/compact-aws.ts')).compactOnAws(context, request, place);
        return (await import('./commands/compact.ts')).compact(context, request);
      }),
    );
}

function parseMegabytes(text: string): number {
  const megabytes = Number(text);
  if (/^\d{1,5}(\.\d{1,3})?$/.test(text) && megabytes > 0) return megabytes;
  throw new InvalidArgumentError('Expected a number of megabytes, such as 128.');
}

function parseColumns(text: string): readonly string[] {
  const columns = text.split(',').map((column) => column.trim());
  if (columns.every((column) => column !== '')) return columns;
  throw new InvalidArgumentError('Expected names of columns, separated by commas.');
}
