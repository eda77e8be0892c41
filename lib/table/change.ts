import { CommitConflict, CommitStateUnknown, InvalidInput } from '../core/errors.ts';
import { fullName, type TableId } from '../core/tables.ts';
import { applyChange } from '../iceberg/apply.ts';
import type { Change } from '../iceberg/changes.ts';
import type { CatalogEntry } from '../ports.ts';
import type { CommitDeps } from './commit.ts';
import { loadTable } from './read.ts';

const ATTEMPTS = 8;
const FIRST_WAIT_MS = 50;

/**
 * Commits a change that adds no rows. It is planned anew on what the table has become whenever another commit came first
 * or nobody knows what became of the last; `undefined` means that there is nothing, or nothing any more, to change.
 * Answers the table as it is then. Throws InvalidInput when there is no such table, CommitConflict or CommitStateUnknown
 * when every attempt came second.
 */
export async function changeTable(
  deps: Omit<CommitDeps, 'ids'>,
  id: TableId,
  plan: (entry: CatalogEntry) => Change | undefined | Promise<Change | undefined>,
): Promise<CatalogEntry> {
  for (let attempt = 1; ; attempt += 1) {
    const entry = await loadTable(deps.catalog, id);
    if (entry === undefined) throw new InvalidInput(`no table ${fullName(id)}: it was dropped meanwhile`);
    const change = await plan(entry);
    if (change === undefined) return entry;
    const next = applyChange(change, entry.metadata, deps.clock.now().getTime(), entry.metadataLocation);
    try {
      return await deps.catalog.commit(id, entry, next);
    } catch (cause) {
      if (!(cause instanceof CommitConflict || cause instanceof CommitStateUnknown) || attempt >= ATTEMPTS) throw cause;
    }
    await deps.wait(FIRST_WAIT_MS * 2 ** (attempt - 1));
  }
}
