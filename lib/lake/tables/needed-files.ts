import type { InputBytes } from '../../core/input-bytes.ts';
import { planScans } from '../../iceberg/scan.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { ObjectStore, Session } from '../../ports.ts';
import type { ScanColumn } from '../../sql/scan.ts';
import { planFiles, type ScanOptions } from '../../table/read.ts';
import type { Needed } from '../files/bring-parts.ts';
import { type OpenedFiles, planOpening } from './foreign-files.ts';
import { predicatesOf, type TableNeeds } from './read-needs.ts';

export type NeededFiles = {
  readonly metadata: TableMetadata | undefined;
  readonly columns: readonly ScanColumn[];
  /** Left out: all of the table. */
  readonly needs: TableNeeds | undefined;
  /** Of which snapshot, and what else has to hold; left out: all of the current one. */
  readonly scan?: ScanOptions;
  /** Keys of the files that are read; left out: all of them. */
  readonly only?: ReadonlySet<string>;
};

export type PlannedTable = { readonly bytes: InputBytes; open(): Promise<OpenedFiles> };

/**
 * The data files of a table that may hold a row which counts, by its partitions and the statistics of manifests, and what
 * of them has to come here.
 */
export async function planNeeded(
  { store, session }: { readonly store: ObjectStore; readonly session: Session },
  { metadata, columns, needs, scan = {}, only }: NeededFiles,
): Promise<PlannedTable> {
  const isRead = ({ path }: { readonly path: string }): boolean => only?.has(store.key(path)) !== false;
  if (metadata === undefined || needs === undefined) {
    const files = metadata === undefined ? [] : (await planFiles(store, metadata, scan)).filter(isRead);
    const { bytes, open } = await planOpening(session, { store, metadata }, files, undefined);
    return { bytes: { ...bytes, skipped: 0 }, open };
  }
  const alternatives = needs.alternatives.map((conditions) => predicatesOf(metadata, conditions));
  const files = (await planFiles(store, metadata, { ...scan, alternatives })).filter(isRead);
  const mayMatch = planScans(metadata, alternatives).fileMayMatch;
  const needed = { ...neededColumns(columns, needs), mayMatch };
  const { bytes, open } = await planOpening(session, { store, metadata }, files, needed);
  const total = Number(currentSnapshot(metadata)?.summary['total-files-size'] ?? bytes.kept);
  return { bytes: { ...bytes, skipped: Math.max(0, total - bytes.brought) }, open };
}

/** The columns alone, of files that are read whatever rows they have; all of them where it is not known what is needed. */
export function neededColumns(columns: readonly ScanColumn[], needs: TableNeeds | undefined): Needed {
  const needed = columns.filter(({ name }) => needs?.columns.has(name) ?? true);
  return { columns: new Set(needed.map(({ id }) => id)) };
}
