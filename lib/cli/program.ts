import { Command, Option } from 'commander';
import type { Asked } from '../core/asked.ts';
import { packageManifest } from '../package-files.ts';
import { addBench } from './bench-command.ts';
import { addBuild } from './build-command.ts';
import { addCatalog } from './catalog-commands.ts';
import { addChecking } from './check-commands.ts';
import { commandHere } from './command-here.ts';
import {
  type AwsOptions,
  addAws,
  addAwsLook,
  addBranch,
  addForward,
  addRunDate,
  addSelectors,
  askedBy,
  examples,
  type Invoke,
  lookAt,
  parseMemory,
  pipelineArgument,
  placeOf,
  type RunOptions,
  requireFlag,
  SAFE_CSV_HELP,
  SHOW_PERSONAL,
  SHOW_PERSONAL_HELP,
  type Start,
} from './command-shape.ts';
import { addCompact } from './compact-command.ts';
import { addCompletion } from './completion-command.ts';
import { type Context, DEFAULTS, EXIT_HELP, type GlobalOptions } from './context.ts';
import { addDeadLetters } from './deployed/dead-letter-commands.ts';
import { addExecutions } from './deployed/execution-commands.ts';
import { addDiagnose } from './diagnose-command.ts';
import { addDiff } from './diff-command.ts';
import { addDoctor } from './doctor-command.ts';
import { addExpiry } from './expiry-commands.ts';
import { addExports } from './export-commands.ts';
import { addFiles } from './file-commands.ts';
import { addGate } from './gate/gate-commands.ts';
import { addGenerate } from './generate-commands.ts';
import { addImplementations } from './implementations/implementation-commands.ts';
import { addInit } from './init-command.ts';
import { addKeyed } from './keyed-commands.ts';
import { addLooking } from './look-commands.ts';
import { addMcp } from './mcp-command.ts';
import { addOpenLineage } from './openlineage-command.ts';
import { addOrigins } from './origins/origin-commands.ts';
import { QUERY_FORMATS, type QueryFormat } from './output/formats.ts';
import { addBreaker, addQuarantine } from './quarantine-commands.ts';
import { addRun } from './run-command.ts';
import { addSchedule } from './schedule/schedule-command.ts';
import { addSnapshots } from './snapshot-commands.ts';
import { addTables } from './table-commands.ts';
import { addTrace } from './trace-command.ts';
import { addVars } from './vars-option.ts';

/** What Commander says by itself: help and version to stdout, wrong use to stderr. */
export type Say = { readonly print: (text: string) => void; readonly note: (text: string) => void };

/**
 * The commands and their options. What does the work is loaded only when a command runs, so that help is instant.
 * Parsing throws CommanderError instead of ending the process.
 */
export function buildProgram(say: Say, invoke: Invoke): Command {
  const program = new Command('strata')
    .description('A medallion lakehouse: declared sources become governed Apache Iceberg tables.')
    .version(packageManifest().version, '-V, --version', 'show the version')
    .option('--root <dir>', "the lake's folder", DEFAULTS.root)
    .option('--pipelines <dir>', 'the folder of the pipelines', DEFAULTS.pipelines)
    .option('--json', 'print one JSON document on stdout')
    .option('--wide', 'let tables be as wide as what they show, on a terminal too')
    .option('--location-base <url>', 'where readers find the files of a new lake (default: a file:// URL of --root)')
    .addOption(
      new Option('--memory <size>', 'memory for DuckDB, such as 500MB (default: by what is free)')
        .env('STRATA_MEMORY')
        .argParser(parseMemory),
    )
    .option('--debug', 'show where an error came from')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: say.print,
      writeErr: say.note,
    })
    .showHelpAfterError(`See '${commandHere()} --help', or '${commandHere()} help <command>'.`)
    .addHelpText(
      'after',
      examples('strata demo', 'strata land retail transactions data/*.csv', 'strata run retail', 'strata tables') +
        `\n\n${EXIT_HELP}`,
    );
  const start = (command: Command, run: (context: Context) => Promise<number>) => invoke(globalOptions(command), run);
  addInit(program, start);
  addDoctor(program, start);
  addExecutions(program, start);
  addDeadLetters(program, start);
  addFeeding(program, start);
  addOrigins(program, start);
  addRunning(program, start);
  addGate(program, start);
  addChecking(program, start);
  addKeyed(program, start);
  addFiles(program, start);
  addTables(program, start);
  addCompact(program, start);
  addExpiry(program, start);
  addSnapshots(program, start);
  addExports(program, start);
  addQuarantine(program, start);
  addBreaker(program, start);
  addQuery(program, start);
  addLooking(program, start);
  addMcp(program, start);
  addOpenLineage(program, start);
  addCompletion(program, start);
  addTrace(program, start);
  addDiff(program, start);
  addDiagnose(program, start);
  addCatalog(program, start);
  addBench(program, start);
  addBuild(program, start);
  return program;
}

type PlanOptions = AwsOptions & Asked & Pick<RunOptions, 'forwardOnly' | 'runDate'>;

type GivenOptions = Partial<GlobalOptions> & Pick<GlobalOptions, 'root' | 'pipelines'>;

function globalOptions(command: Command): GlobalOptions {
  const given = command.optsWithGlobals<GivenOptions & { readonly memory?: number }>();
  const { root, pipelines, json = false, debug = false, wide = false, locationBase, memory } = given;
  // A base with a slash at its end would give locations with two.
  const base = locationBase === undefined ? {} : { locationBase: locationBase.replace(/\/+$/, '') };
  const limit = memory === undefined ? {} : { memoryBytes: memory };
  return { root, pipelines, json, debug, wide, ...base, ...limit };
}

function addFeeding(program: Command, start: Start): void {
  program
    .command('demo')
    .description('generate a retail sample, land it, run it and show what comes out')
    .addHelpText('after', examples('strata demo', 'strata demo --root /tmp/lake'))
    .action(async (_options, command: Command) =>
      start(command, async (context) => (await import('./commands/demo.ts')).runDemo(context)),
    );

  addGenerate(program, start);
  addImplementations(program, start);
  addAws(program.command('land'), 'upload into the bronze bucket of the deployed lake')
    .description('copy files into bronze, as an uploader would')
    .argument('<pipeline>', 'the pipeline')
    .argument('<source>', 'one of its sources')
    .argument(
      '<file...>',
      'files to copy, or folders with all below them; a file of the same name is replaced and read again',
    )
    .addHelpText(
      'after',
      examples(
        'strata land retail transactions data/transactions/*.csv',
        'strata land sales transactions data/transactions/day=*',
        'strata land --aws retail transactions data/transactions/*.csv',
      ),
    )
    .action(async (pipeline: string, source: string, files: string[], options: AwsOptions, command: Command) =>
      start(command, async (context) => {
        const { aws, place } = placeOf(options);
        const request = { pipeline, source, files };
        return aws
          ? (await import('./commands/land-aws.ts')).landOnAws(context, request, place)
          : (await import('./commands/land.ts')).land(context, request);
      }),
    );
}

function addRunning(program: Command, start: Start): void {
  addForward(addBranch(addSelectors(addRunDate(addVars(addAwsLook(program.command('plan')))))))
    .description('show what a run would do, and what it would cost on AWS; writes nothing')
    .addArgument(pipelineArgument())
    .addHelpText(
      'after',
      examples('strata plan retail', 'strata plan retail --json', 'strata plan retail --select state:modified+'),
    )
    .action(async (name: string, options: PlanOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/plan.ts')).plan(there, name, askedBy(asked));
      }),
    );

  addRun(program, start);
  addSchedule(program, start);

  program
    .command('compile')
    .description('check a pipeline and print its spec as JSON')
    .addArgument(pipelineArgument())
    .addHelpText('after', examples('strata compile retail'))
    .action(async (name: string, _options, command: Command) =>
      start(command, async (context) => (await import('./commands/compile.ts')).compile(context, name)),
    );
}

type QueryOptions = {
  readonly format?: QueryFormat;
  readonly safeCsv?: boolean;
  readonly showPersonal?: boolean;
  readonly asOf?: string;
  readonly athena?: boolean;
  readonly workgroup?: string;
  readonly stage?: string;
};

function addQuery(program: Command, start: Start): void {
  program
    .command('query')
    .description('run a SELECT over the tables of the lake')
    .argument('<sql>', 'tables by full name: retail_gold.monthly_revenue')
    .addOption(new Option('--format <format>', 'how to print the rows (default: table)').choices(QUERY_FORMATS))
    .option('--safe-csv', SAFE_CSV_HELP)
    .option(SHOW_PERSONAL, SHOW_PERSONAL_HELP)
    .option('--as-of <moment>', 'the tables as a run left them, at a tag or snapshot, or at a time (UTC)')
    .option('--athena', 'run it on Athena, over the tables of the deployed lake')
    .option('--workgroup <name>', "the Athena workgroup (default: the deployed lake's)")
    .option('--stage <name>', 'the deployed stage (default: the one without a name)')
    .addHelpText(
      'after',
      examples(
        'strata query "SELECT * FROM retail_gold.monthly_revenue ORDER BY yyyymm"',
        'strata query "FROM retail_gold.top_products" --format csv > top.csv',
        'strata query "SELECT count(*) FROM retail_silver.sales" --as-of 2026-01-31T12:00:00Z',
        'strata query --athena "SELECT * FROM retail_gold.monthly_revenue ORDER BY yyyymm"',
      ),
    )
    .action(async (sql: string, { athena, workgroup, stage, ...options }: QueryOptions, command: Command) =>
      start(command, async (context) => {
        requireFlag('--athena', athena, { '--workgroup': workgroup, '--stage': stage });
        if (athena !== true) return (await import('./commands/query.ts')).query(context, { sql, ...options });
        const place = {
          ...(workgroup === undefined ? {} : { workgroup }),
          ...(stage === undefined ? {} : { deployment: stage }),
        };
        return (await import('./commands/query-athena.ts')).runAthenaQuery(context, { sql, ...options, ...place });
      }),
    );
}
