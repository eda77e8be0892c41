import type { Command } from 'commander';
import type { Selectors } from '../plan/select-models.ts';
import {
  type AwsOptions,
  addAwsLook,
  addSelectors,
  examples,
  lookAt,
  type RunOptions,
  SHOW_PERSONAL,
  SHOW_PERSONAL_HELP,
  type Start,
} from './command-shape.ts';
import { addVars } from './vars-option.ts';

type CheckOptions = AwsOptions & Selectors & Pick<RunOptions, 'vars' | 'strict'>;

/** The commands that check: models against their tests, tables against their expectations. */
export function addChecking(program: Command, start: Start): void {
  addTests(program, start);
  addCheck(program, start);
}

function addTests(program: Command, start: Start): void {
  addSelectors(program.command('test'))
    .description('run the tests of models, each on an empty lake of its own')
    .argument('[pipeline]', 'only those of this pipeline')
    .addHelpText(
      'after',
      examples('strata test', 'strata test retail --select +region_kpis', 'strata test retail --json'),
    )
    .action(async (pipeline: string | undefined, options: Selectors, command: Command) =>
      start(command, async (context) => (await import('./commands/test.ts')).test(context, pipeline, options)),
    );
}

function addCheck(program: Command, start: Start): void {
  addSelectors(addVars(addAwsLook(program.command('check'))))
    .description('check all expectations on the tables as they are, and list every one that fails; writes nothing')
    .argument('[pipeline]', 'only the tables of this pipeline')
    .option('--strict', 'end with 2 when an expectation that only warns fails')
    .option(SHOW_PERSONAL, SHOW_PERSONAL_HELP)
    .addHelpText(
      'after',
      examples('strata check', 'strata check retail --select gold.*', 'strata check retail --strict --json'),
    )
    .action(async (pipeline: string | undefined, options: CheckOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/check.ts')).check(there, pipeline, asked);
      }),
    );
}
