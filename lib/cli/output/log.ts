import type { Log, LogFields } from '../../ports.ts';

/** Where finished lines go: a stream, or a progress display that prints them above its bars. */
export type LineSink = { write(text: string): unknown };

/**
 * The Log port as lines. Text: `warn row_rejected rows=3 file="a b.csv"`. JSON: one object per line with `level`,
 * `event` and the fields.
 */
export function createLog(sink: LineSink, options: { readonly json: boolean }): Log {
  const write = (level: 'info' | 'warn', event: string, fields: LogFields = {}) => {
    sink.write(`${options.json ? JSON.stringify({ ...fields, level, event }) : textLine(level, event, fields)}\n`);
  };
  return {
    info: (event, fields) => write('info', event, fields),
    warn: (event, fields) => write('warn', event, fields),
  };
}

function textLine(level: string, event: string, fields: LogFields): string {
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${fieldText(value)}`);
  return [level, event, ...pairs].join(' ');
}

/** Quotes what would not read back as one word. */
function fieldText(value: LogFields[string]): string {
  const text = String(value);
  return typeof value === 'string' && !/^[^\s"=\p{Cc}]+$/u.test(text) ? JSON.stringify(text) : text;
}
