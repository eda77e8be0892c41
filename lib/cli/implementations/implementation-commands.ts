import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AwsOptions, addAws, addAwsLook, examples, lookAt, parseCount, type Start } from '../command-shape.ts';

type SwitchOptions = AwsOptions & {
  readonly to: string;
  readonly by?: string;
  readonly reason?: string;
  readonly parities: number;
  readonly dryRun?: boolean;
};

const TABLE = 'a gold table by full name, such as retail_gold.monthly_revenue';

/** The commands about models that have several texts. */
export function addImplementations(program: Command, start: Start): void {
  addAwsLook(program.command('parity'))
    .description('list whether other texts of gold models made the same rows, as runs with --shadow found it')
    .argument('[table]', TABLE)
    .addOption(new Option('--limit <n>', 'of each pipeline only so many').argParser(parseCount).default(20))
    .addHelpText('after', examples('strata parity', 'strata parity retail_gold.monthly_revenue --json'))
    .action(async (table: string | undefined, options: AwsOptions & { readonly limit: number }, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./parity.ts')).parity(there, table, asked.limit);
      }),
    );
  addAws(program.command('switch'), 'in the deployed lake, with your own rights')
    .description('let another text of a gold model make its table, or go back to the one before')
    .argument('<table>', TABLE)
    .requiredOption('--to <name>', 'the text, as the pipeline names it')
    .option('--by <name>', 'who decides (default: your name on this machine)')
    .option('--reason <text>', 'why (default: what allowed it)')
    .addOption(
      new Option('--parities <n>', 'so many of the latest comparisons have to be equal, each of other rows')
        .argParser(parseLeast)
        .default(3),
    )
    .option('--dry-run', 'say what would be done, and do nothing')
    .addHelpText(
      'after',
      examples(
        'strata switch retail_gold.monthly_revenue --to candidate --dry-run',
        "strata switch retail_gold.monthly_revenue --to candidate --reason 'ticket 4711'",
      ),
    )
    .action(async (table: string, options: SwitchOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./switch.ts')).switchTo(there, { table, ...asked });
      }),
    );
}

function parseLeast(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number, 1 or more.');
}
