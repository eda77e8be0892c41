import type { Command } from 'commander';
import { examples, type Start } from './command-shape.ts';

export function addInit(program: Command, start: Start): void {
  const init = program
    .command('init')
    .description('make a project of your own: a pipeline with sample data, ready to run; overwrites nothing')
    .argument('[folder]', 'the folder to make')
    .option('--aws', 'with what deploys it: cdk.json, bin/app.ts, a workflow for GitHub')
    .addHelpText(
      'after',
      examples(
        'strata init lake',
        'strata init lake --aws',
        'strata init pipeline web_shop',
        'strata init model shop_gold.top_customers',
      ),
    )
    .action(async (folder: string | undefined, options: { readonly aws?: boolean }, command: Command) => {
      if (folder === undefined) command.error("error: missing required argument 'folder'");
      else
        await start(command, async (context) =>
          (await import('./commands/init.ts')).initProject(context, folder, options),
        );
    });
  init
    .command('pipeline')
    .description('begin another pipeline in --pipelines')
    .argument('<name>', 'lower case letters, digits and _')
    .addHelpText('after', examples('strata init pipeline web_shop'))
    .action(async (name: string, _options, command: Command) =>
      start(command, async (context) => (await import('./commands/init.ts')).initPipeline(context, name)),
    );
  init
    .command('model')
    .description('begin the SQL of a silver or gold table, and say how to declare it')
    .argument('<table>', 'by full name, such as shop_gold.top_customers')
    .addHelpText('after', examples('strata init model shop_gold.top_customers'))
    .action(async (table: string, _options, command: Command) =>
      start(command, async (context) => (await import('./commands/init.ts')).initModel(context, table)),
    );
}
