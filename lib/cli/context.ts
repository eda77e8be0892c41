import { commandHere, nameCommands, shellWord } from './command-here.ts';
import type { Interrupts } from './interrupt.ts';
import { renderJson } from './output/json.ts';
import type { TableLayout } from './output/table.ts';
import { type ErrorStream, ReaderGone, type Terminal } from './terminal.ts';

export type GlobalOptions = {
  readonly root: string;
  readonly pipelines: string;
  readonly json: boolean;
  readonly debug: boolean;
  /** Tables are as wide as what they show. */
  readonly wide?: boolean;
  readonly locationBase?: string;
  /** Bytes that DuckDB may use; left out: by what is free. */
  readonly memoryBytes?: number;
};

/** A lake that was deployed; without `deployment`, by the stage that has no name. */
export type DeployedPlace = { readonly deployment?: string };

/** What a command works with: its options, and the ways to say something. */
export type Context = {
  readonly options: GlobalOptions;
  /** The deployed lake that the command is about; left out: it is about the one in the folder. */
  readonly deployed?: DeployedPlace;
  /** What to call the lake in a sentence. */
  readonly lake: string;
  readonly layout: TableLayout;
  readonly stderr: ErrorStream;
  /** The command's one answer: the document under --json, else the text. */
  answer(document: unknown, text: () => string): Promise<void>;
  /** Text for people on stdout, for answers that come in parts. Throws ReaderGone, at which the command ends. */
  print(text: string): Promise<void>;
  /** Data on stdout, to the byte. */
  printData(text: string): Promise<void>;
  /** A line for people, on stderr. */
  note(line: string): void;
  /** Acts with a signal that is aborted when the command is asked to end. */
  interruptible<T>(act: (interrupted: AbortSignal) => Promise<T>): Promise<T>;
  /** How to call a command on this lake from where the user stands: `npx strata query "..." --root lake`. */
  hint(command: string): string;
  /** The same with other pipelines. */
  withPipelines(folder: string): Context;
  /** The same about a deployed lake. */
  at(deployed: DeployedPlace): Context;
};

/**
 * Exit codes: done (also when there was nothing to do); wrong use or an invalid pipeline, with nothing begun; failed;
 * another run holds the pipeline, with nothing begun, what is promised of one is not kept, or what was compared differs.
 */
export const EXIT = { done: 0, wrongUse: 1, failed: 2, locked: 3, refused: 3, breached: 3, differs: 3 } as const;

/** What the help says of them, as the README does. */
export const EXIT_HELP =
  'Exit codes: 0 done, 1 wrong use or an invalid pipeline, 2 failed, 3 another run is at work (see --wait) or, of plan, a change that a run refuses, or, of status, a promise that is not kept, or, of diff, a difference, 130 and 143 ended by a signal.';

export const DEFAULTS = { root: '.strata', pipelines: 'pipelines' } as const;

export function createContext(
  options: GlobalOptions,
  terminal: Terminal,
  interrupts?: Interrupts,
  deployed?: DeployedPlace,
): Context {
  const { print, printData, stderr } = terminal;
  const layout = options.wide === true ? unbound(terminal.layout) : terminal.layout;
  return {
    options,
    ...(deployed === undefined ? {} : { deployed }),
    lake: deployed === undefined ? options.root : lakeName(deployed),
    layout,
    print,
    printData,
    stderr,
    // The command goes on without its reader: how it ended is still to be told.
    answer: (document, text) =>
      (options.json ? printData(renderJson(document)) : print(text())).catch((cause: unknown) => {
        if (!(cause instanceof ReaderGone)) throw cause;
      }),
    interruptible: (act) => interrupts?.during(act) ?? act(new AbortController().signal),
    note: (line) => stderr.write(`${nameCommands(line)}\n`),
    hint: (command) =>
      deployed === undefined
        ? [commandHere(), command, ...lakeOptions(options)].join(' ')
        : [commandHere(), ...deployedHint(command, deployed), ...pipelinesOption(options)].join(' '),
    withPipelines: (pipelines) => createContext({ ...options, pipelines }, terminal, interrupts, deployed),
    at: (place) => createContext(options, terminal, interrupts, place),
  };
}

function unbound({ width: _width, ...layout }: TableLayout): TableLayout {
  return layout;
}

function lakeName({ deployment }: DeployedPlace): string {
  return deployment === undefined ? 'the deployed lake' : `the deployed lake of stage ${deployment}`;
}

/** Commands of two words have options behind the second. */
const WORDS = /^(?:(?:breaker|dead-letters|executions|exports|files|quarantine|schedule) )?\w+/;

function deployedHint(command: string, { deployment }: DeployedPlace): readonly string[] {
  const words = WORDS.exec(command)?.[0] ?? '';
  const flag = words === 'query' ? '--athena' : '--aws';
  return [
    `${words} ${flag}${command.slice(words.length)}`,
    ...(deployment === undefined ? [] : [`--stage ${deployment}`]),
  ];
}

function lakeOptions(options: GlobalOptions): readonly string[] {
  const { root } = options;
  return [...(root === DEFAULTS.root ? [] : ['--root', shellWord(root)]), ...pipelinesOption(options)];
}

function pipelinesOption({ pipelines }: GlobalOptions): readonly string[] {
  return pipelines === DEFAULTS.pipelines ? [] : ['--pipelines', shellWord(pipelines)];
}
