import { type Command, Option } from 'commander';
import {
  type AwsOptions,
  addAws,
  addAwsLook,
  examples,
  lookAt,
  type PersonalOption,
  parseCount,
  pipelineArgument,
  SAFE_CSV_HELP,
  SHOW_PERSONAL,
  SHOW_PERSONAL_HELP,
  type Start,
} from './command-shape.ts';
import type { QuarantineOptions } from './commands/quarantine.ts';

type ListOptions = QuarantineOptions & AwsOptions & { limit: number };

type ReleaseOptions = QuarantineOptions & AwsOptions & { by?: string; reason?: string };

type ExportOptions = QuarantineOptions & AwsOptions & { format?: 'csv' | 'json'; safeCsv?: boolean };

/** As they are in the table; the use case's own list would load the engine for a help text. */
const STATUSES = ['quarantined', 'condemned', 'released'];

/** What becomes of rejected rows, and of a pipeline that rejects too many. */
export function addQuarantine(program: Command, start: Start): void {
  const quarantine = program.command('quarantine').description('look at rejected rows, and release them');
  addFilters(addAwsLook(quarantine.command('list')))
    .description('count rejected rows by source, code and status, and show the newest')
    .option('--limit <n>', 'rows to show', parseCount, 20)
    .option(SHOW_PERSONAL, SHOW_PERSONAL_HELP)
    .addHelpText('after', examples('strata quarantine list transactions', 'strata quarantine list hr --code NULL_KEY'))
    .action(async (pipeline: string, options: ListOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/quarantine.ts')).list(there, pipeline, asked);
      }),
    );

  addAwsLook(quarantine.command('show'))
    .description('show all about one row: its text, what is wrong with it, and each time that it came')
    .addArgument(pipelineArgument())
    .argument('<row_hash>', 'the hash of the row, or the beginning of it')
    .option(SHOW_PERSONAL, SHOW_PERSONAL_HELP)
    .addHelpText('after', examples('strata quarantine show transactions 3f9a2c81'))
    .action(async (pipeline: string, hash: string, options: PersonalOption & AwsOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/quarantine.ts')).show(there, pipeline, hash, asked);
      }),
    );

  addFilters(addAwsLook(quarantine.command('export')))
    .description('print rejected rows with all that is known of them')
    .addOption(new Option('--format <format>', 'how to print the rows').choices(['csv', 'json']))
    .option('--safe-csv', SAFE_CSV_HELP)
    .option(SHOW_PERSONAL, SHOW_PERSONAL_HELP)
    .addHelpText('after', examples('strata quarantine export transactions --safe-csv > rejected.csv'))
    .action(async (pipeline: string, options: ExportOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/quarantine.ts')).exportRows(there, pipeline, asked);
      }),
    );

  addFilters(addAws(quarantine.command('release'), 'in the deployed lake, with your own rights'))
    .description('hold rejected rows no longer against what lands from now on; they stay on record')
    .option('--by <name>', 'who asks, where two have to: for condemned rows of a pipeline whose runs are approved')
    .option('--reason <text>', 'why, for the same')
    .addHelpText('after', examples('strata quarantine release transactions --code DOMAIN_ERROR'))
    .action(async (pipeline: string, options: ReleaseOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/quarantine.ts')).release(there, pipeline, asked);
      }),
    );
}

function addFilters(command: Command): Command {
  return command
    .addArgument(pipelineArgument())
    .option('--source <name>', 'only rows of this source')
    .option('--code <code>', 'only rows with this error code, such as NULL_VALUE_ERROR')
    .addOption(new Option('--status <status>', 'only rows with this status').choices(STATUSES))
    .option('--run-id <id>', 'only rows that this run rejected')
    .option('--file <file...>', "only rows of these files, by key or by name below the source's folder")
    .option('--hash <hash...>', 'only these rows, by their hash or the beginning of it');
}

export function addBreaker(program: Command, start: Start): void {
  const breaker = program.command('breaker').description('look at the circuit breaker of a pipeline, and close it');
  addAwsLook(breaker.command('status'))
    .description('show whether too many rejected rows have halted the pipeline')
    .addArgument(pipelineArgument())
    .addHelpText('after', examples('strata breaker status transactions'))
    .action(async (pipeline: string, options: AwsOptions, command: Command) =>
      start(command, async (context) =>
        (await import('./commands/breaker.ts')).status(lookAt(context, options).context, pipeline),
      ),
    );
  addAws(breaker.command('close'), 'in the deployed lake, with your own rights')
    .description('let a halted pipeline run again')
    .addArgument(pipelineArgument())
    .addHelpText('after', examples('strata breaker close transactions'))
    .action(async (pipeline: string, options: AwsOptions, command: Command) =>
      start(command, async (context) =>
        (await import('./commands/breaker.ts')).close(lookAt(context, options).context, pipeline),
      ),
    );
}
