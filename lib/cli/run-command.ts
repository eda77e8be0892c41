import type { Command } from 'commander';
import { InvalidInput } from '../core/errors.ts';
import {
  type AwsOptions,
  addBranch,
  addForward,
  addRunOptions,
  addSelectors,
  askedBy,
  examples,
  placeOf,
  type RunOptions,
  type Start,
  waitFor,
} from './command-shape.ts';
import type { Context } from './context.ts';

/** A run of one pipeline, of those after it too, or of all. */
export function addRun(program: Command, start: Start): void {
  addForward(addBranch(addSelectors(addRunOptions(program.command('run')))))
    .description('take what has landed through silver and gold')
    .argument('[pipeline]', 'the name of a folder in --pipelines')
    .option('--downstream', 'and then the pipelines that run after it, as long as those before them succeed')
    .option('--all', 'all pipelines, each after those that it reads and runs after')
    .option('--shadow', 'compute other texts of gold models too, and compare their rows with those that are published')
    .option('--no-maintain', 'leave tables that have become many small files as they are, and old snapshots too')
    .option(
      '--profile',
      'show what DuckDB did too: of each unit its statements with operators, rows, bytes and what was spilled',
    )
    .addHelpText(
      'after',
      examples(
        'strata run retail',
        'strata run retail --downstream',
        'strata run retail --run-id 2026-01-31',
        'strata run retail --dry-run',
        'strata run retail --run-date 2026-01-31',
        "strata run retail --select sales+ --exclude 'tag:slow'",
        'strata run hr --branch monthly --period 2026-01',
        'strata run --aws retail',
        'strata run retail --shadow',
      ),
    )
    .action(async (name: string | undefined, options: RunOptions & ManyOptions, command: Command) =>
      start(command, (context) => runCommand(context, name, options)),
    );
}

type ManyOptions = {
  readonly downstream?: boolean;
  readonly all?: boolean;
  readonly maintain?: boolean;
  readonly shadow?: boolean;
  readonly profile?: boolean;
};

async function runCommand(
  context: Context,
  pipeline: string | undefined,
  {
    downstream = false,
    all = false,
    maintain = true,
    shadow = false,
    profile = false,
    ...options
  }: RunOptions & ManyOptions,
): Promise<number> {
  const { aws, place, asked } = placeOf(options);
  const { wait, ...how } = asked;
  const request = {
    ...askedBy(how),
    ...(shadow ? { shadow } : {}),
    ...waitFor(wait, aws),
    ...maintainAfter(maintain, aws),
  };
  if (profile && (aws || downstream || all)) {
    throw new InvalidInput('--profile with --aws, --downstream or --all: expected one run on this machine');
  }
  if (shadow && (downstream || all))
    throw new InvalidInput('--shadow with --downstream or --all: expected one pipeline');
  checkMany({ pipeline, downstream, all, aws }, how);
  if (all) return (await import('./commands/run-many.ts')).runAll(context, request);
  if (pipeline === undefined) throw new InvalidInput('no pipeline: expected the name of one, or --all');
  const named = { ...request, pipeline };
  if (aws) return (await import('./commands/run-aws.ts')).runOnAws(context, named, place);
  if (downstream) return (await import('./commands/run-many.ts')).runDownstream(context, named);
  return (await import('./commands/run.ts')).run(context, { ...named, profile });
}

/** Throws InvalidInput with --aws. */
function maintainAfter(maintain: boolean, aws: boolean): { readonly maintain?: true } {
  if (maintain) return aws ? {} : { maintain: true };
  if (!aws) return {};
  throw new InvalidInput(
    '--no-maintain with --aws: there the state machine starts maintenance after a run; `maintenance: false` in the pipeline keeps it from that',
  );
}

type Many = {
  readonly pipeline: string | undefined;
  readonly downstream: boolean;
  readonly all: boolean;
  readonly aws: boolean;
};

/** Throws InvalidInput where several pipelines are asked for what one alone can do. */
function checkMany({ pipeline, downstream, all, aws }: Many, how: Omit<RunOptions, keyof AwsOptions | 'wait'>): void {
  if (aws && (downstream || all)) {
    throw new InvalidInput(
      '--downstream and --all with --aws: there pipelines follow by themselves, as their `after` says; leave them out',
    );
  }
  if (!all) return;
  if (pipeline !== undefined || downstream) {
    throw new InvalidInput('--all with a pipeline or --downstream: expected one of them');
  }
  const { runId: _id, strict: _strict, runDate: _day, ...others } = how;
  const given = Object.entries(others).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (given.length > 0) {
    throw new InvalidInput(
      `--all with options of one pipeline: got ${given.join(', ')}; expected none of them, or the pipeline they are for`,
    );
  }
}
