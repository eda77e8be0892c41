import { Argument, type Command } from 'commander';
import { examples, type Start } from './command-shape.ts';
import { completionScript, SHELLS, type Shell } from './completion/scripts.ts';
import { completedBy } from './completion/words.ts';
import { EXIT } from './context.ts';

/** What a shell needs to complete commands, options and the names of pipelines. */
export function addCompletion(program: Command, start: Start): void {
  program
    .command('completion')
    .description('print what completes strata in a shell: source <(strata completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText('after', examples('strata completion bash', 'strata completion fish'))
    .action(async (shell: Shell, _options, command: Command) =>
      start(command, async (context) => {
        await context.printData(completionScript(shell, completedBy(program)));
        return EXIT.done;
      }),
    );
}
