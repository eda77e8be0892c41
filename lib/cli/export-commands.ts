import { type Command, Option } from 'commander';
import { EXPORT_STATES } from '../core/exports.ts';
import {
  type AwsOptions,
  addAws,
  addAwsLook,
  examples,
  lookAt,
  parseCount,
  pipelineArgument,
  type Start,
} from './command-shape.ts';
import type { ExportListOptions } from './commands/exports.ts';

type ReissueOptions = AwsOptions & { readonly kind?: string };

/** What is written of tables for those who read files. */
export function addExports(program: Command, start: Start): void {
  const exports = program
    .command('exports')
    .description('look at the files that are written of tables, and write them again');
  addAwsLook(exports.command('list'))
    .description('show what was written of which table, and what was not and why, the newest first')
    .addArgument(pipelineArgument())
    .option('--model <id>', 'only of this model, such as gold.report')
    .addOption(new Option('--state <state>', 'only what is in this state').choices(EXPORT_STATES))
    .option('--limit <n>', 'rows to show', parseCount, 20)
    .addHelpText('after', examples('strata exports list hr', 'strata exports list hr --state CHANGED_SINCE'))
    .action(async (pipeline: string, options: ExportListOptions & AwsOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/exports.ts')).list(there, pipeline, asked);
      }),
    );

  addAws(exports.command('reissue'), 'in the deployed lake, with your own rights')
    .description('export a table as it is now; a file of a row whose text has changed gets a new name, as x.v2.txt')
    .addArgument(pipelineArgument())
    .argument('<model>', 'a model that exports, such as gold.report')
    .addOption(new Option('--kind <kind>', 'only this export of it').choices(['csv', 'json', 'parquet', 'files']))
    .addHelpText('after', examples('strata exports reissue hr gold.eighty_percent --kind files'))
    .action(async (pipeline: string, model: string, options: ReissueOptions, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/exports.ts')).reissue(there, { pipeline, model, ...asked });
      }),
    );
}
