import { type Command, CommanderError } from 'commander';
import { createContext, EXIT, type GlobalOptions } from './context.ts';
import { describeFailure } from './failure.ts';
import { renderJson } from './output/json.ts';
import { buildProgram } from './program.ts';
import { createTerminal, ReaderGone, type Streams } from './terminal.ts';

/**
 * The command line: parses the arguments (without node and script), does what they ask and answers the exit code.
 * Under --json stdout carries exactly one document, also when the command fails.
 */
export async function main(args: readonly string[], streams: Streams): Promise<number> {
  const terminal = createTerminal(streams);
  let exitCode: number = EXIT.done;
  // Commander writes without waiting; what it wrote is on its way before the answer.
  const help: string[] = [];
  const program = buildProgram(
    { print: (text) => help.push(text), note: terminal.stderr.write },
    async (options, run) => {
      exitCode = await run(createContext(options, terminal));
    },
  );
  try {
    const wrong = await parsed(program, args);
    if (help.length > 0) await terminal.print(help.join(''));
    if (wrong === undefined) return exitCode;
    if (wantsJson(args)) await unlessGone(terminal.printData(renderJson(usageDocument(wrong))));
    return EXIT.wrongUse;
  } catch (error) {
    if (error instanceof ReaderGone) return EXIT.done;
    const failure = describeFailure(error, program.opts<Partial<GlobalOptions>>().debug ?? false);
    terminal.stderr.write(`${failure.message}\n`);
    if (wantsJson(args)) await unlessGone(terminal.printData(renderJson(failure.document)));
    return failure.exitCode;
  }
}

/** Does what the arguments ask; answers what is wrong with them. Help and version were asked for. */
async function parsed(program: Command, args: readonly string[]): Promise<CommanderError | undefined> {
  try {
    await program.parseAsync([...args], { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? undefined : error;
  }
}

/** `strata query ... | head` ends when head has seen enough; that is no error. Nor is there anyone left to tell another. */
async function unlessGone(printed: Promise<void>): Promise<void> {
  await printed.catch(() => undefined);
}

function usageDocument(error: CommanderError): unknown {
  return { error: { name: 'InvalidInput', message: error.message.replace(/^error: /, ''), problems: [] } };
}

/** What follows `--` is never an option. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}
