import { fullName } from '../../core/tables.ts';
import { findKeyedTable } from '../../query/find-keyed.ts';
import type { Context } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { type RunArguments, run } from './run.ts';

export type RebuildArguments = { readonly table: string } & Omit<RunArguments, 'pipeline' | 'rebuild' | 'reprocess'>;

/** Computes a keyed table from its log; what is wrong with the request shows before anything is made. */
export async function rebuild(context: Context, { table, ...options }: RebuildArguments): Promise<number> {
  const { deps } = await openLake(context, 'read');
  const { id } = await findKeyedTable(deps, table);
  return run(context, { pipeline: id.pipeline, rebuild: fullName(id), ...options });
}
