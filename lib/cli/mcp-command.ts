import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AwsOptions, addAwsLook, examples, lookAt, type Start } from './command-shape.ts';

/** A lake for assistants to ask. */
export function addMcp(program: Command, start: Start): void {
  addAwsLook(program.command('mcp'))
    .description('serve the lake to an assistant by the Model Context Protocol: it may look, and change nothing')
    .addOption(
      new Option('--port <n>', 'over HTTP on this machine alone (default: over stdin and stdout)').argParser(parsePort),
    )
    .addHelpText('after', examples('strata mcp', 'strata mcp --port 7340', 'strata mcp --aws'))
    .action(async (options: AwsOptions & { readonly port?: number }, command: Command) =>
      start(command, async (context) => {
        const { context: there, asked } = lookAt(context, options);
        return (await import('./commands/mcp.ts')).mcp(there, asked.port);
      }),
    );
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('Expected a whole number up to 65535; 0 takes any port that is free.');
}
