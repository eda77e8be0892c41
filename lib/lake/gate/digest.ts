import { createHash, type Hash } from 'node:crypto';
import { ObjectNotFound } from '../../core/errors.ts';
import type { Digests } from '../../core/promote.ts';
import type { RunPlan } from '../../core/run.ts';
import { fullName, type TableId, tablePrefix } from '../../core/tables.ts';
import { currentSnapshot, rowsId } from '../../iceberg/snapshot.ts';
import type { Catalog, ObjectStore } from '../../ports.ts';
import { parsePrepared } from '../../table/prepare.ts';
import { loadTable, readManifestList } from '../../table/read.ts';
import { runFolder } from '../run/run-folder.ts';
import { loadBase, modelTables } from '../tables/table-state.ts';

/**
 * SHA-256 of what a run has prepared: of its plan, which names the state of each table that it goes on from, of the audit of each level,
 * and of each prepared table with the manifests that are its own. What is gone has the hash of nothing.
 */
export async function digestsOf(store: ObjectStore, plan: RunPlan): Promise<Digests> {
  const digests: Record<string, string> = { plan: await hashOf(store, [runFolder.plan(plan.run)]) };
  for (const [level] of plan.spec.levels.entries()) {
    digests[`audit of level ${level}`] = await hashOf(store, [runFolder.audit(plan.run, level)]);
  }
  for (const [id, table] of modelTables(plan.spec)) {
    const key = runFolder.table(plan.run, id);
    if ((await store.head(key)) === undefined) continue;
    digests[fullName(table)] = await hashOf(store, [key, ...(await ownFiles(store, key, table))]);
  }
  return digests;
}

/** The list of manifests of a prepared snapshot, and those of them that it has added. */
async function ownFiles(store: ObjectStore, key: string, table: TableId): Promise<readonly string[]> {
  const text = new TextDecoder().decode((await store.read(key)).bytes);
  const { metadata, snapshot } = parsePrepared(text, store.location(tablePrefix(table)));
  if (snapshot === undefined) return [];
  const list = store.key(snapshot['manifest-list']);
  if ((await store.head(list)) === undefined) return [list];
  const manifests = await readManifestList(store, metadata, snapshot);
  const own = manifests.filter((one) => one.addedSnapshotId === snapshot['snapshot-id']);
  return [list, ...own.map(({ path }) => store.key(path))];
}

async function hashOf(store: ObjectStore, keys: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const key of keys) await addObject(store, hash, key);
  return hash.digest('hex');
}

async function addObject(store: ObjectStore, hash: Hash, key: string): Promise<void> {
  try {
    const { bytes } = await store.read(key);
    hash.update(`${bytes.length} `).update(bytes);
  } catch (cause) {
    if (!(cause instanceof ObjectNotFound)) throw cause;
    hash.update('gone ');
  }
}

/** One for all. */
export function digestOf(parts: Digests): string {
  const sorted = Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}

/** What is not as it was, by its name. */
export function changedIn(before: Digests, now: Digests): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => before[name] !== now[name]).sort();
}

/** Tables, by full name, whose rows are no longer those that the run goes on from: not those of which files alone were rewritten. */
export async function movedOn(
  { store, catalog }: { readonly store: ObjectStore; readonly catalog: Catalog },
  plan: RunPlan,
): Promise<readonly string[]> {
  const moved: string[] = [];
  for (const [id, table] of modelTables(plan.spec)) {
    if ((await store.head(runFolder.table(plan.run, id))) === undefined) continue;
    const base = await loadBase(store, plan, id);
    const now = (await loadTable(catalog, table))?.metadata;
    const [was, is] = [base, now].map((one) => one && rowsId(one, currentSnapshot(one)));
    if (was !== is) moved.push(fullName(table));
  }
  return moved;
}
