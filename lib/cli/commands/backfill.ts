import { parseTimes } from './reprocess.ts';
import type { RunArguments } from './run.ts';

export type BackfillArguments = Omit<RunArguments, 'backfill'> & {
  readonly allowMissing?: boolean;
  readonly from?: string;
  readonly to?: string;
};

/** The run that makes silver tables anew from all that has landed, and what is made from them. */
export function backfillRequest({ allowMissing, from, to, ...request }: BackfillArguments): RunArguments {
  return {
    ...request,
    backfill: { ...(allowMissing === true ? { allow_missing: true } : {}), ...parseTimes('backfill', { from, to }) },
  };
}
