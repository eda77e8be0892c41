import type { RunArguments } from './run.ts';

export type BackfillArguments = Omit<RunArguments, 'backfill'> & { readonly allowMissing?: boolean };

/** The run that makes silver tables anew from all that has landed, and what is made from them. */
export function backfillRequest({ allowMissing, ...request }: BackfillArguments): RunArguments {
  return { ...request, backfill: allowMissing === true ? { allow_missing: true } : {} };
}
