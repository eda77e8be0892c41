import { type Command, CommanderError } from 'commander';
import { Interrupted } from '../core/interrupted.ts';
import { nameCommands } from './command-here.ts';
import { createContext, EXIT, type GlobalOptions } from './context.ts';
import { describeFailure } from './failure.ts';
import { exitOf, listenForInterrupts } from './interrupt.ts';
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
  const interrupts = listenForInterrupts((signal) =>
    terminal.stderr.write(`${signal}: ending in order; once more ends at once\n`),
  );
  // Commander writes without waiting; what it wrote is on its way before the answer.
  const help: string[] = [];
  const program = buildProgram(
    { print: (text) => help.push(text), note: terminal.stderr.write },
    async (options, run) => {
      exitCode = await run(createContext(options, terminal, interrupts));
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
    if (error instanceof Interrupted) {
      terminal.stderr.write(`${describeInterrupt(error)}\n`);
      if (wantsJson(args)) await unlessGone(terminal.printData(renderJson(interruptDocument(error))));
      return exitOf(error);
    }
    const failure = describeFailure(error, program.opts<Partial<GlobalOptions>>().debug ?? false);
    terminal.stderr.write(`${nameCommands(failure.message)}\n`);
    if (wantsJson(args)) await unlessGone(terminal.printData(renderJson(failure.document)));
    return failure.exitCode;
  } finally {
    interrupts.close();
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

function describeInterrupt({ message }: Interrupted): string {
  return `${message}: nothing is lost; the next run goes on with what this one had begun`;
}

function interruptDocument(error: Interrupted): unknown {
  return { error: { name: error.name, message: describeInterrupt(error) } };
}

function usageDocument(error: CommanderError): unknown {
  return { error: { name: 'InvalidInput', message: error.message.replace(/^error: /, ''), problems: [] } };
}

/** What follows `--` is never an option. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}
