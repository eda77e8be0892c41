import { CommanderError } from 'commander';
import { createContext, EXIT, type GlobalOptions, type Terminal } from './context.ts';
import { describeFailure } from './failure.ts';
import { renderJson } from './output/json.ts';
import { buildProgram } from './program.ts';

/**
 * The command line: parses the arguments (without node and script), does what they ask and answers the exit code.
 * Under --json stdout carries exactly one document, also when the command fails.
 */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  endQuietlyWithReader(terminal.stdout);
  let exitCode: number = EXIT.done;
  const json = wantsJson(args);
  const program = buildProgram(terminal, async (options, run) => {
    exitCode = await run(createContext(options, terminal));
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (json && error.exitCode !== 0) terminal.stdout.write(renderJson(usageDocument(error)));
      return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
    }
    const failure = describeFailure(error, program.opts<Partial<GlobalOptions>>().debug ?? false);
    terminal.stderr.write(`${failure.message}\n`);
    if (json) terminal.stdout.write(renderJson(failure.document));
    return failure.exitCode;
  }
}

function usageDocument(error: CommanderError): unknown {
  return { error: { name: 'InvalidInput', message: error.message.replace(/^error: /, ''), problems: [] } };
}

/** What follows `--` is never an option. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}

/** `strata query ... | head` ends when head has seen enough; that is no error. */
function endQuietlyWithReader(stdout: Terminal['stdout']): void {
  stdout.on('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EPIPE') process.exit(EXIT.done);
    throw cause;
  });
}
