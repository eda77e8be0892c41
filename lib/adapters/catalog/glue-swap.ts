import type { Table } from '@aws-sdk/client-glue';
import { CommitConflict, CommitStateUnknown, StrataError } from '../../core/errors.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { CatalogEntry } from '../../ports.ts';
import { awsFailure } from '../aws/errors.ts';
import { classifyFault, type Patience, startPacing, stillFailing, wasRepeated } from './glue-calls.ts';
import { metadataLocationOf, renderTableInput } from './glue-table-input.ts';
import type { GlueTables } from './glue-tables.ts';

export type SwapDeps = {
  readonly tables: GlueTables;
  readonly patience: Patience;
  /** The metadata at a location. */
  readonly readMetadata: (id: TableId, location: string) => Promise<TableMetadata>;
};

/** A commit whose metadata file is written: the table shall point to `location` and no longer to `base`. */
export type Swap = {
  readonly id: TableId;
  readonly base: CatalogEntry | undefined;
  readonly next: TableMetadata;
  readonly location: string;
};

/**
 * How a swap ended: `swapped`, or not, with the error that says so. Only when it ended `not-swapped` is it certain that
 * nothing points to the metadata file, now or later.
 */
export type SwapOutcome =
  | { readonly kind: 'swapped' }
  | { readonly kind: 'not-swapped'; readonly error: StrataError }
  | { readonly kind: 'unknown'; readonly error: StrataError };

/**
 * Points the table to its new metadata, on the condition that it is still at the base. `found` is the table at the base.
 * Requests that passing faults or unrelated changes of the table hindered are made again: an update carries the version
 * of the table that was looked at, and repeating it can't do it twice, because it names the same file. After an error
 * whose request may have been done all the same, the table is looked at and says which it was.
 */
export async function swapMetadata(deps: SwapDeps, swap: Swap, found: Table | undefined): Promise<SwapOutcome> {
  const pacing = startPacing(deps.patience);
  const call = deps.tables.call(swap.base === undefined ? 'glue:CreateTable' : 'glue:UpdateTable', swap.id);
  let table = found;
  let doubtful = false;
  for (;;) {
    const cause = await request(deps.tables, swap, table);
    if (cause === undefined) return { kind: 'swapped' };
    const fault = classifyFault(cause);
    doubtful ||= fault === 'lost' || wasRepeated(cause);
    if (fault === 'refused' && !doubtful) return { kind: 'not-swapped', error: awsFailure(call, cause) };
    const look = await lookAgain(deps, swap, doubtful, cause);
    if (look.kind !== 'unchanged') return look;
    if (fault === 'refused' || !(await pacing.pause())) {
      return doubtful ? unknown(swap, cause) : { kind: 'not-swapped', error: stillFailing(call, cause) };
    }
    table = look.table;
  }
}

/** The error of one request, or `undefined` when it was done. */
async function request(tables: GlueTables, swap: Swap, table: Table | undefined): Promise<unknown> {
  const input = renderTableInput(swap.id, swap.next, swap.location, table);
  try {
    if (table === undefined) await tables.create(swap.id, input);
    else await tables.update(swap.id, input, table.VersionId ?? '0');
    return undefined;
  } catch (cause) {
    return cause ?? new Error('the request failed without a reason');
  }
}

type Look = SwapOutcome | { readonly kind: 'unchanged'; readonly table: Table | undefined };

async function lookAgain(
  { tables, readMetadata }: SwapDeps,
  swap: Swap,
  doubtful: boolean,
  cause: unknown,
): Promise<Look> {
  try {
    const table = await tables.find(swap.id, swap.base !== undefined);
    const location = table && metadataLocationOf(table);
    if (location === swap.location) return { kind: 'swapped' };
    if (location === swap.base?.metadataLocation && (table === undefined) === (swap.base === undefined)) {
      return { kind: 'unchanged', table };
    }
    const current = location === undefined ? undefined : await readMetadata(swap.id, location);
    if (current !== undefined && logged(current, swap.location)) return { kind: 'swapped' };
    const certain = !doubtful || (current !== undefined && passedBy(swap, current));
    return certain
      ? { kind: 'not-swapped', error: conflict(swap.id, location, swap.base, cause) }
      : unknown(swap, cause);
  } catch (failure) {
    if (!(failure instanceof StrataError)) throw failure;
    if (!doubtful) return { kind: 'not-swapped', error: failure };
    return unknown(swap, new AggregateError([cause, failure], 'neither the commit nor a look at the table succeeded'));
  }
}

/** Whether another's commit took the place of this one: it came right after the base, or it made the table. */
function passedBy({ base, next }: Swap, current: TableMetadata): boolean {
  return base === undefined ? current['table-uuid'] !== next['table-uuid'] : logged(current, base.metadataLocation);
}

function logged(metadata: TableMetadata, location: string): boolean {
  return metadata['metadata-log'].some((entry) => entry['metadata-file'] === location);
}

export function conflict(
  id: TableId,
  current: string | undefined,
  base: CatalogEntry | undefined,
  cause?: unknown,
): CommitConflict {
  return new CommitConflict(
    `${fullName(id)} is at ${current ?? 'no metadata'}, but the change was planned on ` +
      `${base?.metadataLocation ?? 'no table'}; reload it and apply the change again`,
    { cause },
  );
}

function unknown({ id, location }: Swap, cause: unknown): SwapOutcome {
  const message = `no certain answer to the commit of ${location} to ${fullName(id)}; reload the table and look for the change`;
  return { kind: 'unknown', error: new CommitStateUnknown(message, { cause }) };
}
