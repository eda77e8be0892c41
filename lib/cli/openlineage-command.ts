import { type Command, Option } from 'commander';
import { InvalidInput } from '../core/errors.ts';
import {
  type AwsOptions,
  addAwsLook,
  examples,
  lookAt,
  parseCount,
  pipelineArgument,
  type Start,
} from './command-shape.ts';

type Options = AwsOptions & {
  readonly run?: readonly string[];
  readonly last?: number;
  readonly to?: string;
  readonly namespace?: string;
};

/** What runs did, for catalogs of lineage. */
export function addOpenLineage(program: Command, start: Start): void {
  addAwsLook(program.command('openlineage'))
    .description('tell what runs read and wrote as OpenLineage events')
    .addArgument(pipelineArgument())
    .option('--run <id...>', 'these runs')
    .addOption(new Option('--last <n>', 'the last runs (default: 1)').argParser(parseCount))
    .option('--to <where>', 'a file that is added to, https://..., or eventbridge:<bus> (default: stdout)')
    .addOption(
      new Option('--namespace <name>', 'of jobs and datasets (default: where the lake is)').env(
        'OPENLINEAGE_NAMESPACE',
      ),
    )
    .addHelpText(
      'after',
      examples('strata openlineage retail', 'strata openlineage retail --last 10 --to https://marquez.example.com'),
    )
    .action(async (pipeline: string, options: Options, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        const { run, last, ...rest } = asked;
        if (run !== undefined && last !== undefined) throw new InvalidInput('--run with --last: expected one of them');
        const runs = run === undefined ? { last: last ?? 1 } : { ids: run };
        return (await import('./commands/openlineage.ts')).openlineage(there, { ...rest, pipeline, runs });
      }),
    );
}
