import { visibleText } from '../core/visible.ts';
import { DIM_NULL } from './output/formats.ts';
import type { TableLayout } from './output/table.ts';

/** The two streams of a process, as they are. */
export type Streams = {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
};

/** Where lines for people go while a command works. */
export type ErrorStream = {
  readonly isTTY: boolean;
  write(text: string): void;
  /** The stream itself, for a display that moves the cursor; what it shows must be ours. */
  readonly display: NodeJS.WritableStream;
};

/**
 * All that a command says goes through here: answers to stdout, everything else to stderr. Names and values come from
 * files, so that nothing reaches a screen which would drive it, or hide what is there.
 */
export type Terminal = {
  readonly layout: TableLayout;
  readonly stderr: ErrorStream;
  /** Text for people on stdout. Waits while the reader is slow; throws ReaderGone, or StreamFailed. */
  print(text: string): Promise<void>;
  /** Data on stdout, to the byte, unless a person looks at it. */
  printData(text: string): Promise<void>;
};

/** Whoever read stdout has seen enough: `strata query ... | head`. */
export class ReaderGone extends Error {}

/** Stdout takes no more, and not because its reader went: a full disk behind `>`. */
export class StreamFailed extends Error {}

/** The only code that writes to the streams of a process. */
export function createTerminal({ stdout, stderr }: Streams): Terminal {
  // A write's own callback says what became of it; without these a stream's error would end the process.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  const layout = layoutOf(stdout);
  const print = (text: string): Promise<void> => writeAll(stdout, shown(text, layout));
  return {
    layout,
    print,
    printData: (text) => (stdout.isTTY === true ? print(text.replaceAll('\r\n', '\n')) : writeAll(stdout, text)),
    stderr: {
      isTTY: stderr.isTTY === true,
      write: (text) => void stderr.write(visibleText(text)),
      display: stderr,
    },
  };
}

/** The dimmed NULL of a table is the one thing of ours that a terminal takes as an order. */
function shown(text: string, { color }: TableLayout): string {
  return color === true ? text.split(DIM_NULL).map(visibleText).join(DIM_NULL) : visibleText(text);
}

function writeAll(stream: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (cause?: NodeJS.ErrnoException | null) => {
      if (cause === undefined || cause === null) resolve();
      else if (cause.code === 'EPIPE' || cause.code === 'ERR_STREAM_DESTROYED') reject(new ReaderGone());
      else reject(new StreamFailed(`stdout takes no more: ${cause.message}`, { cause }));
    });
  });
}

function layoutOf(stdout: Streams['stdout']): TableLayout {
  if (stdout.isTTY !== true) return {};
  const color = process.env['NO_COLOR'] === undefined || process.env['NO_COLOR'] === '';
  return { color, ...(stdout.columns === undefined ? {} : { width: stdout.columns }) };
}
