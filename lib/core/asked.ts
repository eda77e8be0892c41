import type { OpenInput } from './run.ts';

/** Of what an execution is started with, what says more than which pipeline and run. */
export type Asked = Pick<OpenInput, 'rebuild' | 'reprocess' | 'retry' | 'vars'>;

/** What was asked for, out of whatever says it. */
export function askedOf({ rebuild, reprocess, retry, vars }: Asked): Asked {
  return {
    ...(rebuild === undefined ? {} : { rebuild }),
    ...(reprocess === undefined ? {} : { reprocess }),
    ...(retry === undefined ? {} : { retry }),
    ...(vars === undefined ? {} : { vars }),
  };
}
