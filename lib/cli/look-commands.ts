import { Argument, type Command, Option } from 'commander';
import { type AwsOptions, addAwsLook, examples, lookAt, parseCount, type Start } from './command-shape.ts';

type ReportRequest = {
  readonly out: string;
  readonly days?: number;
  readonly before?: string;
  readonly after?: string;
  readonly fresh?: boolean;
};

type DocsRequest = { readonly out: string; readonly days?: number; readonly fresh?: boolean };

/** What there is in a lake, and what happened there. */
export function addLooking(program: Command, start: Start): void {
  const table = () => new Argument('<table>', 'a table by full name, such as retail_gold.monthly_revenue');
  const fresh = () => new Option('--fresh', 'with --aws: computed now, also where the latest runs have left it');
  addAwsLook(program.command('tables'))
    .description('list the tables with rows, files, bytes and snapshots')
    .addHelpText('after', examples('strata tables', 'strata tables --json', 'strata tables --aws'))
    .action(async (options: AwsOptions, command: Command) =>
      start(command, async (context) =>
        (await import('./commands/tables.ts')).tables(lookAt(context, options).context),
      ),
    );

  addAwsLook(program.command('history'))
    .description('list the snapshots of a table, newest first')
    .addArgument(table())
    .addOption(new Option('--limit <n>', 'only so many').argParser(parseCount))
    .addHelpText('after', examples('strata history retail_silver.sales --limit 5'))
    .action(async (name: string, options: AwsOptions & { readonly limit?: number }, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/history.ts')).history(there, name, asked.limit);
      }),
    );

  program
    .command('pipelines')
    .description('list the pipelines in the order in which they run: what each reads of others and runs after')
    .addHelpText('after', examples('strata pipelines', 'strata pipelines --json'))
    .action(async (_options, command: Command) =>
      start(command, async (context) => (await import('./commands/pipelines.ts')).pipelines(context)),
    );

  addAwsLook(program.command('describe'))
    .description('show columns, partitioning, sort order, properties and lineage of a table')
    .addArgument(table())
    .addHelpText('after', examples('strata describe retail_silver.sales'))
    .action(async (name: string, options: AwsOptions, command: Command) =>
      start(command, async (context) =>
        (await import('./commands/describe.ts')).describe(lookAt(context, options).context, name),
      ),
    );

  addAwsLook(program.command('lineage'))
    .description('show what a table or a column comes from, and what comes from it')
    .argument('<name>', 'such as retail_gold.monthly_revenue, retail_silver.sales.amount, bronze/retail/transactions')
    .option('--up', 'only what it comes from')
    .option('--down', 'only what comes from it')
    .addHelpText(
      'after',
      examples('strata lineage retail_gold.monthly_revenue', 'strata lineage retail_silver.sales.amount --down'),
    )
    .action(
      async (
        name: string,
        options: AwsOptions & { readonly up?: boolean; readonly down?: boolean },
        command: Command,
      ) =>
        start(command, async (context) => {
          const { context: there, asked } = lookAt(context, options);
          const sides = { up: asked.up ?? false, down: asked.down ?? false };
          return (await import('./commands/lineage.ts')).lineage(there, name, sides);
        }),
    );

  const runs = addAwsLook(program.command('runs'))
    .description('list the runs, newest first; show one')
    .argument('[pipeline]', 'only runs of this pipeline')
    .addHelpText('after', examples('strata runs', 'strata runs retail --json', 'strata runs --aws retail'))
    .action(async (pipeline: string | undefined, options: AwsOptions, command: Command) =>
      start(command, async (context) =>
        (await import('./commands/runs.ts')).runs(lookAt(context, options).context, pipeline),
      ),
    );
  addAwsLook(runs.command('show'))
    .description(
      'show one run: its models with times, rows and cost, its accounts, what it read and wrote, what went wrong where',
    )
    .argument('<run_id>', 'the whole id, as strata runs lists it')
    .addHelpText(
      'after',
      examples('strata runs show 20261130T060000-3f9a2c', 'strata runs show --aws 20261130T060000-3f9a2c'),
    )
    .action(async (runId: string, _options: AwsOptions, command: Command) =>
      start(command, async (context) => {
        // An option that both have is the listing's, whichever it stands behind.
        const options = command.optsWithGlobals<AwsOptions>();
        return (await import('./commands/runs.ts')).showOne(lookAt(context, options).context, runId);
      }),
    );

  addAwsLook(program.command('status'))
    .description(
      'show how a pipeline does, or all: runs, promises, incidents, breaker, quarantine, what is behind or due',
    )
    .argument('[pipeline]', 'only this pipeline')
    .addOption(new Option('--days <n>', 'over which figures go (default: 30)').argParser(parseCount))
    .addHelpText('after', examples('strata status', 'strata status retail', 'strata status --aws retail --json'))
    .action(async (pipeline: string | undefined, options: AwsOptions & { readonly days?: number }, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/status.ts')).status(there, pipeline, asked.days);
      }),
    );

  addAwsLook(program.command('report'))
    .description('write a page about a pipeline, or all, that opens without a server; with it Markdown and JSON')
    .argument('[pipeline]', 'only this pipeline')
    .requiredOption('--out <dir>', 'the folder to write to')
    .addOption(new Option('--days <n>', 'over which figures go (default: 30)').argParser(parseCount))
    .addOption(fresh())
    .option('--before <beginning>', 'compare runs whose ids begin so ...')
    .option('--after <beginning>', '... with those whose ids begin so')
    .addHelpText(
      'after',
      examples('strata report --out page', 'strata report retail --out page --before base- --after tuned-'),
    )
    .action(async (pipeline: string | undefined, options: AwsOptions & ReportRequest, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/report.ts')).report(there, pipeline, asked);
      }),
    );

  addAwsLook(program.command('docs'))
    .description(
      'write a site of the whole lake that opens without a server: pipelines, tables, columns, tests, lineage',
    )
    .requiredOption('--out <dir>', 'the folder to write to')
    .addOption(new Option('--days <n>', 'over which figures go (default: 30)').argParser(parseCount))
    .addOption(fresh())
    .addHelpText('after', examples('strata docs --out site', 'strata docs --aws --out site --days 7'))
    .action(async (options: AwsOptions & DocsRequest, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/docs.ts')).docs(there, asked);
      }),
    );

  addAwsLook(program.command('cost'))
    .description('compare what the runs of a month were estimated to cost on AWS with what they recorded')
    .argument('[pipeline]', 'only runs of this pipeline')
    .option('--month <month>', 'such as 2026-11, in UTC (default: this month)')
    .addHelpText('after', examples('strata cost retail', 'strata cost --aws --month 2026-11'))
    .action(async (pipeline: string | undefined, options: AwsOptions & { readonly month?: string }, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/cost.ts')).cost(there, pipeline, asked.month);
      }),
    );
}
