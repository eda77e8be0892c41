import { type Command, Option } from 'commander';
import { ARCHITECTURES, BUNDLES_FOLDER } from '../core/bundle-folder.ts';
import { examples, type Start } from './command-shape.ts';
import type { BuildOptions } from './commands/build.ts';

export function addBuild(program: Command, start: Start): void {
  program
    .command('build')
    .description('compile all pipelines and put together what cdk deploy uploads')
    .option('--out <dir>', 'the folder to write to; replaced as a whole', BUNDLES_FOLDER)
    .addOption(
      new Option('--arch <architecture>', 'which processors the functions run on')
        .choices([...ARCHITECTURES, 'all'])
        .default('arm64'),
    )
    .addHelpText('after', examples('strata build', 'strata build --arch all'))
    .action(async (options: BuildOptions, command: Command) =>
      start(command, async (context) => (await import('./commands/build.ts')).build(context, options)),
    );
}
