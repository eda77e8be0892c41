import { once } from 'node:events';
import { renderJson } from './output/json.ts';
import type { TableLayout } from './output/table.ts';

/** The two streams of a process; answers go to stdout, everything else to stderr. */
export type Terminal = {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
};

export type GlobalOptions = {
  readonly root: string;
  readonly pipelines: string;
  readonly json: boolean;
  readonly debug: boolean;
  readonly locationBase?: string;
  /** Bytes that DuckDB may use; left out: by what is free. */
  readonly memoryBytes?: number;
};

/** What a command works with: its options, and the ways to say something. */
export type Context = {
  readonly options: GlobalOptions;
  readonly terminal: Terminal;
  readonly layout: TableLayout;
  /** The command's one answer: the document under --json, else the text. */
  answer(document: unknown, text: () => string): Promise<void>;
  /** Raw text on stdout, for answers that come in parts. Waits while the reader is slow. */
  print(text: string): Promise<void>;
  /** A line for people, on stderr. */
  note(line: string): void;
  /** How to call a command on this lake: `npx strata query "..." --root lake`. */
  hint(command: string): string;
};

/** Exit codes: done (also when there was nothing to do), wrong use or an invalid pipeline, a run that failed. */
export const EXIT = { done: 0, wrongUse: 1, failed: 2 } as const;

export const DEFAULTS = { root: '.strata', pipelines: 'pipelines' } as const;

export function createContext(options: GlobalOptions, terminal: Terminal): Context {
  const print = async (text: string): Promise<void> => {
    if (!terminal.stdout.write(text)) await once(terminal.stdout, 'drain');
  };
  return {
    options,
    terminal,
    layout: layoutOf(terminal),
    print,
    answer: (document, text) => print(options.json ? renderJson(document) : text()),
    note: (line) => void terminal.stderr.write(`${line}\n`),
    hint: (command) => ['npx strata', command, ...lakeOptions(options)].join(' '),
  };
}

function layoutOf({ stdout }: Terminal): TableLayout {
  if (stdout.isTTY !== true) return {};
  const color = process.env['NO_COLOR'] === undefined || process.env['NO_COLOR'] === '';
  return { color, ...(stdout.columns === undefined ? {} : { width: stdout.columns }) };
}

function lakeOptions({ root, pipelines }: GlobalOptions): readonly string[] {
  return [
    ...(root === DEFAULTS.root ? [] : ['--root', shellWord(root)]),
    ...(pipelines === DEFAULTS.pipelines ? [] : ['--pipelines', shellWord(pipelines)]),
  ];
}

/** A word as a POSIX shell reads it back. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
