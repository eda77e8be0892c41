import { countDeletedRows } from '../../lake/tables/deleted-rows.ts';
import { planFiles, type ScannedFile } from '../../table/read.ts';
import { isOneTable, type Side } from './side.ts';

export type DifferingFiles = {
  readonly from: readonly ScannedFile[];
  readonly to: readonly ScannedFile[];
  /** Files that both sides have, with the same rows deleted from them: none of them is read. */
  readonly shared: readonly ScannedFile[];
};

/** The data files in which two snapshots of one table differ; of two tables all. */
export async function differingFiles(from: Side, to: Side): Promise<DifferingFiles> {
  if (isOneTable(from, to) && from.snapshot?.['snapshot-id'] === to.snapshot?.['snapshot-id']) {
    return { from: [], to: [], shared: await filesOf(to) };
  }
  const [before, after] = [await filesOf(from), await filesOf(to)];
  if (!isOneTable(from, to)) return { from: before, to: after, shared: [] };
  const [old, now] = [new Set(before.map(identityOf)), new Set(after.map(identityOf))];
  return {
    from: before.filter((file) => !now.has(identityOf(file))),
    to: after.filter((file) => !old.has(identityOf(file))),
    shared: after.filter((file) => old.has(identityOf(file))),
  };
}

async function filesOf({ deps, metadata, snapshot }: Side): Promise<readonly ScannedFile[]> {
  if (snapshot === undefined) return [];
  return planFiles(deps.store, metadata, { snapshotId: snapshot['snapshot-id'] });
}

/** A path has one content for good; of its rows those count that no delete file names which is there then. */
function identityOf({ path, sequence, deletes }: ScannedFile): string {
  const gone = deletes.map((one) => `${one.path} ${one.sequence}`).sort();
  return JSON.stringify([path, ...(gone.length === 0 ? [] : [String(sequence), ...gone])]);
}

/** How many rows files have that are not read. */
export async function rowsIn({ deps, metadata }: Side, files: readonly ScannedFile[]): Promise<bigint> {
  const rows = files.reduce((sum, file) => sum + file.rows, 0n);
  return rows - BigInt(await countDeletedRows(deps, metadata, files));
}
