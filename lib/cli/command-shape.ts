import { Argument, type Command, InvalidArgumentError } from 'commander';
import { InvalidInput } from '../core/errors.ts';
import { DAY_EXPECTED, isDay } from '../core/run-date.ts';
import type { VarValues } from '../core/vars.ts';
import { nameCommands } from './command-here.ts';
import type { Context, GlobalOptions } from './context.ts';
import { addVars } from './vars-option.ts';

/** What every command's declaration is made of. */

/** Runs a parsed command; it answers its exit code. */
export type Invoke = (options: GlobalOptions, run: (context: Context) => Promise<number>) => Promise<void>;

export type Start = (command: Command, run: (context: Context) => Promise<number>) => Promise<void>;

/** Lines of help, each a command as the user would call it: they are given as `strata run shop`. */
export function examples(...lines: readonly string[]): string {
  const shown = lines.map((line) => `  ${nameCommands(line)}`);
  return ['', lines.length === 1 ? 'Example:' : 'Examples:', ...shown].join('\n');
}

export const SAFE_CSV_HELP =
  'CSV for spreadsheets: a cell that they would take for a formula begins with an apostrophe';

export const SHOW_PERSONAL = '--show-personal';
export const SHOW_PERSONAL_HELP = 'show what columns hold that are marked as personal, instead of ***';

/** What a command may read of a lake, as it was asked. */
export function hidingPersonal<Deps extends object>(
  deps: Deps,
  { showPersonal = false }: PersonalOption,
): Deps & { readonly hidesPersonal: boolean } {
  return { ...deps, hidesPersonal: !showPersonal };
}

export type PersonalOption = { readonly showPersonal?: boolean };

export function pipelineArgument(): Argument {
  return new Argument('<pipeline>', 'the name of a folder in --pipelines');
}

/** Where a command works when it has `--aws`: a lake that was deployed. */
export type AwsOptions = { readonly aws?: boolean; readonly stage?: string; readonly stateMachine?: string };

export function addAws(command: Command, description: string): Command {
  return command
    .option('--aws', description)
    .option('--stage <name>', 'the deployed stage (default: the one without a name)');
}

/** For commands that look at a lake, wherever it is. */
export function addAwsLook(command: Command): Command {
  return addAws(command, 'look at the deployed lake, with your own rights');
}

/** The context of a command about the lake that its options name, and what else it was asked. */
export function lookAt<Options extends AwsOptions>(
  context: Context,
  options: Options,
): { readonly context: Context; readonly asked: Omit<Options, keyof AwsOptions> } {
  const { aws, place, asked } = placeOf(options);
  return { context: aws ? context.at(place) : context, asked };
}

/** For commands that follow a run. */
export function addAwsRun(command: Command): Command {
  return addAws(command, 'run the deployed pipeline, and follow it').option(
    '--state-machine <arn>',
    "the state machine (default: by the pipeline's stack)",
  );
}

/** What a run of any kind may be given. */
export type RunOptions = AwsOptions & {
  readonly runId?: string;
  readonly dryRun?: boolean;
  /** Seconds, or true: as long as it takes. */
  readonly wait?: number | true;
  readonly strict?: boolean;
  readonly vars?: VarValues;
  readonly runDate?: string;
  readonly branch?: string;
  readonly period?: string;
  readonly select?: readonly string[];
  readonly exclude?: readonly string[];
  readonly forwardOnly?: boolean;
};

export function addRunOptions(command: Command): Command {
  return addRunDate(addVars(addAwsRun(command)))
    .option('--run-id <id>', 'letters, digits, - and _; the same id again returns the first result')
    .option('--dry-run', 'compute and audit everything, show counts and a preview, publish nothing')
    .option('--wait [seconds]', 'wait while another run holds the pipeline, instead of ending with 3', parseSeconds)
    .option('--strict', 'end with 2 when a file was rejected');
}

/** `--run-date`, for what runs SQL that names it. */
export function addRunDate(command: Command): Command {
  return command.option(
    '--run-date <day>',
    'the day that run_date() is, as YYYY-MM-DD (default: the one on which the run is planned)',
    (text: string): string => {
      if (isDay(text)) return text;
      throw new InvalidArgumentError(`Expected ${DAY_EXPECTED}.`);
    },
  );
}

/** `--branch` and `--period`, for what may be about one of a pipeline's schedules. */
export function addBranch(command: Command): Command {
  return command
    .option('--branch <name>', "the models of one of the pipeline's schedules, for the period that is due")
    .option('--period <period>', 'that period of the branch instead, such as 2026-01 of a monthly one');
}

/** `--select` and `--exclude`, each as often as one likes. */
export function addSelectors(command: Command): Command {
  const more = (text: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), text];
  return command
    .option('--select <selector>', "only these models: 'a', '+a', 'a+', tag:x, source:x, state:modified", more)
    .option('--exclude <selector>', 'all models but these', more);
}

/** `--forward-only`, for what runs models as they stand. */
export function addForward(command: Command): Command {
  return command.option('--forward-only', 'leave rows of tables whose SQL, contract or rules have changed as they are');
}

/** `--forward-only` and `--run-date` as runs are asked for them. */
export function askedBy<Options extends { readonly forwardOnly?: boolean; readonly runDate?: string }>({
  forwardOnly,
  runDate,
  ...options
}: Options): Omit<Options, 'forwardOnly' | 'runDate'> & {
  readonly forward_only?: boolean;
  readonly run_date?: string;
} {
  return {
    ...options,
    ...(forwardOnly === undefined ? {} : { forward_only: forwardOnly }),
    ...(runDate === undefined ? {} : { run_date: runDate }),
  };
}

/** How long a run may wait for its turn. Throws InvalidInput with --aws. */
export function waitFor(wait: RunOptions['wait'], aws: boolean): { readonly waitMs?: number } {
  if (wait === undefined) return {};
  if (!aws) return { waitMs: wait === true ? Number.POSITIVE_INFINITY : wait * 1000 };
  throw new InvalidInput('--wait with --aws: an execution waits for its turn by itself; leave --wait out');
}

function parseSeconds(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number of seconds, or nothing after --wait.');
}

/** What an option says about a deployed lake is wrong where the command stays on this machine. */
export function requireFlag(
  flag: string,
  given: boolean | undefined,
  options: Readonly<Record<string, unknown>>,
): void {
  const idle = Object.entries(options).filter(([, value]) => value !== undefined);
  if (given !== true && idle.length > 0) {
    throw new InvalidInput(`${idle.map(([name]) => name).join(' and ')} without ${flag}: expected both, or neither`);
  }
}

/** Splits what says where from what is asked. */
export function placeOf<Options extends AwsOptions>({
  aws,
  stage,
  stateMachine,
  ...asked
}: Options): {
  readonly aws: boolean;
  readonly place: { readonly deployment?: string; readonly stateMachine?: string };
  readonly asked: Omit<Options, keyof AwsOptions>;
} {
  requireFlag('--aws', aws, { '--stage': stage, '--state-machine': stateMachine });
  const place = {
    ...(stage === undefined ? {} : { deployment: stage }),
    ...(stateMachine === undefined ? {} : { stateMachine }),
  };
  return { aws: aws === true, place, asked };
}

/** For options that take a number of things: 1 or more. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,9}$/.test(text) && count > 0) return count;
  throw new InvalidArgumentError('Expected a whole number, 1 or more.');
}

const UNITS: Readonly<Record<string, number>> = { KB: 1e3, MB: 1e6, GB: 1e9, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 };
/** DuckDB does not start its work with less. */
const LEAST_MEMORY = 80e6;

/** For options that take an amount of memory, such as 500MB or 1.5GiB; the answer is in bytes. */
export function parseMemory(text: string): number {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,6})?)\s*([KMG]i?B)$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(amount) * (UNITS[unit?.toUpperCase() ?? ''] ?? Number.NaN));
  if (bytes >= LEAST_MEMORY) return bytes;
  throw new InvalidArgumentError('Expected an amount such as 500MB or 2GiB, 80MB or more.');
}
