import { ObjectNotFound } from '../core/errors.ts';
import { FACT_TABLES, OPS_TABLES, type OpsTable } from '../core/ops.ts';
import { listWaiting } from '../lake/facts/facts-folder.ts';
import { acquireAll, keepOrRelease } from '../lake/resources.ts';
import { openTable } from '../lake/tables/table-state.ts';
import type { Borrowed, Session } from '../ports.ts';
import { createWaiting, createWithWaiting } from '../sql/facts/waiting.ts';
import type { ViewName } from '../sql/scan.ts';
import { loadTable } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';
import type { FoundTable } from './find-table.ts';

/** Books of which rows may wait for a run that adds them: on AWS nobody can enter a run that failed into the table of runs. */
const WAITING: readonly OpsTable[] = [...FACT_TABLES, 'runs'];

/** The book that a table is, if some of its rows may wait. */
function bookOf({ layer, name }: FoundTable['id']): OpsTable | undefined {
  return layer === 'ops' ? WAITING.find((one) => one === name) : undefined;
}

/**
 * Makes a book readable with what waits for it. What waits is looked for before the table is: rows that were added in between
 * are in both, and count once. Undefined for another table, and where nothing waits.
 */
export async function openWithWaiting(
  { store, catalog }: Pick<QueryDeps, 'store' | 'catalog'>,
  session: Session,
  { id, metadata }: FoundTable,
  name: ViewName,
): Promise<readonly Borrowed[] | undefined> {
  const book = bookOf(id);
  const waiting = book && (await borrowWaiting(store, id.pipeline));
  if (book === undefined || waiting === undefined) return undefined;
  const aside = { ...name, table: `__waiting_${name.table}` };
  const kept = { ...name, table: `__kept_${name.table}` };
  return acquireAll([
    () => keepOrRelease(waiting, () => session.run(createWaiting(aside, book, [...waiting.paths.values()]))),
    async () => {
      const now = (await loadTable(catalog, id))?.metadata ?? metadata;
      const table = await openTable(store, session, kept, now, OPS_TABLES[book]);
      return keepOrRelease(table, () => session.run(createWithWaiting(name, kept, aside, book)));
    },
  ]);
}

/** One that is gone has been added to the tables meanwhile. */
async function borrowWaiting(store: QueryDeps['store'], pipeline: string): Promise<Borrowed | undefined> {
  for (;;) {
    const keys = await listWaiting(store, pipeline);
    if (keys.length === 0) return undefined;
    try {
      return await store.borrow(keys);
    } catch (cause) {
      if (!(cause instanceof ObjectNotFound)) throw cause;
    }
  }
}
