import { InvalidInput } from '../../core/errors.ts';
import { parseTime } from '../../query/moment.ts';
import type { RunRequest } from '../../remote/run-request.ts';
import type { RunArguments } from './run.ts';

export type ReprocessArguments = Omit<RunArguments, 'rebuild' | 'reprocess'> & {
  readonly source: string;
  readonly file?: readonly string[];
  readonly from?: string;
  readonly to?: string;
};

/** The run that takes bronze files through a pipeline again, as if they had been right the first time. */
export function reprocessRequest(request: ReprocessArguments): RunArguments {
  const { source, file, from, to, ...how } = request;
  return { ...how, reprocess: parseReprocess(request) };
}

/** Throws InvalidInput unless the request names files or a time, and not both. */
export function parseReprocess(request: ReprocessArguments): NonNullable<RunRequest['reprocess']> {
  const { pipeline, source, file, from, to } = request;
  const timed = from !== undefined || to !== undefined;
  if ((file === undefined) !== timed) {
    const got = timed ? 'both --file and a time' : 'neither files nor a time';
    throw new InvalidInput(
      `reprocess: got ${got}; expected --file with names below bronze/${pipeline}/${source}/, or --from and --to with times of landing`,
    );
  }
  const times = parseTimes('reprocess', { from, to });
  const prefix = `bronze/${pipeline}/${source}/`;
  return {
    source,
    ...(file === undefined
      ? {}
      : { files: file.map((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name)) }),
    ...times,
  };
}

type Times = { readonly from?: string | undefined; readonly to?: string | undefined };

/** Times as instants. Throws InvalidInput for what is no time, and for a span that ends before it begins. */
export function parseTimes(command: string, { from, to }: Times): { readonly from?: string; readonly to?: string } {
  const [since, until] = [instantOf('--from', from), instantOf('--to', to)];
  if (since !== undefined && until !== undefined && since >= until) {
    throw new InvalidInput(`${command}: got --from ${from} --to ${to}; expected a --to after --from`);
  }
  return { ...(since === undefined ? {} : { from: since }), ...(until === undefined ? {} : { to: until }) };
}

function instantOf(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const time = parseTime(text);
  if (time !== undefined) return new Date(time).toISOString();
  throw new InvalidInput(
    `${option}: got ${JSON.stringify(text)}; expected a date or a time (UTC), such as 2026-01-31 or 2026-01-31T12:00:00Z`,
  );
}
