import { type Command, Option } from 'commander';
import { examples, parseCount, pipelineArgument, type Start } from './command-shape.ts';
import type { BenchOptions } from './commands/bench.ts';

/** Which of several ways to make the same tables is faster, and whether they are the same. */
export function addBench(program: Command, start: Start): void {
  const more = (name: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), name];
  program
    .command('bench')
    .description(
      "compare modes of a pipeline's bench.yml: first their tables, then their times; the lake stays as it is",
    )
    .addArgument(pipelineArgument())
    .addOption(
      new Option('--mode <name>', 'a mode, as often as one likes; the others are compared with the first')
        .argParser(more)
        .makeOptionMandatory(),
    )
    .addOption(new Option('--rounds <n>', 'runs of each mode that are timed (default: 3)').argParser(parseCount))
    .addHelpText('after', examples('strata bench sales --mode baseline --mode small_units'))
    .action(async (pipeline: string, options: BenchOptions, command: Command) =>
      start(command, async (context) => (await import('./commands/bench.ts')).bench(context, pipeline, options)),
    );
}
